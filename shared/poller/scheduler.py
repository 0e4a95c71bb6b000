"""Submitting what waits: from the head of each queue, as far as there is room."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from shared.catalogue.models import Model
from shared.jobs.submit import Submission
from shared.ledger.ledger import Ledger
from shared.ledger.record import QUEUED
from shared.ledger.wakeups import BREAKER, KEY_PROBE
from shared.poller.guard import Guard
from shared.poller.in_flight import InFlightTasks
from shared.poller.metrics import WHOLE_PAGE, Gauges
from shared.poller.schedule import Schedule
from shared.poller.sender import Sender
from shared.storage.layout import (
    job_of_marker,
    job_of_reminder,
)

LOOK_FOR_EXPIRED = (60.0, 220.0)
"""Seconds between two looks for expired jobs: at least, and at most where no reminder that a look
has shown is due before. A job that comes in meanwhile with a shorter time is not sent late, but may
be ended later."""
EXPIRED_AT_ONCE = 10
HEAD = 50
LOOK_PAST = 5
"""Markers at the head of a queue that are listed; and how many jobs that have to wait
(`not_before`) or that end (`expires_after`) are passed at a time in search of one that is ready."""


@dataclass
class Scheduler:
    """Keeps the models busy. `unknown`: what waits for models that the catalogue does not have."""

    ledger: Ledger
    submission: Submission
    sender: Sender
    guard: Guard
    gauges: Gauges
    unknown: set[str] = field(default_factory=set)

    @property
    def in_flight(self) -> InFlightTasks:
        return self.sender.in_flight

    @property
    def schedule(self) -> Schedule:
        return self.guard.schedule

    def heads(self) -> dict[str, list[str]]:
        """The markers at the heads of the queues of the models that are known.

        Raises StoreError.
        """
        known, found = self._names(), self.ledger.queue.heads(HEAD)
        self.sender.forget_lines()
        self.unknown = {one for name in found.keys() - set(known) for one in found[name]}
        self.gauges.nothing_queued(name for name in known if name not in found)
        return {name: found[name] for name in known if name in found}

    def submit_waiting(self, model: Model, markers: list[str]) -> None:
        """Submit the jobs at the head of a model's queue while there is room. Raises StoreError."""
        name = model.name
        self.schedule.go(name)
        markers = self._refused_last(name, markers)
        paused = self.ledger.breakers.paused_for(name)
        if paused > 0:
            breakers = self.ledger.breakers
            self.schedule.wait(name, paused, KEY_PROBE if breakers.waits_for_key(name) else BREAKER)
        else:
            self.sender.send(model, markers, self._useful(model, markers))
        flying = self.in_flight.jobs(name)
        waiting = [marker for marker in markers if job_of_marker(marker) not in flying]
        self._count(name, waiting, paused=paused > 0)
        self.sender.get_ready(model, waiting)

    def _refused_last(self, name: str, markers: list[str]) -> list[str]:
        """Jobs that were refused in a row are tried after the others, however many they are:
        another one finds out whether that was their own fault."""
        refused = self.ledger.breakers.refused_in_a_row(name)
        if len(markers) >= HEAD and refused.issuperset(map(job_of_marker, markers)):
            markers = self.ledger.queue.head(name, HEAD + len(refused))
        return sorted(markers, key=lambda marker: job_of_marker(marker) in refused)

    def _useful(self, model: Model, markers: list[str]) -> int:
        """How many markers to try in one go: as many as there is room for, past those that are in
        flight, in trouble, or have to wait."""
        skipped = len(self.in_flight.jobs(model.name)) + len(self.schedule.trouble)
        skipped += sum(map(self.sender.must_wait, markers))
        return self.in_flight.room(model) + skipped + LOOK_PAST

    def _count(self, name: str, waiting: list[str], *, paused: bool) -> None:
        """Tell the gauge how many jobs wait; a long queue is counted once a minute."""
        if len(waiting) < HEAD:
            self.gauges.queue(name, waiting, whole=True)
        elif self.gauges.is_due(name, paused=paused):
            self.gauges.queue(name, self.ledger.queue.head(name, WHOLE_PAGE), whole=True)

    def is_crowded(self, name: str) -> bool:
        """Whether the last look at a model's queue, or one that shares its room, found a job
        that waits for a slot."""
        return bool(self.sender.in_turn(name))

    def refill(self, name: str) -> None:
        """A task has just ended: submit the next job that the last look found, of models that
        share room the one that waits longest. The records decide, so a look that is some seconds
        old does no harm."""
        waiting = self.sender.in_turn(name)
        for mate in waiting:
            self.sender.go_on(mate)
        if not waiting:
            self.schedule.queues_now()

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
        return self.schedule.makes_wait(name) or self.ledger.breakers.paused_for(name) > 0

    def end_expired(self) -> None:
        """End the queued jobs whose time is over, wherever they are; a few in one go, so that the
        others need not wait for many that expire together. Raises StoreError."""
        soonest, latest = LOOK_FOR_EXPIRED
        if not self.schedule.expired_due(soonest):
            return
        trouble, now = self.schedule.trouble, self.ledger.clock.now()
        due, following = self.ledger.queue.due(now, EXPIRED_AT_ONCE + len(trouble))
        self.schedule.expired_in(min(max(soonest, following - now), latest))
        ready = [one for one in due if not trouble.holds(job_of_reminder(one))]
        for reminder in ready[:EXPIRED_AT_ONCE]:
            self.guard.job(job_of_reminder(reminder), partial(self._end_if_expired, reminder))
        if len(ready) >= EXPIRED_AT_ONCE:
            self.schedule.expired_now()

    def _end_if_expired(self, reminder: str) -> None:
        last = self.ledger.records.last(job_of_reminder(reminder))
        if last is None or last.state != QUEUED or self.submission.expire(last):
            self.ledger.queue.drop(reminder)
