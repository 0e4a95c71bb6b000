"""What `wanx check` finds in job files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.prices import JobPrice
from shared.jobfile import Notice, Violation


@dataclass(frozen=True)
class Finding:
    """A violation or notice, and the number (from 1) of the job in its file."""

    document: int
    violation: Violation

    @property
    def is_notice(self) -> bool:
        return isinstance(self.violation, Notice)

    def to_dict(self) -> dict[str, Any]:
        """For programs, in both languages."""
        from shared.catalogue.words import with_chinese

        return {"document": self.document, **with_chinese(self.violation.to_dict())}


@dataclass(frozen=True)
class Report:
    """What was found in one file. `unseen` images could not be looked at; `prices` of the jobs
    that are in order, where they were asked for."""

    file: Path
    documents: int
    findings: tuple[Finding, ...]
    unseen: int = 0
    prices: tuple[JobPrice, ...] = ()

    @property
    def violations(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if not one.is_notice)

    @property
    def notices(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.is_notice)
