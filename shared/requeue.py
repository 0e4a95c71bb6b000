"""Putting a job back into the queue, and cleaning up after attempts that are over.

The record QUEUED comes first, then the marker, then the slot is given up. As long as the slot
stands, whoever comes across it finds the attempt over and makes the marker again: a job whose
record says QUEUED is never without a marker for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared import keys
from shared.clock import Clock, iso
from shared.jobdata import carried, holds_slot
from shared.queue import Queue
from shared.records import QUEUED, SUBMITTING, Record, Records
from shared.slots import Slots


@dataclass
class Requeue:
    """Everything needed to put a job back."""

    records: Records
    queue: Queue
    slots: Slots
    clock: Clock

    def again(
        self, last: Record, why: dict[str, Any], *, wait: float = 0.0, **changes: Any
    ) -> Record | None:
        """Queue a job that is in flight again, at its old place, after `wait` seconds at least.

        None: somebody else moved the job. A marker that was removed is never made again under
        its name, because a late instance may still be about to remove it; one millisecond later
        in the queue is another name. Raises StoreError.
        """
        moved = 0 if last.state == SUBMITTING else 1
        data = carried(
            last,
            queued_ms=last.data["queued_ms"] + moved,
            not_before=iso(self.clock.now() + wait) if wait else None,
            slot_seq=None,
            submitted_at=None,
            task_id=None,
            create_request_id=None,
            **changes,
        )
        made = self.records.append(last.job, last.seq + 1, QUEUED, data | {"error": why})
        if made is not None:
            self.settle(keys.slot(last.data["model"], last.job, last.data["slot_seq"]), made)
        return made

    def settle(self, slot: str, last: Record) -> None:
        """Free the slot of an attempt that is over; `last` is the job's last record."""
        if last.state == QUEUED:
            self.queue.add(last.job, last.data)
        self.slots.free(*keys.parse_slot(slot))

    def settle_if_over(self, slot: str) -> None:
        """Free a slot unless its job's chain says that the attempt is under way."""
        _model, job, seq = keys.parse_slot(slot)
        last = self.records.last(job)
        if last is None:
            self.slots.free(*keys.parse_slot(slot))
        elif not holds_slot(last, seq):
            self.settle(slot, last)
