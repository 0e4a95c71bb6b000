"""The pump: collect what is done, submit what waits, sleep to the next expected moment.

A timer fires once a minute at best; one round a tick would leave an account's only slot idle for
most of it. So a run goes on until nothing is left or its deadline is near, and hands over to the
next run without a gap.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from shared.catalogue import Catalogue, Model
from shared.clock import Clock
from shared.collection import Collection
from shared.errors import ErrorTable
from shared.heartbeat import Heartbeat
from shared.jobdata import carried, holds_slot
from shared.keys import job_of_marker, job_of_reminder
from shared.modelstate import KEY, ModelStates
from shared.modelstudio import ServiceError
from shared.objects import StoreError
from shared.pacing import first_question, next_question
from shared.queue import Queue
from shared.reconcile import Reconciliation
from shared.records import PENDING, QUEUED, RUNNING, SUBMITTING, Record, Records
from shared.requeue import Requeue
from shared.slots import Slot, Slots
from shared.submission import Later, Submission

LONGEST_SLEEP = 2.0
TICKET_PATIENCE = 3.0
ORPHAN_AGE = 30.0
RECHECK = 3.0
LONGEST_SILENCE = 30.0
LOOK_FOR_EXPIRED = 60.0
BEHIND = 5.0
"""Seconds between questions for a task that cannot have begun: it may have, if others died."""
LOOK_PAST = 5
"""How many queued jobs that have to wait themselves may stand before one that need not."""
FAR_AWAY = 45.0
"""Seconds of pause from which waiting for the next timer is cheaper than holding on."""

log = logging.getLogger(__name__)


@dataclass
class Flight:
    """A held slot as this run knows it. Times on the instance's monotonic clock.

    `behind`: more tasks than the model runs at once are before this one, so it cannot have begun.
    """

    slot: Slot
    last: Record
    started: float
    ask_at: float
    behind: bool = False
    failures: int = 0


@dataclass
class Poller:
    """One run of the pump."""

    catalogue: Catalogue
    records: Records
    queue: Queue
    slots: Slots
    states: ModelStates
    submission: Submission
    collection: Collection
    reconciliation: Reconciliation
    requeue: Requeue
    errors: ErrorTable
    heartbeat: Heartbeat
    clock: Clock
    chance: random.Random
    flights: dict[str, Flight] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)
    _strays: bool = False
    _next_expiry: float = 0.0

    def run(self, deadline: float) -> str:
        """Work until nothing is left or until `deadline` (monotonic seconds).

        Returns a word for the log: idle, busy elsewhere, handed over, waiting.
        """
        if not self.heartbeat.outlast():
            return "another poller is at work"
        while self.heartbeat.beat():
            if not self.round():
                self.heartbeat.rest()
                if not self._work_left():
                    return "nothing left"
                continue
            pause = self._pause()
            if pause > FAR_AWAY:
                self.heartbeat.rest()
                return "everything left is paused"
            if self.clock.monotonic() + pause >= deadline:
                self.heartbeat.rest()
                self.heartbeat.wake()
                return "handed over at the deadline"
            self.clock.sleep(pause)
        return "another poller took over"

    def round(self) -> bool:
        """Look at every slot and every queue once. Returns whether anything is left to do."""
        held = self.slots.held()
        self._strays = False
        self._forget_all_but(held)
        for slot in held:
            self._guarded(slot.job, partial(self._visit, slot))
        self._guarded("expiry", self._expire)
        waiting = not self.queue.empty()
        if waiting:
            self._guarded("key", self._probe_key)
            for name in self.catalogue.names():
                self._guarded(name, partial(self._fill, self.catalogue.get(name)))
        self._line_up()
        return waiting or bool(self.flights) or self._strays

    def _work_left(self) -> bool:
        return bool(self.slots.held()) or not self.queue.empty()

    def _guarded(self, what: str, step: Callable[[], None]) -> None:
        """One job's trouble must not stop the others, nor must it look like death."""
        try:
            self.heartbeat.beat()
            step()
        except ServiceError as error:
            log.warning("%s: the service could not be asked: %s", what, error)
        except StoreError as error:
            log.warning("%s: %s", what, error)

    def _forget_all_but(self, held: list[Slot]) -> None:
        present = {slot.key for slot in held}
        for key in [key for key in self.flights if key not in present]:
            del self.flights[key]

    def _line_up(self) -> None:
        """Tell who runs and who waits behind; the clock of one that moves up starts now."""
        now = self.clock.monotonic()
        for name in {flight.slot.model for flight in self.flights.values()}:
            line = [flight for flight in self.flights.values() if flight.slot.model == name]
            line.sort(key=lambda flight: (flight.slot.held_since, flight.slot.seq))
            model = self.catalogue.get(name)
            lanes = model.limits.concurrent if model else len(line)
            for place, flight in enumerate(line):
                if flight.behind and place < lanes:
                    flight.started = now
                    flight.ask_at = now + first_question(self.states.get(name).durations)
                elif place >= lanes and not flight.behind:
                    flight.ask_at = now + BEHIND
                flight.behind = place >= lanes

    def _visit(self, slot: Slot) -> None:
        flight = self.flights.get(slot.key)
        if flight is None:
            flight = self._found(slot)
        if flight is None or self.clock.monotonic() < flight.ask_at:
            return
        try:
            if flight.last.state in (PENDING, RUNNING):
                self._collect(flight)
            else:
                self._resolve(flight)
            flight.failures = 0
        except ServiceError as error:
            self._not_answered(flight, error)

    def _not_answered(self, flight: Flight, error: ServiceError) -> None:
        """The service could not be asked: ask later, later each time; it may be the key."""
        rule = self.errors.classify(error.code, error.message, error.http)
        log.warning("job %s: the service could not be asked: %s", flight.slot.job, error)
        flight.failures += 1
        wait = min(LONGEST_SILENCE, 2.0 ** min(flight.failures, 10))
        flight.ask_at = self.clock.monotonic() + wait * (0.5 + self.chance.random() / 2)
        if rule.breaker == "key" and self.states.get(KEY).paused_for(self.clock.now()) <= 0:
            self.states.pause(KEY, error, rule)

    def _found(self, slot: Slot) -> Flight | None:
        """A slot this run has not seen: its job's chain says what it is."""
        known = self.records.get(slot.job, slot.seq)
        if known is None:
            self._orphan(slot)
            return None
        last = self.records.last_from(known)
        if not holds_slot(last, slot.seq):
            self.requeue.settle(slot.key, last)
            return None
        return self._track(slot, last)

    def _track(self, slot: Slot, last: Record) -> Flight:
        now = self.clock.monotonic()
        waited = max(0.0, self.clock.now() - slot.held_since)
        wait = first_question(self.states.get(slot.model).durations) - waited
        ask_at = now + max(0.0, wait) if last.state == PENDING else now
        flight = Flight(slot, last, now - waited, ask_at)
        self.flights[slot.key] = flight
        return flight

    def _orphan(self, slot: Slot) -> None:
        """A slot whose attempt never began: void the attempt by its record, then free it."""
        if self.clock.now() - slot.held_since < ORPHAN_AGE:
            self._strays = True
            return
        last = self.records.last(slot.job)
        began = last is not None and (last.seq, last.state) != (slot.seq - 1, QUEUED)
        if last is None or began or self.records.append(slot.job, slot.seq, QUEUED, carried(last)):
            self.requeue.settle_if_over(slot.key)

    def _collect(self, flight: Flight) -> None:
        elapsed = self.clock.monotonic() - flight.started
        durations = self.states.get(flight.slot.model).durations
        wait = BEHIND if flight.behind else next_question(elapsed, durations)
        flight.ask_at = self.clock.monotonic() + wait
        self._moved(flight, self.collection.advance(flight.last))

    def _resolve(self, flight: Flight) -> None:
        flight.ask_at = self.clock.monotonic() + RECHECK
        if flight.last.state == SUBMITTING:
            flight.last = self.records.last_from(flight.last)
            if flight.last.state == SUBMITTING:
                self._moved(flight, self.reconciliation.resolve(flight.last))

    def _moved(self, flight: Flight, now: Record | None) -> None:
        """Keep following, or let go of a flight that has landed."""
        elsewhere = now is None
        now = now or self.records.last_from(flight.last)
        flight.last = now
        if not holds_slot(now, flight.slot.seq):
            if elsewhere:
                self.requeue.settle(flight.slot.key, now)
            del self.flights[flight.slot.key]

    def _expire(self) -> None:
        """End the queued jobs whose time is over, wherever they stand in the queue."""
        if self.clock.monotonic() < self._next_expiry:
            return
        self._next_expiry = self.clock.monotonic() + LOOK_FOR_EXPIRED
        for reminder in self.queue.due(self.clock.now()):
            last = self.records.last(job_of_reminder(reminder))
            if last is None or last.state != QUEUED or self.submission.expire(last):
                self.queue.drop(reminder)

    def _probe_key(self) -> None:
        """Once the pause of a refused key is over, ask something that costs nothing."""
        state, now = self.states.get(KEY), self.clock.now()
        if state.pause is None or state.paused_for(now) > 0:
            return
        try:
            self.collection.service.listed(self.catalogue.names()[0], now - 1, now)
        except ServiceError as error:
            rule = self.errors.classify(error.code, error.message, error.http)
            self.states.pause(KEY, error, rule)
        else:
            self.states.resume(KEY)

    def _fill(self, model: Model | None) -> None:
        """Submit from the head of the queue while there is room."""
        if model is None:
            return
        self._not_before.pop(model.name, None)
        paused = self.states.paused_for(model.name, self.clock.now())
        if paused > 0:
            self._wait_for(model, paused)
            return
        flying = self._flying(model)
        window = self.submission.window(model)
        if len(flying) >= window:
            return
        for marker in self.queue.head(model.name, window + LOOK_PAST):
            if job_of_marker(marker) in flying:
                continue
            if not self._try(model, marker) or len(self._flying(model)) >= window:
                return

    def _flying(self, model: Model) -> set[str]:
        return {f.slot.job for f in self.flights.values() if f.slot.model == model.name}

    def _try(self, model: Model, marker: str) -> bool:
        """Submit the job behind a marker; whether the next one is worth a try."""
        last = self.records.last(job_of_marker(marker))
        if last is None or last.state not in (QUEUED, SUBMITTING):
            self.queue.drop(marker)
            return True
        if last.state == SUBMITTING:
            return True
        outcome = self.submission.submit(last, TICKET_PATIENCE)
        if isinstance(outcome, Later):
            self._wait_for(model, outcome.seconds)
            return not outcome.model_wide
        if outcome is not None and holds_slot(outcome, last.seq + 1):
            slot = Slot(model.name, outcome.job, last.seq + 1, self.clock.now())
            self._track(slot, outcome)
        return True

    def _wait_for(self, model: Model, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        self._not_before[model.name] = min(until, self._not_before.get(model.name, until))

    def _pause(self) -> float:
        """Seconds until something is expected."""
        now = self.clock.monotonic()
        moments = [flight.ask_at for flight in self.flights.values()]
        if moments:
            return max(0.02, min(min(moments) - now, LONGEST_SLEEP))
        if self._not_before:
            wait = min(self._not_before.values()) - now
            return wait if wait > FAR_AWAY else max(LONGEST_SLEEP / 4, min(wait, LONGEST_SLEEP))
        return LONGEST_SLEEP / 4
