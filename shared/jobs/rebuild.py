"""Making the indexes and manifests again from the records, for any number of jobs.

Listings show the number of a job's last record, whether the job is indexed, and the MD5 digest of
its manifest. So a job that is over and lacks nothing costs one request: for its last record. That
one is always read, because nothing else tells that a job is over: a rejected job goes on with a
corrected file and an adopted one with a task, while the manifest of their earlier end is there;
and times in a listing prove nothing once a bucket was copied.

Several jobs are handled at once, a batch at a time, while the next batch is listed. After a batch
the place is remembered in the bucket: an interrupted rebuild goes on there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from shared.jobs.rebuilt import Place, Progress, Rebuilt
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.listed import ListedJob, listed_jobs
from shared.ledger.manifest import read_manifest
from shared.ledger.many import Many
from shared.ledger.queue import marker_of, may_be_promise
from shared.ledger.record import FINAL, FOR_GOOD, PENDING, QUEUED, SUBMITTING, Record
from shared.ledger.slots import Slot
from shared.ledger.wakeups import REBUILT
from shared.platform.clock import from_iso
from shared.platform.concurrency import MapFn, in_turn
from shared.storage import layout

AT_ONCE = 64
"""Requests under way. A request takes about 1 ms of the processor, so that more are not faster."""
CLAIMS_FOR = 24 * 3600.0
"""Seconds for which the service's task list, and so the owner of a task, matters."""


@dataclass(frozen=True)
class _Step:
    """What is to be done for one job."""

    job: str
    act: Callable[[Rebuilt], None]

    def __call__(self) -> Rebuilt:
        done = Rebuilt()
        with done.apart(self.job):
            self.act(done)
        return done


