"""The pump: collect what is done, submit what waits, sleep to the next expected moment.

A timer fires once a minute at best; one round a tick would leave an account's only slot idle for
most of it. So a run goes on until nothing is left or its deadline is near, and hands over to the
next run without a gap.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from shared.catalogue.models import Catalogue
from shared.jobs.collect import Collection, KnownInFlight
from shared.jobs.errors import classified, log_fields
from shared.jobs.reconcile import Reconciliation
from shared.jobs.transitions import Transitions
from shared.ledger.breaker import KEY
from shared.ledger.lease import POLLER
from shared.ledger.ledger import Ledger
from shared.ledger.record import PENDING, QUEUED, RUNNING, SUBMITTING, Record
from shared.ledger.slots import HeldSlot, Slot
from shared.modelstudio.client import ServiceError
from shared.platform.logs import about
from shared.poller.in_flight import InFlight, InFlightTasks
from shared.poller.schedule import Schedule
from shared.poller.scheduler import Scheduler
from shared.storage.objects import ObjectDamaged, ObjectForbidden, StoreError

OVER = frozenset({"SUCCEEDED", "FAILED", "CANCELED"})
"""States of a task that keeps nothing at the service busy (task management page)."""
SHORTEST_SLEEP = 0.02
LONGEST_SLEEP = 2.0
LOOK_AT_SLOTS = 60.0
"""Seconds between two looks at the slots. Only the holder of the lease claims slots; a person may
add one, or free one by canceling."""
QUIET_SLEEP = 0.5
"""Sleep while work remains but nothing is scheduled (e.g. orphan slots), in seconds."""
ORPHAN_AGE = 30.0
PASSING = 5.0
TROUBLE = 300.0
"""The longest pauses of a task that fails: for trouble that passes, and for what stays wrong."""
RECHECK = 3.0
LONGEST_RECHECK = 30.0
LONGEST_SILENCE = 30.0
FAR_AWAY = 45.0
"""If the next event is further off than this many seconds, exit; the timer restarts the poller."""

log = logging.getLogger(__name__)


@dataclass
class Poller:
    """One run of the pump. `strays`: slots were seen that no task could be found for."""

    ledger: Ledger
    catalogue: Catalogue
    scheduler: Scheduler
    collection: Collection
    reconciliation: Reconciliation
    transitions: Transitions
    strays: bool = False
    _waiting: bool = False
    _left: set[str] = field(default_factory=set)

    @property
    def in_flight(self) -> InFlightTasks:
        return self.scheduler.in_flight

    @property
    def schedule(self) -> Schedule:
        return self.scheduler.schedule

    def run(self, deadline: float) -> str:
        """Work until nothing is left or until `deadline` (monotonic seconds).

        Returns what ended the run, in words for the log. Raises StoreError if the store cannot
        be asked at the very beginning or end.
        """
        began, gauges = self.ledger.clock.monotonic(), self.scheduler.gauges
        try:
            outcome = self._run(deadline)
        finally:
            with suppress(StoreError):
                self.ledger.model_states.flush()
                self.ledger.lease.release()
        gauges.tell((inflight.slot.model for inflight in self.in_flight), last=True)
        seconds = round(self.ledger.clock.monotonic() - began, 3)
        extra = about("poll.ended", outcome=outcome, duration_s=seconds, rounds=gauges.rounds)
        log.info("poll: %s", outcome, extra=extra)
        return outcome

    def _run(self, deadline: float) -> str:
        clock = self.ledger.clock
        if not self.ledger.lease.take_when_free(deadline):
            return "another instance is at work"
        while self._holds_lease():
            self._round()
            busy = self._waiting or self.strays or self.in_flight or self.schedule.trouble
            if not busy and self._rested():
                return "nothing left"
            pause = self._pause()
            if pause > FAR_AWAY:
                if self._all_paused():
                    return "everything left is paused"
                continue
            if clock.monotonic() + pause >= deadline:
                self.ledger.lease.release()
                self.ledger.wake.now()
                return "handed over at the deadline"
            clock.sleep(pause)
        return "another poller took over"

    def _holds_lease(self) -> bool:
        """Renew the lease when it is time; while the store does not answer, wait for it."""
        lease = self.ledger.lease
        while not lease.is_lost():
            try:
                return lease.renew()
            except StoreError as error:
                facts = about("round.trouble", step="lease")
                log.warning("the lease cannot be renewed: %s", error, extra=facts)
            self.ledger.clock.sleep(LONGEST_SLEEP)
        return False

    def _round(self) -> None:
        if self.strays or self.schedule.slots_due:
            self._look()
        else:
            self._visit_due()
        self._guarded("expired jobs", self.scheduler.end_expired)
        if self.schedule.queues_due and self.in_flight.counted:
            self._submit_waiting()

    def _rested(self) -> bool:
        """Go to rest, then look once more: a job that came in between saw a live poller."""
        self.ledger.lease.release()
        if not self.ledger.slots.held() and not self.scheduler.waiting():
            return True
        self._go_on()
        return False

    def _go_on(self) -> None:
        """Take the lease back, if nobody else has, and look at everything."""
        self.ledger.lease.take(POLLER)
        self.in_flight.count_again()
        self.schedule.everything_now()

    def _all_paused(self) -> bool:
        """Go to rest although jobs wait, then look once more for one that need not wait."""
        self.ledger.lease.release()
        trouble = self.schedule.trouble
        held = {one.slot.key for one in self.ledger.slots.held()}
        left = {key for key in held if not trouble.holds(key)} | self.scheduler.unpaused()
        new, self._left = left - self._left, left
        if not new:
            return True
        self._go_on()
        return False

    def _look(self) -> None:
        """Look at every slot."""
        self.strays = False
        self._guarded("slots", self._visit_all)
        self._guarded("key", self._probe_key)
        self.schedule.slots_looked_at(LOOK_AT_SLOTS)

    def _submit_waiting(self) -> None:
        """Look at every queue and submit what there is room for."""
        flying = self.in_flight.slots()
        self._guarded("queues", self._submit_heads)
        self.in_flight.line_up()
        self.schedule.queues_looked_at(found=bool(self.in_flight.slots() - flying))
        self.scheduler.gauges.tell(inflight.slot.model for inflight in self.in_flight)

    def _visit_due(self) -> None:
        """Between two looks: only what was to be asked by now."""
        for name, together in self.in_flight.to_ask_together().items():
            self._ask_together(name, together)
        for inflight in self.in_flight:
            self._isolated(inflight.slot, partial(self._ask, inflight))
        self.in_flight.line_up()

    def _ask_together(self, model: str, together: list[InFlight]) -> None:
        """One listing says which of many tasks still run; the others are asked for one by one."""
        try:
            running = self.collection.model_studio.running(model)
        except ServiceError as error:
            facts = about("round.trouble", step=model)
            log.warning("%s: the running tasks cannot be listed: %s", model, error, extra=facts)
            return
        for inflight in together:
            if inflight.last.task_id in running:
                self.in_flight.seen_running(inflight)
            else:
                inflight.ask_at = self.ledger.clock.monotonic()

    def _visit_all(self) -> None:
        held = self.ledger.slots.held()
        self.in_flight.keep_only(held)
        for one in held:
            self._isolated(one.slot, partial(self._visit, one))

    def _submit_heads(self) -> None:
        heads = self.scheduler.heads()
        self._waiting = bool(heads)
        for name, markers in heads.items():
            model = self.catalogue.get(name)
            if model is not None:
                self._guarded(name, partial(self.scheduler.submit_waiting, model, markers))

    def _isolated(self, slot: Slot, step: Callable[[], None]) -> None:
        """A step of one task: what is wrong with it delays this task alone, longer each time."""
        trouble = self.schedule.trouble
        if trouble.holds(slot.key):
            return
        try:
            self._step(step)
        except (ObjectDamaged, ObjectForbidden) as error:
            self._say_trouble(slot, error, trouble.failed(slot.key, TROUBLE))
        except (ServiceError, StoreError) as error:
            self._say_trouble(slot, error, trouble.failed(slot.key, PASSING))
        except Exception:
            trouble.failed(slot.key, TROUBLE)
            log.exception(
                "job %s: unexpected trouble; the others go on",
                slot.job,
                extra=about("round.failed", step=slot.job),
            )
        else:
            trouble.succeeded(slot.key)

    def _say_trouble(self, slot: Slot, error: Exception, wait: float) -> None:
        log.warning(
            "job %s is left alone for %.0f s: %s",
            slot.job,
            wait,
            error,
            extra=about("round.trouble", step=slot.job),
        )

    def _guarded(self, what: str, step: Callable[[], None]) -> None:
        """Isolate failures of a step. After a failure something is left to do: the next round
        finds out."""
        try:
            self._step(step)
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

    def _step(self, step: Callable[[], None]) -> None:
        """Renew the lease before a step, so that a slow one is not taken for a dead poller; without
        it nothing is done any more."""
        if self.ledger.lease.renew():
            step()

    def _visit(self, held: HeldSlot) -> None:
        inflight = self.in_flight.get(held.slot) or self._found(held)
        if inflight is not None:
            self._ask(inflight)

    def _ask(self, inflight: InFlight) -> None:
        if self.ledger.clock.monotonic() < inflight.ask_at:
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
        rule = classified(self.collection.rules.errors, error)
        log.warning(
            "job %s: the service could not be asked: %s",
            inflight.slot.job,
            error,
            extra=about("service.unanswered", inflight.last, **log_fields(error, rule)),
        )
        inflight.failures += 1
        wait = min(LONGEST_SILENCE, 2.0 ** min(inflight.failures, 10))
        now, jitter = self.ledger.clock.monotonic(), 0.5 + self.ledger.rng.random() / 2
        inflight.ask_at = now + wait * jitter
        self.ledger.breakers.question_refused(inflight.slot.model, error, rule)

    def _found(self, held: HeldSlot) -> InFlight | None:
        """A slot this run has not seen: its job's chain says what it is."""
        slot, records = held.slot, self.ledger.records
        # As a rule the attempt's second record names its task, and is the last one.
        known = records.get(slot.job, slot.seq + 1) or records.get(slot.job, slot.seq)
        if known is None:
            self._orphan(held)
            return None
        last = records.last_from(known)
        if not last.holds(held.slot):
            self.transitions.clean_up(held.slot, last)
            self._forget(held.slot)
            return None
        return self.in_flight.track(held, last)

    def _forget(self, slot: Slot) -> None:
        """A slot was freed whose attempt is over: its job may be queued again."""
        self.in_flight.freed(slot)
        self.scheduler.forget(slot.job)
        self.schedule.queues_now()

    def _orphan(self, held: HeldSlot) -> None:
        """Free a slot whose attempt never began; first take the record number it would need."""
        slot, records = held.slot, self.ledger.records
        if self.ledger.clock.now() - held.since < ORPHAN_AGE:
            self.strays = True
            return
        last = records.last(slot.job)
        began = last is not None and (last.seq, last.state) != (slot.seq - 1, QUEUED)
        if last is None or began or records.append(last.following(QUEUED)):
            self.transitions.clean_up_if_over(slot)
            self._forget(slot)

    def _collect(self, inflight: InFlight) -> None:
        model = inflight.slot.model
        self.in_flight.ask_later(inflight, self.scheduler.is_crowded(model))
        inflight.asked_at = self.ledger.clock.monotonic()
        task = self.collection.ask(inflight.last)
        known = KnownInFlight(inflight.first, self.in_flight.is_expected(inflight))
        if task.status in OVER and not inflight.finished_remotely:
            known = replace(known, took=self.in_flight.finish_remotely(inflight))
            self._refill(model)
        elif task.status == "UNKNOWN":
            self.in_flight.not_known(inflight)
        inflight.open_at = self.ledger.clock.monotonic()
        self._moved(inflight, self.collection.take(inflight.last, task, known))
        if inflight.finished_remotely:
            self.schedule.queues_now()

    def _refill(self, name: str) -> None:
        """Submit the next job before fetching images, where the service is idle until then."""
        model = self.catalogue.get(name)
        if model is not None and self.in_flight.is_idle_between(model):
            self._guarded(name, partial(self.scheduler.refill, model))

    def _resolve(self, inflight: InFlight) -> None:
        """An attempt whose outcome is open: its submitter may have recorded it meanwhile."""
        monotonic = self.ledger.clock.monotonic()
        wait = max(RECHECK, min(LONGEST_RECHECK, (monotonic - inflight.claimed) / 8))
        inflight.ask_at = monotonic + wait
        now = self.ledger.records.last_from(inflight.last)
        if now.state == SUBMITTING and now.holds(inflight.slot):
            inflight.last = now
            self._moved(inflight, self.reconciliation.resolve(now))
        else:
            self._moved_elsewhere(inflight, now)

    def _moved(self, inflight: InFlight, now: Record | None) -> None:
        """Keep following a task, or forget one that is over; None: another instance moved it."""
        if now is None:
            self._moved_elsewhere(inflight, self.ledger.records.last_from(inflight.last))
            return
        inflight.last = now
        if not now.holds(inflight.slot):
            self.in_flight.drop(inflight)

    def _moved_elsewhere(self, inflight: InFlight, now: Record) -> None:
        inflight.last = now
        if not now.holds(inflight.slot):
            self.transitions.clean_up(inflight.slot, now)
            self.in_flight.drop(inflight)

    def _probe_key(self) -> None:
        """Once the pause of a refused key is over, ask something that costs nothing."""
        if not self.ledger.breakers.key_needs_probe():
            return
        try:
            self.collection.model_studio.probe(self.catalogue.names()[0])
        except ServiceError as error:
            rule = classified(self.collection.rules.errors, error)
            self.ledger.breakers.pause(KEY, error, rule)
        else:
            self.ledger.breakers.resume(KEY)

    def _pause(self) -> float:
        """Seconds until something is expected."""
        if self.schedule.expired_left:
            return SHORTEST_SLEEP
        question, wait = self.in_flight.next_question(), self.schedule.next_wait()
        if question is not None:
            return max(SHORTEST_SLEEP, min(question, self.schedule.next_look(), LONGEST_SLEEP))
        if self.strays or wait is None:
            return QUIET_SLEEP
        return wait if wait > FAR_AWAY else max(QUIET_SLEEP, min(wait, LONGEST_SLEEP))
