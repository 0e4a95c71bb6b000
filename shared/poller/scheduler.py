"""Submitting what waits: from the head of each queue, as far as there is room."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.catalogue.models import Model
from shared.jobs.submit import RetryLater, Submission
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import FINAL, QUEUED, SUBMITTING, Record
from shared.ledger.slots import HeldSlot
from shared.poller.in_flight import InFlightTasks
from shared.poller.metrics import WHOLE_PAGE, Gauges
from shared.poller.schedule import Schedule
from shared.storage.layout import job_of_marker, job_of_reminder

TICKET_PATIENCE = 3.0
REFILL_PATIENCE = 0.3
LOOK_FOR_EXPIRED = 60.0
LOOK_PAST = 5
"""How many delayed jobs (`not_before`) to skip in search of one that is ready."""


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

    def submit_waiting(self, name: str) -> bool:
        """Submit a model's waiting jobs while there is room; whether any may be waiting still.

        Raises StoreError.
        """
        model = self.submission.rules.model(name)
        if model is None:
            return False
        self.schedule.go(name)
        paused = self.ledger.breakers.paused_for(name)
        room = self.in_flight.room(model)
        useful = max(1, room) + len(self.in_flight.jobs(name)) + LOOK_PAST
        look = self.gauges.look(name, useful)
        markers = self.ledger.queue.head(name, look)
        if paused > 0 and markers:
            self.schedule.wait(name, paused)
        elif room > 0:
            self._submit(model, markers[:useful])
        flying = self.in_flight.jobs(name)
        waiting = [marker for marker in markers if job_of_marker(marker) not in flying]
        self.gauges.queue(name, waiting, whole=len(markers) < look or look >= WHOLE_PAGE)
        self._get_ready(name, waiting[:useful])
        return bool(markers)

    def is_crowded(self, name: str) -> bool:
        """Whether the last look at a model's queue found a job that waits for a slot."""
        return bool(self._next.get(name))

    def refill(self, model: Model) -> None:
        """Submit the next job where a task has just ended, from what the last look found.

        The records decide, so a look that is some seconds old does no harm. Raises StoreError.
        """
        if self.in_flight.room(model) > 0:
            self._submit(model, self._next.pop(model.name, []), REFILL_PATIENCE)
        self._read.clear()

    def waiting(self, *, unpaused: bool = False) -> bool:
        """Whether a job of a known model waits; `unpaused`: of one that need not wait itself.

        Raises StoreError.
        """
        if self.ledger.queue.empty():
            return False
        names = self.submission.rules.catalogue.names()
        if unpaused:
            names = [name for name in names if not self._is_paused(name)]
        return any(self.ledger.queue.head(name, 1) for name in names)

    def _is_paused(self, name: str) -> bool:
        return name in self.schedule.waits or self.ledger.breakers.paused_for(name) > 0

    def end_expired(self) -> None:
        """End the queued jobs whose time is over, wherever they are. Raises StoreError."""
        if not self.schedule.expired_due(LOOK_FOR_EXPIRED):
            return
        for reminder in self.ledger.queue.due(self.ledger.clock.now()):
            last = self.ledger.records.last(job_of_reminder(reminder))
            if last is None or last.state != QUEUED or self.submission.expire(last):
                self.ledger.queue.drop(reminder)

    def _get_ready(self, name: str, waiting: list[str]) -> None:
        """Remember who is next, and read the job, for the moment in which a slot becomes free."""
        self._next[name] = waiting
        for marker in waiting[:1]:
            last = self._read.get(marker) or self.ledger.records.last(job_of_marker(marker))
            if last is not None:
                self._read[marker] = last

    def _submit(self, model: Model, markers: list[str], patience: float = TICKET_PATIENCE) -> None:
        """Submit as many as there is room and a ticket for. After one it does not wait for the
        next ticket: images of tasks that end meanwhile, and other models' jobs, would wait too."""
        flying = self.in_flight.jobs(model.name)
        for marker in (one for one in markers if job_of_marker(one) not in flying):
            if self.in_flight.room(model) <= 0:
                return
            soon = self.submission.next_ticket(model)
            if soon > 0 and self.in_flight.jobs(model.name) - flying:
                self.schedule.wait(model.name, soon)
                return
            if not self._try(model, marker, patience):
                return

    def _try(self, model: Model, marker: str, patience: float) -> bool:
        """Submit the job behind a marker; whether the next one is worth a try."""
        last = self._read.pop(marker, None) or self.ledger.records.last(job_of_marker(marker))
        if last is None or last.state not in (QUEUED, SUBMITTING):
            self._leftover(marker, last)
            return True
        if last.state == SUBMITTING:
            return True
        finished = self.in_flight.finished_remotely(model.name)
        outcome = self.submission.submit(last, patience, finished)
        if isinstance(outcome, RetryLater):
            self.schedule.wait(model.name, outcome.seconds)
            return not outcome.model_wide
        slot = outcome.slot if outcome is not None else None
        if outcome is not None and slot is not None and outcome.holds(slot):
            inflight = self.in_flight.track(HeldSlot(slot, self.ledger.clock.now()), outcome)
            inflight.first = last if last.seq == last.spec_seq else None
        return True

    def _leftover(self, marker: str, last: Record | None) -> None:
        """Remove a stale marker; repair result.json if the finisher crashed before writing it."""
        if last is not None and last.state in FINAL:
            self.transitions.restore_manifest(last)
        self.ledger.queue.drop(marker)
