"""Submitting what waits: from the head of each queue, as far as there is room."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from shared.catalogue.models import Model
from shared.jobs.submit import RetryLater, Submission
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.queue import marker_of
from shared.ledger.record import FINAL, QUEUED, SUBMITTING, Record
from shared.ledger.slots import HeldSlot
from shared.platform.logs import about
from shared.poller.in_flight import InFlightTasks
from shared.poller.metrics import WHOLE_PAGE, Gauges
from shared.poller.schedule import Schedule
from shared.storage.layout import job_of_marker, job_of_reminder
from shared.storage.objects import ObjectDamaged, ObjectForbidden

PERMIT_PATIENCE = 3.0
REFILL_PATIENCE = 0.3
LOOK_FOR_EXPIRED = 60.0
EXPIRED_AT_ONCE = 10
HEAD = 50
LOOK_PAST = 5
"""Markers at the head of a queue that are listed; and how many jobs that have to wait
(`not_before`) or that end (`expires_after`) are passed at a time in search of one that is ready."""


log = logging.getLogger(__name__)


@dataclass
class Scheduler:
    """Keeps the models busy."""

    ledger: Ledger
    submission: Submission
    transitions: Transitions
    in_flight: InFlightTasks
    schedule: Schedule
    gauges: Gauges
    _next: dict[str, list[str]] = field(default_factory=dict)
    _read: dict[str, Record] = field(default_factory=dict)
    _moved: set[str] = field(default_factory=set)

    def heads(self) -> dict[str, list[str]]:
        """The markers at the heads of the queues of the models that are known.

        Raises StoreError.
        """
        known, found = self._names(), self.ledger.queue.heads(HEAD)
        self._next = {name: [] for name in self._next}
        self.gauges.nothing_queued(name for name in known if name not in found)
        return {name: found[name] for name in known if name in found}

    def submit_waiting(self, model: Model, markers: list[str]) -> None:
        """Submit the jobs at the head of a model's queue while there is room. Raises StoreError."""
        name = model.name
        self.schedule.go(name)
        paused = self.ledger.breakers.paused_for(name)
        if paused > 0:
            self.schedule.wait(name, paused)
        elif self.in_flight.room(model) > 0:
            self._submit(model, markers[: self._useful(model)])
        flying = self.in_flight.jobs(name)
        waiting = [marker for marker in markers if job_of_marker(marker) not in flying]
        self._count(name, waiting)
        self._get_ready(name, waiting)

    def _useful(self, model: Model) -> int:
        """How many markers to try in one go: as many as there is room for, past those that are in
        flight, in trouble, or have to wait."""
        skipped = len(self.in_flight.jobs(model.name)) + len(self.schedule.trouble)
        return self.in_flight.room(model) + skipped + LOOK_PAST

    def _count(self, name: str, waiting: list[str]) -> None:
        """Tell the gauge how many jobs wait; a long queue is counted once a minute."""
        if len(waiting) < HEAD:
            self.gauges.queue(name, waiting, whole=True)
        elif self.gauges.is_due(name):
            self.gauges.queue(name, self.ledger.queue.head(name, WHOLE_PAGE), whole=True)

    def is_crowded(self, name: str) -> bool:
        """Whether the last look at a model's queue found a job that waits for a slot."""
        return bool(self._next.get(name))

    def forget(self, job: str) -> None:
        """What was read of a job is out of date."""
        self._read = {key: one for key, one in self._read.items() if one.job != job}
        self._moved.add(job)

    def refill(self, model: Model) -> None:
        """Submit the next job where a task has just ended, from what the last look found.

        The records decide, so a look that is some seconds old does no harm. Raises StoreError.
        """
        if self.in_flight.room(model) > 0:
            self._submit(model, self._next.pop(model.name, []), REFILL_PATIENCE)
        self._read.clear()

    def waiting(self) -> bool:
        """Whether a job of a known model waits. Raises StoreError."""
        return bool(self.heads())

    def unpaused(self) -> set[str]:
        """The markers at the heads of the queues that need not wait. Raises StoreError."""
        trouble = self.schedule.trouble
        return {
            marker
            for name, markers in self.heads().items()
            if not self._is_paused(name)
            for marker in markers[: 1 + len(trouble)]
            if not trouble.holds(job_of_marker(marker))
        }

    def _names(self) -> list[str]:
        return self.submission.rules.catalogue.names()

    def _is_paused(self, name: str) -> bool:
        return name in self.schedule.waits or self.ledger.breakers.paused_for(name) > 0

    def end_expired(self) -> None:
        """End the queued jobs whose time is over, wherever they are; a few in one go, so that the
        others need not wait for many that expire together. Raises StoreError."""
        if not self.schedule.expired_due(LOOK_FOR_EXPIRED):
            return
        trouble, now = self.schedule.trouble, self.ledger.clock.now()
        due = self.ledger.queue.due(now, EXPIRED_AT_ONCE + len(trouble))
        ready = [one for one in due if not trouble.holds(job_of_reminder(one))]
        for reminder in ready[:EXPIRED_AT_ONCE]:
            self._guarded(job_of_reminder(reminder), partial(self._end_if_expired, reminder))
        if len(ready) >= EXPIRED_AT_ONCE:
            self.schedule.expired_now()

    def _end_if_expired(self, reminder: str) -> None:
        last = self.ledger.records.last(job_of_reminder(reminder))
        if last is None or last.state != QUEUED or self.submission.expire(last):
            self.ledger.queue.drop(reminder)

    def _get_ready(self, name: str, waiting: list[str]) -> None:
        """Remember who is next, and read the job, for the moment in which a slot becomes free."""
        self._next[name] = waiting
        ready = (one for one in waiting if not self.schedule.trouble.holds(job_of_marker(one)))
        for marker in islice(ready, 1):
            last = self._read.get(marker) or self._readable(marker)
            if last is not None:
                self._read[marker] = last

    def _readable(self, marker: str) -> Record | None:
        try:
            return self._current(marker)
        except ObjectDamaged:
            return None  # `_isolated` says so when it is the job's turn

    def _current(self, marker: str) -> Record | None:
        """The last record of the job behind a marker. As a rule that is the first one: it is
        believed without looking for a second, because the next record's number decides."""
        job, records = job_of_marker(marker), self.ledger.records
        first = None if job in self._moved else records.get(job, 1)
        if first is not None and first.state == QUEUED and marker_of(first) == marker:
            return first
        return records.last(job)

    def _submit(self, model: Model, markers: list[str], patience: float = PERMIT_PATIENCE) -> None:
        """Submit as many as there is room and a permit for. After one it does not wait for the
        next permit: images of tasks that end meanwhile, and other models' jobs, would wait too."""
        flying = self.in_flight.jobs(model.name)
        for marker in (one for one in markers if job_of_marker(one) not in flying):
            if self.in_flight.room(model) <= 0:
                return
            soon = self.submission.next_permit(model)
            if soon > 0 and self.in_flight.jobs(model.name) - flying:
                self.schedule.wait(model.name, soon)
                return
            if not self._isolated(model, marker, patience):
                return

    def _isolated(self, model: Model, marker: str, patience: float) -> bool:
        """Try a marker; whether the next one is worth a try."""
        goes_on = [True]
        job = job_of_marker(marker)
        if not self.schedule.trouble.holds(job):
            self._guarded(job, lambda: goes_on.append(self._try(model, marker, patience)))
        return goes_on[-1]

    def _guarded(self, job: str, step: Callable[[], None]) -> None:
        """A step of one job; a job that cannot be read delays itself alone."""
        trouble = self.schedule.trouble
        try:
            step()
        except (ObjectDamaged, ObjectForbidden) as error:
            wait = trouble.failed(job)
            log.warning(
                "job %s is left alone for %.0f s: %s",
                job,
                wait,
                error,
                extra=about("round.trouble", step=job),
            )
        else:
            trouble.succeeded(job)

    def _try(self, model: Model, marker: str, patience: float) -> bool:
        """Submit the job behind a marker; whether the next one is worth a try."""
        last = self._read.pop(marker, None) or self._current(marker)
        if last is not None and last.state == SUBMITTING:
            return True
        if last is None or last.state != QUEUED or marker_of(last) != marker:
            self._leftover(marker, last)
            return True
        try:
            outcome = self.submission.submit(last, patience)
        except BaseException:
            self.in_flight.count_again()  # it may have claimed a slot
            raise
        if outcome is None and last.job not in self._moved:
            self._moved.add(last.job)
            return self._try(model, marker, patience)  # its first record was not its last one
        if isinstance(outcome, RetryLater):
            self.schedule.wait(model.name, outcome.seconds)
            return not outcome.model_wide
        slot = outcome.slot if outcome is not None else None
        if outcome is not None and slot is not None and outcome.holds(slot):
            held = HeldSlot(slot, self.ledger.clock.now())
            inflight = self.in_flight.track(held, outcome, sent_now=True)
            inflight.first = last if last.seq == last.spec_seq else None
        return True

    def _leftover(self, marker: str, last: Record | None) -> None:
        """Remove a stale marker; repair result.json if the finisher crashed before writing it."""
        if last is not None and last.state in FINAL:
            self.transitions.restore_manifest(last)
        self.ledger.queue.drop(marker)
