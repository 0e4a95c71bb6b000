"""Cron expressions of timer triggers (Function Compute "Timer triggers" page)."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
FIELDS: tuple[tuple[str, int, int, str, list[str]], ...] = (
    ("second", 0, 59, "", []),
    ("minute", 0, 59, ",-*/", []),
    ("hour", 0, 23, ",-*/", []),
    ("day of month", 1, 31, ",-*?/", []),
    ("month", 1, 12, ",-*/", MONTHS),
    ("day of week", 1, 7, ",-*?", DAYS),
)
"""Name, range, the characters it takes besides numbers, and words for numbers."""


def cron_problem(expression: str) -> str | None:
    """What is wrong with a `cronExpression`; None when nothing is."""
    if expression.startswith("@"):
        whole = re.fullmatch(r"@every [1-9][0-9]*m", expression)
        return None if whole else "after @every comes a whole number of minutes: @every 5m"
    words = expression.split(" ")
    if words[0].startswith("CRON_TZ="):
        zone = words.pop(0).removeprefix("CRON_TZ=")
        if not _known_zone(zone):
            return f"there is no time zone {zone!r}; Asia/Shanghai is one"
    if len(words) != len(FIELDS):
        return f"{len(words)} fields separated by single spaces instead of {len(FIELDS)}"
    wrong = (_field_problem(word, *field) for field, word in zip(FIELDS, words, strict=True))
    return next((each for each in wrong if each), None)


def _field_problem(
    text: str, name: str, low: int, high: int, special: str, names: list[str]
) -> str | None:
    number = f"(?:{'|'.join([*(f'0*{n}' for n in range(low, high + 1)), *names])})"
    span = f"(?:{number}(?:-{number})?{'|[*]' if '*' in special else ''})" if special else number
    part = f"(?:{span}(?:/[1-9][0-9]*)?)" if "/" in special else span
    part = f"(?:{part}|[?])" if "?" in special else part
    if re.fullmatch(f"{part}(?:,{part})*" if special else part, text, re.IGNORECASE):
        return None
    words = f" or {names[0]} to {names[-1]}" if names else ""
    with_special = f", or with {' '.join(special)}" if special else " alone"
    return f"{name} is {text!r}: expected {low} to {high}{words}{with_special}"


def _known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True
