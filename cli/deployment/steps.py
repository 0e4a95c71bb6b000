"""The table of steps, and how far each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.bucket_checks import Cause
from shared.catalogue.files import load_file

TABLE = Path(__file__).parent / "steps.yaml"
DONE, TO_DO, LATER, LEFT_OUT = "done", "to do", "later", "left out"
"""How far a step is. LATER: an earlier one is needed; LEFT_OUT: it has no place here."""


class NotHere(Exception):
    """The step has no place in this deployment; the text says why."""


@dataclass(frozen=True)
class Cure:
    """What to do, and the section of docs/deploy.md that says more; empty: none does."""

    do: str
    page: str = ""


@dataclass(frozen=True)
class Step:
    """A row of steps.yaml, whose head says what its fields mean."""

    id: str
    do: str
    page: str
    needs: tuple[str, ...] = ()
    optional: bool = False
    causes: Mapping[Cause, Cure] = field(default_factory=dict)

    def cure(self, cause: Cause) -> Cure:
        """What to do where the step is open because of this."""
        return self.causes.get(cause) or Cure(self.do, self.page)


@dataclass(frozen=True)
class Seen:
    """How far a step is, and what was seen."""

    step: Step
    state: str
    text: str
    cause: Cause = Cause.OTHER

    @property
    def is_open(self) -> bool:
        """Whether the deployment is not complete because of it."""
        return self.state in (TO_DO, LATER) and not self.step.optional


@dataclass(frozen=True)
class Plan:
    """The table. `triggers`: of each function, names and kinds; `lifecycle`: prefixes and the
    days that objects below them must live at least."""

    steps: tuple[Step, ...]
    triggers: Mapping[str, Mapping[str, str]]
    lifecycle: Mapping[str, int]


def load_plan() -> Plan:
    """The table, in its order."""
    document: Any = load_file(TABLE)
    steps = tuple(_step(name, row, document["causes"]) for name, row in document["steps"].items())
    return Plan(steps, document["triggers"], document["lifecycle"])


def _step(name: str, row: Mapping[str, Any], general: Mapping[str, Any]) -> Step:
    causes = {**general, **row.get("causes", {})}
    cures = {Cause(cause): Cure(**cure) for cause, cure in causes.items()}
    needs = tuple(row.get("needs", ()))
    return Step(name, row["do"], row["page"], needs, row.get("optional", False), cures)