@dataclass
class Rebuild:
    """Rebuilds the indexes of one ledger. `map_fn` handles several jobs at once, `batch` between
    two notes of the place."""

    ledger: Ledger
    transitions: Transitions
    map_fn: MapFn = in_turn
    batch: int = 1000

    def run(
        self, tell: Callable[[Progress], object] = lambda _: None, from_start: bool = False
    ) -> Rebuilt:
        """Make markers, slots, task claims, job index and manifests again from the records.

        Goes on where an interrupted run stopped, unless `from_start`; what it returns is the sum
        of both. `tell` is called at the start, once the index is listed, after each batch, and at
        the end. Run one at a time: two would note their places in the same object.

        Safe while the functions run: an entry made for a job that ends meanwhile is stale, and the
        instance that comes across it removes it. A marker or slot is removed only where the job's
        chain says so. Raises StoreError.
        """
        place = Place(self.ledger.store, self.ledger.clock)
        progress = place.forget() if from_start else place.load()
        tell(progress)
        indexed, done = self.ledger.index.jobs(), progress.done
        progress.indexed = len(indexed)
        tell(progress)
        right = Many()
        for job in self._batches(self._jobs(progress.after, indexed, right), done):
            progress.after = job
            place.save(progress)
            tell(progress)
        for steps in (self._markers(right), self._slots()):
            for _ in self._batches(steps, done):
                tell(progress)
        tell(progress)
        if progress.after:
            place.forget()
        if done.outbox_entries_made or self.ledger.slots.held() or not self.ledger.queue.empty():
            self.ledger.wake.because(REBUILT)
        return done

    def _batches(self, steps: Iterator[_Step], done: Rebuilt) -> Iterator[str]:
        """Take all steps; after each batch but the last one yields the job that it ended with."""
        batch = list(islice(steps, self.batch))
        while batch:
            following: list[_Step] = []
            look_ahead = partial(self._look_ahead, steps, following)
            work: list[Callable[[], Rebuilt]] = [look_ahead, *batch]
            for found in self.map_fn(lambda act: act(), work, AT_ONCE):
                done.add(found)
            if following:
                yield batch[-1].job
            batch = following

    def _look_ahead(self, steps: Iterator[_Step], following: list[_Step]) -> Rebuilt:
        following += islice(steps, self.batch)
        return Rebuilt()

    def _jobs(self, after: str, indexed: Many, right: Many) -> Iterator[_Step]:
        for one in listed_jobs(self.ledger.store, after):
            yield _Step(one.job, partial(self._job, one, one.job in indexed, right))

    def _markers(self, right: Many) -> Iterator[_Step]:
        """Those that were not found to be right already."""
        for entry in self.ledger.store.list(layout.QUEUE):
            ours = layout.is_ours(entry.key, layout.QUEUE) and not may_be_promise(entry)
            if ours and entry.key not in right:
                job = layout.job_of_marker(entry.key)
                yield _Step(job, partial(self._drop_marker, entry.key))

    def _slots(self) -> Iterator[_Step]:
        for held in self.ledger.slots.held():
            yield _Step(held.slot.job, partial(self._free_slot, held.slot))

    def _job(self, one: ListedJob, indexed: bool, right: Many, done: Rebuilt) -> None:
        last = self.ledger.records.get(one.job, one.seq)
        if last is None:
            return
        done.jobs += 1
        if not indexed:
            done.index_entries_made += self.ledger.index.add(
                one.job, self.ledger.records.created_at(last)
            )
        if last.webhook is not None:
            done.outbox_entries_made += self.ledger.outbox.restore(
                self.ledger.records.chain(one.job)
            )
        if not self._is_over(last, one.manifest_etag):
            if last.state not in FOR_GOOD:  # since it was listed the job may have gone on
                last = self.ledger.records.last_from(last)
            self._restore(last, one.manifest_etag, done)
            if last.state == QUEUED:
                right.add(marker_of(last))
        if last.attempt and self.ledger.clock.now() - from_iso(last.at) < CLAIMS_FOR:
            done.claims_made += sum(map(self._restore_claim, self._attempts(last)))

    def _is_over(self, last: Record, etag: str | None) -> bool:
        """Whether a job is over and its manifest in the bucket is right, as far as the ETag tells.

        It may be no MD5 digest, as of an object that was copied in parts, and an older version may
        have written the same in another form.
        """
        if last.state not in FINAL:
            return False
        return last.manifest is None or etag == _digest(last.manifest.encoded())

    def _restore(self, last: Record, etag: str | None, done: Rebuilt) -> None:
        ledger, slot = self.ledger, last.slot
        if last.state == QUEUED:
            done.markers_made += ledger.queue.add(last)
        if last.state in FINAL:
            done.manifests_made += self._restore_manifest(last, missing=etag is None)
        if slot is not None and last.holds(slot):
            done.slots_made += ledger.store.create(slot.key, b"").created

    def _attempts(self, last: Record) -> list[Record]:
        """A record of each attempt that is over and has had a task.

        The last record has the task of the last attempt, which was the only one if the record after
        the spec began it.
        """
        if last.state in FOR_GOOD and last.slot_seq == last.spec_seq + 1:
            return [last]
        chain = self.ledger.records.chain(last.job)
        now = chain[-1] if chain else last
        began = [one for one in chain if one.state == PENDING]
        return [one for one in began if one.slot is not None and not now.holds(one.slot)]

    def _restore_claim(self, attempt: Record) -> bool:
        """Name the job under the id of an attempt's task; whether that had no name."""
        task, slot, tasks = attempt.task_id, attempt.slot, self.ledger.tasks
        if task is None or slot is None or tasks.owner(task) is not None:
            return False
        return tasks.claim(task, slot)

    def _drop_marker(self, marker: str, done: Rebuilt) -> None:
        """Drop a marker whose job does not wait there."""
        last = self.ledger.records.last(layout.job_of_marker(marker))
        if last is not None and last.state in (QUEUED, SUBMITTING):
            if marker_of(last) == marker:
                return
        elif last is not None and last.state in FINAL:
            done.manifests_made += self._restore_manifest(last)
        self.ledger.queue.drop(marker)
        done.markers_dropped += 1

    def _free_slot(self, slot: Slot, done: Rebuilt) -> None:
        """Free a slot whose attempt is over."""
        last = self.ledger.records.last(slot.job)
        if last is not None and last.seq >= slot.seq and not last.holds(slot):
            self.transitions.clean_up(slot, last)
            done.slots_freed += 1

    def _restore_manifest(self, last: Record, missing: bool = False) -> bool:
        """Write `result.json` again where it is missing or an older one; whether it was needed."""
        if not missing and read_manifest(self.ledger.store, last.job) == last.manifest:
            return False
        self.transitions.restore_manifest(last)
        return last.manifest is not None


def _digest(content: bytes) -> str:
    """As an ETag shows it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
