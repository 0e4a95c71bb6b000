"""The table of facts, and what came of trying one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.catalogue.files import load_file

TABLE = Path(__file__).parent / "facts.yaml"
HOLDS, OTHERWISE, UNTRIED = "holds", "otherwise", "untried"


class Otherwise(Exception):
    """The fact is not as it must be; the text says what was seen."""


class Untried(Exception):
    """The fact could not be tried; the text says why.

    `chosen`: the deployment has no use for it, or the caller left it out.
    """

    def __init__(self, why: str, chosen: bool = False) -> None:
        super().__init__(why)
        self.chosen = chosen


@dataclass(frozen=True)
class Fact:
    """A row of facts.yaml, whose head says what its fields mean."""

    id: str
    what: str
    tried: str
    source: str
    otherwise: str
    set: Mapping[str, str] = field(default_factory=dict)
    set_if_so: Mapping[str, str] = field(default_factory=dict)
    paid: bool = False


@dataclass(frozen=True)
class PaidJob:
    """The job of the paid checks: its body, the input that names its image, the side of that."""

    body: Mapping[str, Any]
    image: str
    side: int


@dataclass(frozen=True)
class Outcome:
    """What came of a fact. `verdict`: HOLDS, OTHERWISE or UNTRIED; `seen`: what was seen, or why it
    could not be tried; `chosen`: it was left out on purpose."""

    fact: Fact
    verdict: str
    seen: str
    chosen: bool = False

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings to make because of it."""
        return {HOLDS: self.fact.set_if_so, OTHERWISE: self.fact.set}.get(self.verdict, {})

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        fact, is_otherwise = self.fact, self.verdict == OTHERWISE
        return {
            "id": fact.id,
            "fact": fact.what,
            "verdict": self.verdict,
            "tried": fact.tried,
            "seen": self.seen,
            "source": fact.source,
            "to_do": fact.otherwise if is_otherwise else None,
            "settings": dict(self.settings),
        }


def load_facts() -> tuple[tuple[Fact, ...], PaidJob]:
    """The table, in its order, and the job of its paid checks."""
    document: Any = load_file(TABLE)
    facts = tuple(Fact(name, **row) for name, row in document["facts"].items())
    job = document["job"]
    return facts, PaidJob(job["body"], job["image"], job["side"])
