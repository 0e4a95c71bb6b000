"""Beginning a job, ending it, and putting one back into the queue.

The record decides, so it comes first: a manifest written before it would stay, and be wrong, where
another instance was faster. `result.json` is a copy of what the record holds; an instance that dies
before writing it leaves slot or marker, and the next one that comes across these writes it. Images
are in the bucket before either names them. The entry of the outbox comes after `result.json` and
before marker and slot go, so whoever is to hear of the job does, and finds its result.

A job that goes back gets its record QUEUED, then the marker, then the slot is freed. As long as the
slot exists, an instance that comes across it finds the attempt over and makes the marker again: a
job whose record says QUEUED is never without a marker for good.

Before a slot goes, the attempt leaves its name under its task's id, or its time if it may have a
task that nobody knows: a later look at the list of tasks must not take that task for another job's.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from shared.catalogue.errors import JobError
from shared.catalogue.price import Bill
from shared.catalogue.rules import Rules
from shared.jobfile.document import BATCH
from shared.jobfile.written import labels_of
from shared.jobs.manifest import Outcome, build, given_up, numbers_of
from shared.ledger.ledger import Ledger
from shared.ledger.manifest import StoredImage, read_manifest
from shared.ledger.queue import KEPT
from shared.ledger.record import (
    CANCELED,
    FAILED,
    NEEDS_ATTENTION,
    PENDING,
    QUEUED,
    REJECTED,
    SUBMITTING,
    SUCCEEDED,
    Record,
)
from shared.ledger.slots import Slot
from shared.modelstudio.client import Task
from shared.platform.clock import iso
from shared.platform.concurrency import MapFn, in_turn
from shared.platform.logs import about
from shared.storage import layout
from shared.storage.objects import StoreError

log = logging.getLogger(__name__)


NOTHING_MORE = Outcome()
OVERLAP = 1800.0
"""Seconds after a deployment in which a poller of other code may run: the time-out of poll is 1560
(s.yaml)."""
UNSURE = (SUBMITTING, NEEDS_ATTENTION, CANCELED)
"""Last states of an attempt that may have a task although its records name none."""


@dataclass(frozen=True)
class Retained:
    """What the next attempt of a partial success starts with: images kept, numbers missing, and
    what was billed so far (None: nothing yet)."""

    kept: tuple[StoredImage, ...]
    missing: tuple[int, ...]
    bill: Bill | None


@dataclass
class Transitions:
    """Writes last records and manifests, requeues, and cleans up after attempts.

    `deployed_at`: when the release that is deployed was, in seconds since 1970.
    """

    ledger: Ledger
    rules: Rules
    map_fn: MapFn = in_turn
    deployed_at: Callable[[], float] = field(default=lambda: -math.inf)

    def begin(self, draft: Record, *, promised: bool) -> Record | None:
        """Write a job's first record, its marker and its index entry. None: the job was there
        before. Raises StoreError.

        `promised`: nobody surely asks again should this fail or die, so the marker comes first.
        Then the record decides: before it nothing has been made, so that a caller who repeats the
        request does not pay twice; after it the job is accepted, whatever fails. A poller of an
        older release takes a promise for stale, so while one may run the marker is made again.
        """
        ledger, began = self.ledger, self.ledger.clock.now()
        overlap = promised and began - self.deployed_at() < OVERLAP
        if promised:
            ledger.queue.promise(draft)
        made = self._first(draft, look=promised)
        if made is None:
            return None
        steps: list[Callable[[], object]] = [partial(ledger.index.add, made.job, made.at)]
        slow = ledger.clock.now() - began > KEPT / 2  # it may be taken for stale
        if not promised or overlap or slow:
            steps.insert(0, partial(ledger.queue.add, made))
        for step in steps:
            try:
                step()
            except StoreError as error:
                if not promised:
                    raise
                extra = about("job.unlisted", made)
                log.warning("job %s: queued, but not listed: %s", made.job, error, extra=extra)
        return made

    def _first(self, draft: Record, *, look: bool) -> Record | None:
        """Append a job's first record; `look`: whether it was written where that stays unknown."""
        records = self.ledger.records
        try:
            return records.append(draft)
        except StoreError:
            found = records.get(draft.job, draft.seq) if look else None
            if found is None or (found.digest, found.queued_ms) != (draft.digest, draft.queued_ms):
                raise
            return found

    def finish(
        self, last: Record, state: str, outcome: Outcome = NOTHING_MORE, first: Record | None = None
    ) -> Record | None:
        """End a job in `state`. None: another instance moved the job first. Raises StoreError.

        `first` is the record with the spec, if it is at hand.
        """
        first = first or self.ledger.records.with_spec(last)
        at = iso(self.ledger.clock.now())
        manifest = build(self.rules, first, last, state, outcome, at)
        draft = replace(last.following(state), kept=(), missing=(), manifest=manifest)
        made = self.ledger.records.append(draft)
        if made is None:
            return None
        _log_end(made, numbers_of(manifest))
        self.complete(made, marked=last.state in (QUEUED, SUBMITTING))
        return made

    def fail(self, last: Record, why: JobError, task: Task | None = None) -> Record | None:
        """End a job that will get nothing more: FAILED, or a success with what there is already.

        `task`: the last one, for the manifest of a job that failed. Raises StoreError.
        """
        if last.kept:
            lost = given_up(self.rules.errors, last, why)
            return self.finish(last, SUCCEEDED, Outcome(failed=lost))
        return self.finish(last, FAILED, Outcome(error=why, task=task))

    def requeue(
        self,
        last: Record,
        why: JobError,
        *,
        wait: float = 0.0,
        attempt: int | None = None,
        retained: Retained | None = None,
        in_doubt: bool = False,
        last_in_line: bool = False,
    ) -> Record | None:
        """Queue a job that is in flight again, after `wait` seconds at least, at its old place
        or `last_in_line`: behind all others of its priority that come in until then.

        None: another instance moved the job. `attempt` corrects the count of attempts; `in_doubt`:
        its attempt was not answered and may have a task after all. Raises StoreError.

        A marker that was removed is never made again under the same name, because a late instance
        may still be about to remove it: the job moves back by one millisecond, which gives its
        marker a new name.
        """
        kept = retained or Retained(last.kept, last.missing, last.bill)
        now = self.ledger.clock.now()
        place = last.queued_ms + (0 if last.state == SUBMITTING else 1)
        if last_in_line:
            place = max(last.queued_ms + 1, int((now + wait) * 1000))
        draft = replace(
            last.following(QUEUED),
            queued_ms=place,
            not_before=iso(now + wait) if wait else None,
            attempt=last.attempt if attempt is None else attempt,
            slot_seq=None,
            slot_mark=None,
            api_key=None,
            epoch=None,
            call=False,
            submitted_at=None,
            task_id=None,
            create_request_id=None,
            kept=kept.kept,
            missing=kept.missing,
            paid=last.paid if kept.bill is None else kept.bill.images,
            bill=kept.bill,
            error=why,
        )
        made = self.ledger.records.append(draft)
        if made is None:
            return None
        _log_requeue(last, made, why, wait)
        if last_in_line:
            self.ledger.queue.move(last, made)
        if last.slot is not None:
            self._leave(last.slot, made, last.task_id, in_doubt)
        return made

    def complete(self, ended: Record, *, marked: bool = True) -> None:
        """Write the manifest of a job that is over, let its receiver hear of it, remove its marker
        and slot; idempotent.

        `marked`: the job may still have its marker; it goes when a task is accepted.
        """
        has_marker = marked and bool(ended.queued_ms)
        tell = self.tell_all if has_marker else self.tell
        tell(ended)
        if has_marker:
            self.ledger.queue.remove(ended)
        if ended.slot is not None:
            self._free(ended.slot, ended.task_id, _is_unsure(ended))

    def clean_up(self, slot: Slot, last: Record) -> None:
        """Clean up after an attempt that is over; `last` is the job's last record."""
        attempt = [last] if last.slot == slot else self.ledger.records.attempt(slot)
        if attempt:
            self._leave(slot, last, attempt[-1].task_id, _is_unsure(attempt[-1]))
        else:
            self._leave(slot, last, None, False)

    def _leave(self, slot: Slot, last: Record, task_id: str | None, in_doubt: bool) -> None:
        """The slot goes last: as long as it exists, another instance does what is left undone."""
        if last.state == QUEUED:
            self.ledger.queue.add(last)
        self.tell_all(last)
        self._free(slot, task_id, in_doubt)

    def _free(self, slot: Slot, task_id: str | None, in_doubt: bool) -> None:
        if task_id is not None:
            self._claim(task_id, slot)
        elif in_doubt:
            self.ledger.tasks.doubt(slot)
        self.ledger.slots.free(slot)

    def _claim(self, task_id: str, slot: Slot) -> None:
        """Name the job under its task. The images of a task that two jobs have are billed once."""
        if self.ledger.tasks.claim(task_id, slot):
            return
        owner = self.ledger.tasks.owner(task_id)
        if owner is not None and owner[0] != slot.job:
            said = (slot.job, task_id, owner[0])
            extra = about("job.task_shared", job=slot.job, model=slot.model, task=task_id)
            log.warning("job %s has task %s, which is job %s's as well", *said, extra=extra)

    def free_left_over(self, model: str, job: str) -> None:
        """Free slots of a job that no attempt of its holds: whoever claimed one has died since."""
        for held in self.ledger.slots.held(model):
            if held.slot.job == job:
                self.clean_up_if_over(held.slot)

    def clean_up_if_over(self, slot: Slot) -> None:
        """Clean up after a slot unless its job's chain says that the attempt is under way."""
        last = self.ledger.records.last(slot.job)
        if last is None:
            self.ledger.slots.free(slot)
        elif not last.holds(slot):
            self.clean_up(slot, last)

    def tell(self, last: Record) -> None:
        """Write `result.json` of a job that is over, and the entry of the outbox: whoever hears of
        the job finds its result. Raises StoreError."""
        self.restore_manifest(last)
        if last.is_final:
            self.ledger.outbox.announce(last)

    def tell_all(self, last: Record) -> None:
        """Do what `tell` does for a job whose marker or slot is left over, and let its receiver
        hear of tasks that were made for it: whoever died may have owed it that."""
        self.tell(last)
        if self.ledger.outbox.hears_of(last, PENDING):
            for one in self.ledger.records.chain(last.job):
                if one.state == PENDING:
                    self.ledger.outbox.announce(one)

    def restore_manifest(self, last: Record) -> None:
        """Write `result.json` from the last record, if that holds one. Raises StoreError.

        A rejected job can go on, with a corrected file, and one that was erased loses its texts. So
        the first manifest is created and never replaces another: an instance that is late with it
        can neither hide what the job has become nor bring back what was erased.
        """
        if last.manifest is None:
            return
        made = self.ledger.store.create(layout.result(last.job), last.manifest.encoded())
        if not made.created and last.state != REJECTED:
            self._replace_manifest(last)
        if BATCH in labels_of(last.manifest.spec):
            from shared.jobs.batches import Batches  # few jobs are of one: a start does without

            Batches(self.ledger.store, self.ledger.records, self.map_fn).note(last.manifest)

    def _replace_manifest(self, last: Record) -> None:
        """Write `result.json` over another one if the records say so, and look at them again then:
        erasing writes it once more after the last record."""
        records, store = self.ledger.records, self.ledger.store
        if read_manifest(store, last.job) == last.manifest:
            return
        while True:
            last = records.last_from(records.get(last.job, last.seq) or last)
            if last.manifest is None or read_manifest(store, last.job) == last.manifest:
                return
            store.put(layout.result(last.job), last.manifest.encoded())


def _is_unsure(ended: Record) -> bool:
    """Whether an attempt, by its last record, may have a task that nobody knows."""
    return ended.state in UNSURE and not ended.call


def _log_end(made: Record, numbers: Mapping[str, Any]) -> None:
    """The job's last line, which has its numbers."""
    level = logging.INFO if made.state in (SUCCEEDED, CANCELED) else logging.WARNING
    why = f" ({numbers['code']})" if numbers["code"] else ""
    said = (made.job, made.state, numbers["images"], numbers["total_s"] or 0.0, why)
    extra = about("job.ended", made, **numbers)
    log.log(level, "job %s: %s with %d images after %.1f s%s", *said, extra=extra)


def _log_requeue(last: Record, made: Record, why: JobError, wait: float) -> None:
    log.info(
        "job %s: queued again after %s",
        made.job,
        why.code,
        extra=about(
            "job.requeued",
            made,
            task=last.task_id,
            code=why.code,
            wait_s=round(wait, 3),
            **{"class": why.kind},
        ),
    )
