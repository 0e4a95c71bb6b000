"""Following the tasks in flight: finding them, asking for them, and what each answer leads to.

Whatever waits for an answer is a work beside the round; what it leads to is done in the round.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from shared.catalogue.errors import ErrorRule
from shared.jobs.collect import Collection, KnownInFlight
from shared.jobs.errors import classified, log_fields
from shared.jobs.reconcile import Reconciliation
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import PENDING, QUEUED, RUNNING, SUBMITTING, Record
from shared.ledger.slots import HeldSlot, Slot
from shared.modelstudio.client import ServiceError, Task
from shared.platform.concurrency import Lane, Outcome, Workers
from shared.platform.logs import about
from shared.poller.guard import Guard
from shared.poller.in_flight import InFlightTasks
from shared.poller.line import InFlight
from shared.poller.scheduler import Scheduler

OVER = frozenset({"SUCCEEDED", "FAILED", "CANCELED"})
"""States of a task that keeps nothing at the service busy (task management page)."""
ASKING, RESOLVING = Lane("ask"), Lane("resolve", 1)
"""Attempts are looked up one after the other: what one is found to have made is not another
one's. Images have a lane for each model: a slow host keeps neither questions nor others waiting."""
ORPHAN_AGE = 30.0
RECHECK = 3.0
LONGEST_RECHECK = 30.0
LONGEST_UNFETCHED = 300.0
SILENT = 6
"""Questions without an answer, in half a minute at least, after which a task's age decides: a
mishap of a moment must not end what is over and waits to be fetched."""
FETCHING = 150.0
"""Seconds that images may take to be stored; with less time the next poller fetches them."""

log = logging.getLogger(__name__)

R = TypeVar("R")


