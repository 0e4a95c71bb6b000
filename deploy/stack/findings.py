"""One thing that is wrong in a description of the stack, told so that a person can mend it."""

from __future__ import annotations

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
