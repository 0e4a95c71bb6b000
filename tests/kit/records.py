"""Records as a live system writes them, without the system."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.jobfile import JobSpec
from shared.ledger.record import QUEUED, Origin, Record

BASE = Record(
    job="",
    seq=1,
    state=QUEUED,
    model="brush",
    priority=5,
    queued_ms=1,
    digest="1" * 64,
    written="2" * 64,
    attempt=1,
    slot_seq=2,
    slot_mark="3" * 12,
    task_id="task",
    submitted_at="2026-11-20T05:12:01.123Z",
    spec=JobSpec("brush", {"prompt": "a cat"}, {}),
    source=Origin("jobs/cat.yaml", "ETAG", 1),
)


def draft(job: str, seq: int, state: str = QUEUED, **changes: Any) -> Record:
    """A record that is not over, with everything its state needs."""
    return replace(BASE, **{"job": job, "seq": seq, "state": state, **changes})
