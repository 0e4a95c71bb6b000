"""Submitting what waits: from the head of each queue, as far as there is room."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.catalogue.models import Catalogue, Model
from shared.jobs.submit import RetryLater, Submission
from shared.jobs.transitions import Transitions
from shared.ledger.model_state import ModelStates
from shared.ledger.queue import Queue
from shared.ledger.record import holds, slot_of
from shared.ledger.records import FINAL, QUEUED, SUBMITTING, Record, Records
from shared.ledger.slots import HeldSlot
from shared.platform.clock import Clock
from shared.poller.in_flight import InFlightTasks
from shared.poller.metrics import WHOLE_PAGE, Gauges
from shared.storage.layout import job_of_marker, job_of_reminder

TICKET_PATIENCE = 3.0
FOLLOW_UP_PATIENCE = 0.3
LOOK_FOR_EXPIRED = 60.0
LOOK_PAST = 5
"""How many queued jobs that have to wait themselves may stand before one that need not."""


@dataclass
class Scheduler:
    """Keeps the models busy. `waits` says for each model when its queue is worth a look again."""

    catalogue: Catalogue
    records: Records
    queue: Queue
    states: ModelStates
    submission: Submission
    transitions: Transitions
    in_flight: InFlightTasks
    clock: Clock
    gauges: Gauges
    waits: dict[str, float] = field(default_factory=dict)
    _next: dict[str, list[str]] = field(default_factory=dict)
    _read: dict[str, Record] = field(default_factory=dict)
    _next_expiry: float = 0.0

    def submit_waiting(self, name: str) -> bool:
        """Submit a model's waiting jobs while there is room; whether any may be waiting still.

        Raises StoreError.
        """
        model = self.catalogue.get(name)
        if model is None:
            return False
        self.waits.pop(name, None)
        paused = self.states.paused_for(name, self.clock.now())
        room = self.in_flight.room(model)
        useful = max(1, room) + len(self.in_flight.jobs(name)) + LOOK_PAST
        look = self.gauges.look(name, useful)
        markers = self.queue.head(name, look)
        if paused > 0 and markers:
            self._wait(name, paused)
        elif room > 0:
            self._submit(model, markers[:useful])
        flying = self.in_flight.jobs(name)
        waiting = [marker for marker in markers if job_of_marker(marker) not in flying]
        self.gauges.queue(name, waiting, whole=len(markers) < look or look >= WHOLE_PAGE)
        self._get_ready(name, waiting[:useful])
        return bool(markers)

    def is_crowded(self, name: str) -> bool:
        """Whether the last look at a model's queue found somebody who waits for a slot."""
        return bool(self._next.get(name))

    def refill(self, model: Model) -> None:
        """Put the next job where a task has just landed, from what the last look found.

        The records decide, so a look that is some seconds old does no harm. Raises StoreError.
        """
        if self.in_flight.room(model) > 0:
            self._submit(model, self._next.pop(model.name, []), FOLLOW_UP_PATIENCE)
        self._read.clear()

    def _get_ready(self, name: str, waiting: list[str]) -> None:
        """Remember who is next, and read the job, for the moment in which a slot becomes free."""
        self._next[name] = waiting
        for marker in waiting[:1]:
            last = self._read.get(marker) or self.records.last(job_of_marker(marker))
            if last is not None:
                self._read[marker] = last

    def waiting(self) -> bool:
        """Whether a job of a known model waits. Raises StoreError."""
        if self.queue.empty():
            return False
        return any(self.queue.head(name, 1) for name in self.catalogue.names())

    def end_expired(self) -> None:
        """End the queued jobs whose time is over, wherever they stand. Raises StoreError."""
        if self.clock.monotonic() < self._next_expiry:
            return
        self._next_expiry = self.clock.monotonic() + LOOK_FOR_EXPIRED
        for reminder in self.queue.due(self.clock.now()):
            last = self.records.last(job_of_reminder(reminder))
            if last is None or last.state != QUEUED or self.submission.expire(last):
                self.queue.drop(reminder)

    def _submit(self, model: Model, markers: list[str], patience: float = TICKET_PATIENCE) -> None:
        """As many as there is room and a ticket for. Nobody waits for one ticket after the other:
        images of tasks that end meanwhile, and the other models' jobs, would have to wait too."""
        flying = self.in_flight.jobs(model.name)
        for marker in (one for one in markers if job_of_marker(one) not in flying):
            if self.in_flight.room(model) <= 0:
                return
            soon = self.submission.next_ticket(model)
            if soon > 0 and self.in_flight.jobs(model.name) - flying:
                self._wait(model.name, soon)
                return
            if not self._try(model, marker, patience):
                return

    def _try(self, model: Model, marker: str, patience: float) -> bool:
        """Submit the job behind a marker; whether the next one is worth a try."""
        last = self._read.pop(marker, None) or self.records.last(job_of_marker(marker))
        if last is None or last.state not in (QUEUED, SUBMITTING):
            self._leftover(marker, last)
            return True
        if last.state == SUBMITTING:
            return True
        finished_remotely = self.in_flight.finished_remotely(model.name)
        outcome = self.submission.submit(last, patience, finished_remotely)
        if isinstance(outcome, RetryLater):
            self._wait(model.name, outcome.seconds)
            return not outcome.model_wide
        slot = slot_of(outcome) if outcome is not None else None
        if outcome is not None and slot is not None and holds(outcome, slot):
            inflight = self.in_flight.track(HeldSlot(slot, self.clock.now()), outcome)
            inflight.first = last if last.seq == last.data.get("spec_seq") else None
        return True

    def _leftover(self, marker: str, last: Record | None) -> None:
        """A marker whose job is on its way or over; whoever ended it may have died doing so."""
        if last is not None and last.state in FINAL:
            self.transitions.restore_manifest(last)
        self.queue.drop(marker)

    def _wait(self, name: str, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        self.waits[name] = min(until, self.waits.get(name, until))
