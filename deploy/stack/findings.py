"""One thing that is wrong in a description of the stack, with what a person needs to correct it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`id` names the rule, `where` is the path in the document, `source` says who demands it."""

    id: str
    where: str
    found: str
    expected: str
    advice: str
    source: str

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.found}; expected {self.expected}."
            f" {self.advice} [{self.id}, {self.source}]"
        )


def shown(value: object) -> str:
    """A value as a finding shows it; long ones are cut."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}…"


def listed(names: Iterable[object], most: int = 60) -> str:
    """Names in order, for "one of …"."""
    ordered = sorted(map(str, names))
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """The first finding of each rule at each place."""
    once: dict[tuple[str, str], Finding] = {}
    for each in findings:
        once.setdefault((each.id, each.where), each)
    return list(once.values())