@dataclass
class Follower:
    """Brings the tasks in flight forward. `_reading`: slots whose records are being read."""

    ledger: Ledger
    scheduler: Scheduler
    collection: Collection
    reconciliation: Reconciliation
    transitions: Transitions
    workers: Workers
    guard: Guard
    _reading: set[str] = field(default_factory=set)

    @property
    def in_flight(self) -> InFlightTasks:
        return self.scheduler.in_flight

    def visit_all(self) -> None:
        """Look at every slot. Raises StoreError."""
        held = self.ledger.slots.held()
        self.in_flight.keep_only(held)
        for one in held:
            inflight = self.in_flight.get(one.slot)
            if inflight is not None:
                self._ask_apart(inflight)
            elif not self.in_flight.is_about_to_be(one.slot):
                self._read(one)

    def visit_due(self) -> None:
        """Only what was to be asked by now. Raises StoreError."""
        for name, together in self.in_flight.to_ask_together().items():
            self._ask_together(name, together)
        for inflight in self.in_flight:
            self._ask_apart(inflight)

    def _ask_apart(self, inflight: InFlight) -> None:
        self.guard.task(inflight.slot, partial(self._ask, inflight))

    def _ask_together(self, model: str, together: list[InFlight]) -> None:
        """One listing says which of many tasks still run; the others are asked for one by one."""
        if not self.guard.may_begin():
            return
        for inflight in together:
            inflight.working = True
        running = partial(self.collection.model_studio.running, model)
        self.workers.start(ASKING, running, partial(self._listed, model, together))

    def _listed(self, model: str, together: list[InFlight], listed: Outcome[set[str]]) -> None:
        running: set[str] = set()
        try:
            running = listed()
        except ServiceError as error:
            facts = about("round.trouble", step=model)
            log.warning("%s: the running tasks cannot be listed: %s", model, error, extra=facts)
        for inflight in together:
            inflight.working = False
            self.guard.task(inflight.slot, partial(self._heard, inflight, running))

    def _heard(self, inflight: InFlight, running: set[str]) -> None:
        if inflight.last.task_id in running:
            self.in_flight.seen_running(inflight)
        else:
            self.in_flight.not_seen(inflight)
        self._ask(inflight)

    def _ask(self, inflight: InFlight) -> None:
        is_due = inflight.is_due(self.ledger.clock.monotonic())
        if not is_due or inflight.working or self._is_in_trouble(inflight.slot):
            return
        if inflight.last.answer is not None:
            if self.guard.may_begin():
                self.fetch_answer(inflight)
        elif inflight.last.state in (PENDING, RUNNING):
            self.in_flight.ask_later(inflight, self.scheduler.is_crowded(inflight.slot.model))
            inflight.asked_at = self.ledger.clock.monotonic()
            ask = partial(self.collection.ask, inflight.last)
            self._start(ASKING, inflight, ask, self._answered)
        else:
            self._resolve(inflight)

    def _is_in_trouble(self, slot: Slot) -> bool:
        return self.guard.schedule.trouble.holds(slot.key)

    def _start(
        self,
        lane: Lane,
        inflight: InFlight,
        work: Callable[[], R],
        then: Callable[[InFlight, Outcome[R]], None],
    ) -> None:
        """Begin a work for a task; only one at a time."""
        if not self.guard.may_begin():
            return
        inflight.working = True
        in_its_turn = partial(self.guard.unless_closing, work)
        self.workers.start(lane, in_its_turn, partial(self._worked, inflight, then))

    def _worked(
        self,
        inflight: InFlight,
        then: Callable[[InFlight, Outcome[R]], None],
        outcome: Outcome[R],
    ) -> None:
        inflight.working = False
        self.guard.task(inflight.slot, lambda: then(inflight, outcome))

    def _answered(self, inflight: InFlight, answer: Outcome[Task]) -> None:
        try:
            task = answer()
        except ServiceError as error:
            self._not_answered(inflight, error)
            return
        self.in_flight.answered(inflight)
        known = KnownInFlight(inflight.first, self.in_flight.is_expected(inflight))
        if task.status in OVER and not inflight.finished_remotely:
            known = replace(known, took=self.in_flight.finish_remotely(inflight))
            self.scheduler.refill(inflight.slot.model)
        elif task.status == "UNKNOWN":
            self.in_flight.not_known(inflight)
        elif task.status not in OVER:
            self.in_flight.seen_open(inflight, task.status)
        inflight.open_at = self.ledger.clock.monotonic()
        take = partial(self.collection.take, inflight.last, task, known)
        lane = _images(inflight) if task.status in OVER else ASKING
        self._start(lane, inflight, take, self._taken)

    def fetch_answer(self, inflight: InFlight) -> None:
        """Fetch what a call was answered with. That needs no lease: a poller that has handed over
        fetches what its last calls bring, as long as there is time."""
        calls = self.reconciliation.submission.calls
        late = self.guard.schedule.closing and calls.time_left() < FETCHING
        if inflight.working or late:
            return
        inflight.working = True
        take = partial(self.collection.take_answer, inflight.last, inflight.first)
        then = partial(self._worked, inflight, self._taken)
        self.workers.start(_images(inflight), take, then)

    def _taken(self, inflight: InFlight, made: Outcome[Record | None]) -> None:
        before = inflight.last
        self._moved(inflight, made())
        if inflight.finished_remotely and inflight.last is before:
            self._not_fetched(inflight)
        self.guard.succeeded(inflight.slot)
        if inflight.last.state == QUEUED:
            self.guard.schedule.queues_now()

    def _not_fetched(self, inflight: InFlight) -> None:
        """Try again later, and later each time: what was refused is refused again as a rule."""
        inflight.unfetched += 1
        wait = min(LONGEST_UNFETCHED, 2.0 ** min(inflight.unfetched, 10))
        inflight.ask_at = max(inflight.ask_at, self.ledger.clock.monotonic() + wait)

    def _not_answered(self, inflight: InFlight, error: ServiceError) -> None:
        """No usable answer: ask later, later each time. It may be the key, or this task alone."""
        rule = classified(self.collection.rules.errors, error)
        log.warning(
            "job %s: the service could not be asked: %s",
            inflight.slot.job,
            error,
            extra=about("service.unanswered", inflight.last, **log_fields(error, rule)),
        )
        if not self.in_flight.not_answered(inflight, may_be_own=_may_be_of_task(error, rule)):
            self.ledger.breakers.question_refused(inflight.slot.model, error, rule)
        last = inflight.last
        if last.state in (PENDING, RUNNING) and inflight.failures >= SILENT:
            # As far as anybody knows it still is what its record says: after a day that is stuck.
            still = Task(last.task_id or "", last.state)
            take = partial(self.collection.take, last, still, KnownInFlight(inflight.first))
            self._start(ASKING, inflight, take, self._taken)

    def _read(self, held: HeldSlot) -> None:
        """A slot this run has not seen: its job's chain says what it is."""
        key = held.slot.key
        if key in self._reading or self._is_in_trouble(held.slot) or not self.guard.may_begin():
            return
        self._reading.add(key)
        work = partial(self._attempt, held.slot)
        self.workers.start(ASKING, work, partial(self._has_read, held))

    def _attempt(self, slot: Slot) -> Record | None:
        """The last record of a slot's job; None as long as the attempt has none."""
        records = self.ledger.records
        # As a rule the attempt's second record names its task, and is the last one.
        known = records.get(slot.job, slot.seq + 1) or records.get(slot.job, slot.seq)
        return None if known is None else records.last_from(known)

    def _has_read(self, held: HeldSlot, last: Outcome[Record | None]) -> None:
        self._reading.discard(held.slot.key)
        self.guard.task(held.slot, lambda: self._found(held, last()))

    def _found(self, held: HeldSlot, last: Record | None) -> None:
        if last is None:
            self._orphan(held)
        elif not last.holds(held.slot):
            self.transitions.clean_up(held.slot, last)
            self._forget(held.slot)
        else:
            self._ask(self.in_flight.track(held, last))
            return
        self.guard.succeeded(held.slot)

    def _forget(self, slot: Slot) -> None:
        """A slot was freed whose attempt is over: its job may be queued again."""
        self.in_flight.freed(slot)
        self.scheduler.sender.forget(slot.job)
        self.guard.schedule.queues_now()

    def _orphan(self, held: HeldSlot) -> None:
        """Free a slot whose attempt never began; first take the record number it would need."""
        slot, records = held.slot, self.ledger.records
        if self.ledger.clock.now() - held.since < ORPHAN_AGE:
            self.guard.schedule.look_again()
            return
        last = records.last(slot.job)
        began = last is not None and (last.seq, last.state) != (slot.seq - 1, QUEUED)
        if last is None or began or records.append(last.following(QUEUED)):
            self.transitions.clean_up_if_over(slot)
            self._forget(slot)

    def _resolve(self, inflight: InFlight) -> None:
        """An attempt whose outcome is open: its submitter may have recorded it meanwhile."""
        work = partial(self._look_up, inflight.slot, inflight.last)
        self._start(RESOLVING, inflight, work, self._looked_up)

    def _look_up(self, slot: Slot, last: Record) -> tuple[Record, Record | None]:
        """The job's last record, and what became of it."""
        now = self.ledger.records.last_from(last)
        if now.state == SUBMITTING and now.holds(slot):
            return now, self.reconciliation.resolve(now)
        return now, None

    def _looked_up(self, inflight: InFlight, found: Outcome[tuple[Record, Record | None]]) -> None:
        monotonic = self.ledger.clock.monotonic()
        wait = max(RECHECK, min(LONGEST_RECHECK, (monotonic - inflight.claimed) / 8))
        inflight.ask_at = monotonic + wait
        try:
            inflight.last, made = found()
        except ServiceError as error:
            self._not_answered(inflight, error)
            return
        inflight.failures = 0
        self._moved(inflight, made)
        self.guard.succeeded(inflight.slot)

    def _moved(self, inflight: InFlight, made: Record | None) -> None:
        """Keep following a task, or forget one that is over; None: another instance moved it."""
        inflight.last = made or self.ledger.records.last_from(inflight.last)
        inflight.finished_remotely |= inflight.last.answer is not None
        if not inflight.last.holds(inflight.slot):
            if made is None:
                self.transitions.clean_up(inflight.slot, inflight.last)
            self.in_flight.drop(inflight)


def _may_be_of_task(error: ServiceError, rule: ErrorRule) -> bool:
    """Whether a refusal may be about the very task that was asked for: one of key, bill or pace is
    not, nor is silence. What cannot be read says nothing, unless its status is that of a key."""
    if error.code == "Unreadable":
        return error.http != 401
    return error.http > 0 and rule.breaker not in ("key", "pause")


def _images(inflight: InFlight) -> Lane:
    return Lane(f"fetch {inflight.slot.model}")
