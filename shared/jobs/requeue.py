"""Putting a job that is in flight back into the queue.

The record QUEUED comes first, then the marker, then the slot is given up. As long as the slot
stands, whoever comes across it finds the attempt over and makes the marker again: a job whose
record says QUEUED is never without a marker for good.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from shared.jobs.transitions import Transitions
from shared.ledger.record import carried, holds, slot_of
from shared.ledger.records import QUEUED, SUBMITTING, Record, Records
from shared.ledger.slots import Slot, Slots
from shared.platform.clock import Clock, iso
from shared.platform.logs import about

log = logging.getLogger(__name__)


@dataclass
class Requeue:
    """Everything needed to put a job back."""

    records: Records
    slots: Slots
    transitions: Transitions
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
            slot_mark=None,
            submitted_at=None,
            task_id=None,
            create_request_id=None,
            **changes,
        )
        made = self.records.append(last.job, last.seq + 1, QUEUED, data | {"error": why})
        slot = slot_of(last)
        if made is not None:
            _log(last, made, why, wait)
        if made is not None and slot is not None:
            self.transitions.clean_up(slot, made)
        return made

    def clean_up_if_over(self, slot: Slot) -> None:
        """Clean up after a slot unless its job's chain says that the attempt is under way."""
        last = self.records.last(slot.job)
        if last is None:
            self.slots.free(slot)
        elif not holds(last, slot):
            self.transitions.clean_up(slot, last)


def _log(last: Record, made: Record, why: dict[str, Any], wait: float) -> None:
    log.info(
        "job %s: queued again after %s",
        made.job,
        why["code"],
        extra=about(
            "job.requeued",
            made,
            task=last.data.get("task_id"),
            code=why["code"],
            wait_s=round(wait, 3),
            **{"class": why["class"]},
        ),
    )
