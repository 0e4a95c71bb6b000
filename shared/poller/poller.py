"""The pump: collect what is done, submit what waits, sleep to the next expected moment.

A timer fires once a minute at best; one round a tick would leave an account's only slot idle for
most of it. So a run goes on until nothing is left or its deadline is near, and hands over to the
next run without a gap.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from shared.catalogue.errors import ErrorTable
from shared.catalogue.models import Catalogue
from shared.jobs.collect import Collection, KnownInFlight
from shared.jobs.reconcile import Reconciliation
from shared.jobs.requeue import Requeue
from shared.jobs.transitions import Transitions, trouble
from shared.ledger.heartbeat import Heartbeat
from shared.ledger.model_state import KEY, ModelStates
from shared.ledger.record import carried, holds
from shared.ledger.records import PENDING, QUEUED, RUNNING, SUBMITTING, Record, Records
from shared.ledger.slots import HeldSlot, Slots
from shared.modelstudio.client import ModelStudio, ServiceError
from shared.platform.clock import Clock
from shared.platform.logs import about
from shared.poller.in_flight import InFlight, InFlightTasks
from shared.poller.metrics import Gauges
from shared.poller.scheduler import Scheduler
from shared.storage.objects import StoreError

OVER = frozenset({"SUCCEEDED", "FAILED", "CANCELED"})
"""States of a task that keeps nothing at the service busy (task management page)."""
SHORTEST_SLEEP = 0.02
LONGEST_SLEEP = 2.0
LOOK_AT_QUEUES = 2.0
LOOK_AT_SLOTS = 5.0
"""Seconds between two looks while there is room for what others bring. A slot that another instance
took needs nothing before its task is done."""
LOOK_WHEN_FULL = 30.0
QUIET_SLEEP = 0.5
"""Seconds to sleep when something is left of which nothing is expected at any moment."""
ORPHAN_AGE = 30.0
RECHECK = 3.0
LONGEST_SILENCE = 30.0
FAR_AWAY = 45.0
"""Seconds of pause from which waiting for the next timer is cheaper than holding on."""

log = logging.getLogger(__name__)


@dataclass
class Poller:
    """One run of the pump. `strays`: slots were seen that no flight could be made of."""

    catalogue: Catalogue
    records: Records
    slots: Slots
    states: ModelStates
    scheduler: Scheduler
    in_flight: InFlightTasks
    collection: Collection
    reconciliation: Reconciliation
    requeue: Requeue
    transitions: Transitions
    model_studio: ModelStudio
    errors: ErrorTable
    heartbeat: Heartbeat
    clock: Clock
    rng: random.Random
    gauges: Gauges
    strays: bool = False
    _look_at: float = 0.0
    _submit_at: float = 0.0
    _waiting: bool = False

    def run(self, deadline: float) -> str:
        """Work until nothing is left or until `deadline` (monotonic seconds).

        Returns what ended the run, in words for the log. Raises StoreError if the store cannot
        be asked at the very beginning or end.
        """
        began = self.clock.monotonic()
        outcome = self._run(deadline)
        self.gauges.tell((inflight.slot.model for inflight in self.in_flight), last=True)
        seconds = round(self.clock.monotonic() - began, 3)
        extra = about("poll.ended", outcome=outcome, duration_s=seconds, rounds=self.gauges.rounds)
        log.info("poll: %s", outcome, extra=extra)
        return outcome

    def _run(self, deadline: float) -> str:
        if not self.heartbeat.outlast():
            return "another poller is at work"
        while self.heartbeat.beat():
            if self.strays or self.clock.monotonic() >= self._look_at:
                self._look()
            else:
                self._visit_due()
            if self.clock.monotonic() >= self._submit_at:
                self._submit_waiting()
            busy = self._waiting or self.strays or bool(self.in_flight)
            if not busy and self._rested():
                return "nothing left"
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

    def _rested(self) -> bool:
        """Go to rest, then look once more: whoever came in between saw the heartbeat."""
        self.heartbeat.rest()
        return not self.slots.held() and not self.scheduler.waiting()

    def _look(self) -> None:
        """Look at every slot."""
        self.strays = False
        self._guarded("slots", self._visit_all)
        self._guarded("expired jobs", self.scheduler.end_expired)
        self._guarded("key", self._probe_key)
        now = self.clock.monotonic()
        self._look_at, self._submit_at = now + LOOK_WHEN_FULL, min(self._submit_at, now)

    def _submit_waiting(self) -> None:
        """Look at every queue and submit what there is room for."""
        waiting: list[bool] = []
        self._guarded("queues", lambda: waiting.extend(self._submit_all_waiting()))
        self._waiting = any(waiting)
        self.in_flight.line_up()
        models = map(self.catalogue.get, self.catalogue.names())
        room = any(model is not None and self.in_flight.room(model) > 0 for model in models)
        now, waits = self.clock.monotonic(), self.scheduler.waits.values()
        self._submit_at = min([now + (LOOK_AT_QUEUES if room else LOOK_WHEN_FULL), *waits])
        look = min(LOOK_AT_SLOTS, max(LOOK_AT_QUEUES, self.in_flight.quickest()))
        self._look_at = min(self._look_at, now + (look if room else LOOK_WHEN_FULL))
        self.gauges.tell(inflight.slot.model for inflight in self.in_flight)

    def _visit_due(self) -> None:
        """Between two looks: only what was to be asked by now."""
        for inflight in self.in_flight:
            self._guarded(inflight.slot.job, partial(self._ask, inflight))
        self.in_flight.line_up()

    def _visit_all(self) -> None:
        held = self.slots.held()
        self.in_flight.keep_only(held)
        for one in held:
            self._guarded(one.slot.job, partial(self._visit, one))

    def _submit_all_waiting(self) -> list[bool]:
        if not self._waiting and not self.scheduler.waiting():
            self.gauges.nothing_queued()
            return []
        waiting: list[bool] = []
        for name in self.catalogue.names():
            self._guarded(name, partial(self._submit_one_queue, name, waiting))
        return waiting

    def _submit_one_queue(self, name: str, waiting: list[bool]) -> None:
        waiting.append(self.scheduler.submit_waiting(name))

    def _guarded(self, what: str, step: Callable[[], None]) -> None:
        """One job's trouble must not stop the others, nor must it look like death.

        Whatever went wrong, something is left to do: the next round finds out.
        """
        try:
            self.heartbeat.beat()
            step()
        except (ServiceError, StoreError) as error:
            self.strays = True
            log.warning("%s: %s", what, error, extra=about("round.trouble", step=what))
        except Exception:
            self.strays = True
            log.exception(
                "%s: unexpected trouble; the others go on",
                what,
                extra=about("round.failed", step=what),
            )

    def _visit(self, held: HeldSlot) -> None:
        inflight = self.in_flight.get(held.slot) or self._found(held)
        if inflight is not None:
            self._ask(inflight)

    def _ask(self, inflight: InFlight) -> None:
        if self.clock.monotonic() < inflight.ask_at:
            return
        try:
            if inflight.last.state in (PENDING, RUNNING):
                self._collect(inflight)
            else:
                self._resolve(inflight)
            inflight.failures = 0
        except ServiceError as error:
            self._not_answered(inflight, error)

    def _not_answered(self, inflight: InFlight, error: ServiceError) -> None:
        """The service could not be asked: ask later, later each time; it may be the key."""
        rule = self.errors.classify(error.code, error.message, error.http)
        log.warning(
            "job %s: the service could not be asked: %s",
            inflight.slot.job,
            error,
            extra=about("service.unanswered", inflight.last, **trouble(error, rule)),
        )
        inflight.failures += 1
        wait = min(LONGEST_SILENCE, 2.0 ** min(inflight.failures, 10))
        inflight.ask_at = self.clock.monotonic() + wait * (0.5 + self.rng.random() / 2)
        if rule.breaker == "key" and self.states.get(KEY).paused_for(self.clock.now()) <= 0:
            self.states.pause(KEY, error, rule)

    def _found(self, held: HeldSlot) -> InFlight | None:
        """A slot this run has not seen: its job's chain says what it is."""
        known = self.records.get(held.slot.job, held.slot.seq)
        if known is None:
            self._orphan(held)
            return None
        last = self.records.last_from(known)
        if not holds(last, held.slot):
            self.transitions.clean_up(held.slot, last)
            return None
        return self.in_flight.track(held, last)

    def _orphan(self, held: HeldSlot) -> None:
        """A slot whose attempt never began: void the attempt by its record, then free it."""
        slot = held.slot
        if self.clock.now() - held.since < ORPHAN_AGE:
            self.strays = True
            return
        last = self.records.last(slot.job)
        began = last is not None and (last.seq, last.state) != (slot.seq - 1, QUEUED)
        if last is None or began or self.records.append(slot.job, slot.seq, QUEUED, carried(last)):
            self.requeue.clean_up_if_over(slot)

    def _collect(self, inflight: InFlight) -> None:
        self.in_flight.ask_later(inflight, self.scheduler.is_crowded(inflight.slot.model))
        task = self.collection.ask(inflight.last)
        known = KnownInFlight(inflight.first, self.in_flight.is_expected(inflight))
        if task.status in OVER and not inflight.finished_remotely:
            known = replace(known, ended_ago=self.in_flight.finish_remotely(inflight))
            self._refill(inflight.slot.model)
        inflight.open_at = self.clock.monotonic()
        self._moved(inflight, self.collection.take(inflight.last, task, known))
        if inflight.finished_remotely:
            self._submit_at = self.clock.monotonic()

    def _refill(self, name: str) -> None:
        """Before anything is fetched, where nothing waits at the service: there it stands idle."""
        model = self.catalogue.get(name)
        if model is not None and self.in_flight.is_idle_between(model):
            self._guarded(name, partial(self.scheduler.refill, model))

    def _resolve(self, inflight: InFlight) -> None:
        """An attempt whose outcome is open: its submitter may have written it down meanwhile."""
        inflight.ask_at = self.clock.monotonic() + RECHECK
        now = self.records.last_from(inflight.last)
        if now.state == SUBMITTING and holds(now, inflight.slot):
            inflight.last = now
            self._moved(inflight, self.reconciliation.resolve(now))
        else:
            self._moved(inflight, None)

    def _moved(self, inflight: InFlight, now: Record | None) -> None:
        """Keep following, or let go of a flight that has landed; None: somebody else moved it."""
        elsewhere = now is None
        inflight.last = now or self.records.last_from(inflight.last)
        if holds(inflight.last, inflight.slot):
            return
        if elsewhere:
            self.transitions.clean_up(inflight.slot, inflight.last)
        self.in_flight.drop(inflight)

    def _probe_key(self) -> None:
        """Once the pause of a refused key is over, ask something that costs nothing."""
        state, now = self.states.get(KEY), self.clock.now()
        if state.pause is None or state.paused_for(now) > 0:
            return
        try:
            self.model_studio.listed(self.catalogue.names()[0], now - 1, now)
        except ServiceError as error:
            rule = self.errors.classify(error.code, error.message, error.http)
            self.states.pause(KEY, error, rule)
        else:
            self.states.resume(KEY)

    def _pause(self) -> float:
        """Seconds until something is expected."""
        question, now = self.in_flight.next_question(), self.clock.monotonic()
        if question is not None:
            look = min(self._look_at, self._submit_at) - now
            return max(SHORTEST_SLEEP, min(question, look, LONGEST_SLEEP))
        if self.strays or not self.scheduler.waits:
            return QUIET_SLEEP
        wait = min(self.scheduler.waits.values()) - now
        return wait if wait > FAR_AWAY else max(QUIET_SLEEP, min(wait, LONGEST_SLEEP))
