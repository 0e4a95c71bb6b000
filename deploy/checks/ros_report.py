"""Collects findings while a template is walked."""

from __future__ import annotations

from collections.abc import Iterable

from deploy.stack.findings import Finding

LONGEST = 120


class Report:
    """Findings of one run, in the order they were made."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def add(
        self, rule: str, where: str, found: str, expected: str, advice: str, source: str
    ) -> None:
        """One finding; `found` may quote the template and is cut to a line's length."""
        self.findings.append(Finding(rule, where, cut(found), expected, advice, source))


def cut(text: str) -> str:
    """The text, shortened to what fits into a message."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def listed(names: Iterable[object], most: int = 12) -> str:
    """Names in order, for "expected one of …"."""
    ordered = sorted(map(str, names))
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more


def shown(option: object) -> str:
    """A value as it is quoted in a message: as YAML would be read, so texts have quotes."""
    return str(option).lower() if isinstance(option, bool) else repr(option)
