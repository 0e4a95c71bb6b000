"""A document that is rejected: its record, and how the same document is known again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.jobfile import Violation
from shared.jobs.manifest import rejection
from shared.ledger.record import REJECTED, Origin, Record

LONGEST_MODEL = 128
"""Characters kept of a model's name that is not in the catalogue."""


@dataclass(frozen=True)
class Rejection:
    """`value` is the document, None where it cannot be read; `written`: its SHA-256."""

    origin: Origin
    value: Any
    written: str
    violations: tuple[Violation, ...]

    @cached_property
    def shown(self) -> list[dict[str, Any]]:
        """The violations as a record has them."""
        return [violation.to_dict() for violation in self.violations]

    @property
    def mark(self) -> str:
        """Stands for the violations in an id."""
        return hashlib.sha256(json.dumps(self.shown).encode()).hexdigest()[:6]

    def record(self, job: str, at: str, bucket: str, webhook: str | None) -> Record:
        """The first record of a job that is nothing but this, which holds the manifest too."""
        from shared.jobs.picture_uses import pictures_named  # few jobs are rejected

        named = self.value.get("model") if isinstance(self.value, dict) else None
        model = named[:LONGEST_MODEL] if isinstance(named, str) else None
        facts = {"model": model, "source": vars(self.origin), "violations": self.shown}
        return Record(
            job=job,
            seq=1,
            state=REJECTED,
            model=model or "",
            written=self.written,
            source=self.origin,
            webhook=webhook,
            violations=tuple(self.shown),
            pictures=pictures_named(self.value, bucket),
            manifest=rejection(job, at, self.value, facts),
        )

    def is_of(self, last: Record) -> bool:
        """Whether a job, whose last record is `last`, is this very rejection.

        What was wrong with one that was erased is gone, and may be more by now: its pictures are
        deleted. The origin tells it of records from before they had `written`.
        """
        if last.state != REJECTED:
            return False
        if last.erased is None:
            return list(last.violations) == self.shown
        if last.job.endswith(f"-{self.mark}"):
            return True
        return last.written == self.written if last.written else last.source == self.origin
