"""Cron expressions of timer triggers (Function Compute "Timer triggers" page)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
FORM = "'@every 5m' (whole minutes) or six fields: second minute hour day month weekday"


@dataclass(frozen=True)
class CronField:
    """What one of the six fields takes; `special` are the characters besides numbers."""

    name: str
    low: int
    high: int
    special: str
    names: tuple[str, ...] = ()

    def problem(self, text: str) -> str | None:
        """What is wrong with the field's text."""
        for part in text.split(",") if "," in self.special else [text]:
            wrong = self._part(part)
            if wrong:
                return f"{self.name} is {text!r}: {wrong}"
        return None

    def _part(self, part: str) -> str | None:
        if part in "*?" and part and part in self.special:
            return None
        span, slash, step = part.partition("/")
        if slash and ("/" not in self.special or not re.fullmatch(r"[1-9][0-9]*", step)):
            return (
                "a step is not taken here" if "/" not in self.special else "the step is no number"
            )
        if slash and span == "*":
            return None
        ends = span.split("-") if "-" in self.special else [span]
        if len(ends) > 2 or not all(self._valid(end) for end in ends):
            extra = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
            return f"expected {self.low} to {self.high}{extra}" + (
                f", or with {' '.join(self.special)}" if self.special else " alone"
            )
        return None

    def _valid(self, text: str) -> bool:
        if text.upper() in self.names:
            return True
        return text.isascii() and text.isdigit() and self.low <= int(text) <= self.high


FIELDS = (
    CronField("second", 0, 59, ""),
    CronField("minute", 0, 59, ",-*/"),
    CronField("hour", 0, 23, ",-*/"),
    CronField("day of month", 1, 31, ",-*?/"),
    CronField("month", 1, 12, ",-*/", tuple(MONTHS)),
    CronField("day of week", 1, 7, ",-*?", tuple(DAYS)),
)


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
    wrong = (field.problem(word) for field, word in zip(FIELDS, words, strict=True))
    return next((each for each in wrong if each), None)


def _known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True
