"""The pump: collect what is done, submit what waits, sleep to the next expected moment.

A timer fires once a minute at best; one round a tick would leave an account's only slot idle for
most of it. So a run goes on until nothing is left or its deadline is near, and hands over to the
next run without a gap.
"""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from shared.jobs.errors import classified
from shared.ledger.breaker import KEY
from shared.ledger.lease import POLLER
from shared.ledger.ledger import Ledger
from shared.ledger.wakeups import ANNOUNCED, DEADLINE, FROZEN, OTHER_CODE
from shared.modelstudio.client import ServiceError
from shared.platform.concurrency import Workers
from shared.platform.fc.events import Event, TimerEvent, WakeUpEvent
from shared.platform.logs import about
from shared.poller.alarm import Alarm
from shared.poller.courier import Courier
from shared.poller.follower import ASKING, RESOLVING, Follower
from shared.poller.guard import Guard
from shared.poller.in_flight import InFlightTasks
from shared.poller.schedule import Schedule
from shared.poller.scheduler import Scheduler
from shared.poller.sender import SENDING
from shared.storage.objects import StoreError

SHORTEST_SLEEP = 0.02
LONGEST_SLEEP = 2.0
LOOK_AT_SLOTS = 120.0
"""Seconds between two looks at the slots. Only the holder of the lease claims slots; a person may
add one, or free one by canceling."""
QUIET_SLEEP = 0.5
"""Sleep while work remains but nothing is scheduled (e.g. orphan slots), in seconds."""
BEFORE_RELEASE = (SENDING, ASKING, RESOLVING)
"""What only the holder of the lease does. The next one need not wait for images."""
LONG_WINDOW = 90.0
"""A permit that returns within this many seconds is waited for: with a documented limit of some
submissions a minute, a tick of the timer could come a whole window late."""
FAR_AWAY = 45.0
"""If the next event is further off than this many seconds, exit; the timer, or a call that the
poller arms before, restarts it."""
AWAKE = 15.0
"""Seconds between two rounds of a poller that stays awake though what is left is far away: the
lease is renewed in time."""
PATIENCE = 30.0
"""Seconds that a run lasts before it makes room for other code the second time in a row, twice as
many before the third, and so on: poll may be deployed later than other functions, or never."""
HANDED_OVER = {
    DEADLINE: "handed over at the deadline",
    OTHER_CODE: "made room for other code",
}

log = logging.getLogger(__name__)


@dataclass
class Poller:
    """One run of the pump."""

    ledger: Ledger
    scheduler: Scheduler
    follower: Follower
    workers: Workers
    guard: Guard
    alarm: Alarm
    courier: Courier
    _waiting: bool = False
    _left: set[str] = field(default_factory=set)
    _deployed: str | None = None

    @property
    def in_flight(self) -> InFlightTasks:
        return self.scheduler.in_flight

    @property
    def schedule(self) -> Schedule:
        return self.guard.schedule

    def run(self, deadline: float, event: Event | None = None, ends: float = math.inf) -> str:
        """Work until nothing is left or until `deadline` (monotonic seconds), and then wait for the
        answers to calls that are open, while the next poller sends.

        `event`: what started the run; `ends`: when its invocation ends (monotonic).
        Returns what ended the run, in words for the log. Raises StoreError if the store cannot
        be asked at the very beginning or end.
        """
        began, gauges = self.ledger.clock.monotonic(), self.scheduler.gauges
        self.schedule.closing = False
        self.scheduler.submission.calls.end_in(ends - began)
        self.alarm.came = event if isinstance(event, WakeUpEvent) else None
        self.alarm.is_net = isinstance(event, TimerEvent)
        try:
            outcome = self._run(deadline)
        finally:
            with suppress(StoreError):
                self._hand_over()
            self._drain()
            with suppress(StoreError):
                self._pass_on_news()
        gauges.tell(self.in_flight.models(), last=True)
        seconds = round(self.ledger.clock.monotonic() - began, 3)
        extra = about("poll.ended", outcome=outcome, duration_s=seconds, rounds=gauges.rounds)
        log.info("poll: %s", outcome, extra=extra)
        return outcome

    def _run(self, deadline: float) -> str:
        clock = self.ledger.clock
        if not self._takes_lease(deadline):
            return "another instance is at work"
        began, sender = clock.monotonic(), self.scheduler.sender
        had_time = sender.submission.calls.have_time()
        self.alarm.began()
        while self._holds_lease():
            self._round()
            if self._nothing_left() and self._rested():
                return "nothing left"
            pause, too_late = self._pause(), sender.too_late and had_time
            if pause > FAR_AWAY and (too_late or not self._may_rest()):
                pause = AWAKE
            elif pause > FAR_AWAY:
                if self._all_paused():
                    return "everything left is paused"
                continue
            is_over = too_late or clock.monotonic() + pause >= deadline
            why = DEADLINE if is_over else self._other_code(began)
            if why:
                self._hand_over()
                self.ledger.wake.because(why)
                return HANDED_OVER[why]
            self.workers.wait(pause)
        self._step_back()
        return "another poller took over"

    def _step_back(self) -> None:
        """Another poller may have taken the lease; if nobody has, somebody has to go on."""
        self._hand_over()
        self.ledger.wake.because(FROZEN)

    def _pass_on_news(self) -> None:
        """What ended after the lease was given back may have receivers, which the next poller has
        to tell; if none lives, one has to begin. Raises StoreError."""
        if self.ledger.webhooks.keys and self.ledger.outbox.news:
            self.ledger.wake.because(ANNOUNCED)

    def _other_code(self, began: float) -> str:
        """OTHER_CODE if other code is deployed, and it is time to make room for it; or nothing.

        The first time that is at once. While it brings no run of that code, later each time; what
        is deployed during the run is a first time again, however often it was done for other code.
        """
        seen, lease = self.ledger.queue.deployed, self.ledger.lease
        before, self._deployed = self._deployed, seen.etag if seen else ""
        if before not in (None, self._deployed):
            lease.made_room = 0
        if not self.ledger.deployed.is_other(seen):
            lease.made_room = 0 if seen else lease.made_room
            return ""
        patience = PATIENCE * 2.0 ** min(lease.made_room - 1, 10) if lease.made_room > 0 else 0.0
        if self.ledger.clock.monotonic() - began < patience:
            return ""
        lease.made_room += 1
        return OTHER_CODE

    def _takes_lease(self, deadline: float) -> bool:
        """Take the lease. A run that was called waits until its moment is past, whoever holds it:
        the holder may rest because it counts on this call."""
        lease, clock = self.ledger.lease, self.ledger.clock
        patient = not self.alarm.has_minute_timer()
        while not lease.take_when_free(deadline, patient=patient):
            is_too_late = clock.monotonic() + AWAKE >= deadline
            if is_too_late and patient:  # no timer looks again whether the holder lives
                self.ledger.wake.because(DEADLINE)
            if is_too_late or not self.alarm.is_counted_on():
                return False
            clock.sleep(AWAKE)
        return True

    def _may_rest(self) -> bool:
        """Whether something wakes the poller when what is left is due. Where the store does not
        say, it stays awake."""
        try:
            return self.alarm.arm(FAR_AWAY)
        except StoreError as error:
            log.warning("what expires next: %s", error, extra=about("round.trouble", step="alarm"))
            return False

    def _nothing_left(self) -> bool:
        some = self._waiting or self.schedule.strays or self.in_flight or self.workers.busy()
        return not some and not self.schedule.trouble and not self.courier.left

    def _hand_over(self) -> None:
        """Begin nothing new, see to the end what only the holder of the lease does, and give the
        lease back. Calls stay open, and that is said before. Raises StoreError."""
        self.schedule.closing = True
        self.ledger.lease.stop_sending()
        while self.workers.busy(*BEFORE_RELEASE) or self.scheduler.sender.is_writing():
            self._let_works_end()
        while self.workers.busy(self.scheduler.sender.calling) and not self._says_calls_are_open():
            self._let_works_end()
        self._release()

    def _drain(self) -> None:
        """Wait for all works, above all for calls; each has a time-out. The lease is another one's,
        and so is everything that is decided under it."""
        while self.workers.busy():
            if self.workers.busy(self.scheduler.sender.calling):
                self._says_calls_are_open()
            self._let_works_end()
        with suppress(StoreError):
            self.ledger.open_calls.end()
        with suppress(StoreError):
            self.ledger.model_states.flush()

    def _let_works_end(self) -> None:
        with suppress(StoreError):
            self.ledger.lease.renew()
        self.workers.wait(LONGEST_SLEEP)
        self.workers.settle()

    def _says_calls_are_open(self) -> bool:
        try:
            self.ledger.open_calls.announce(self.ledger.lease.number)
        except StoreError as error:
            facts = about("round.trouble", step="calls")
            log.warning("calls are open, which cannot be said: %s", error, extra=facts)
            return False
        return True

    def _release(self) -> None:
        """Give the lease back. What was learned is written before, for the next holder to read.
        Raises StoreError."""
        with suppress(StoreError):
            self.scheduler.sender.give_back()
        if self.ledger.lease.epoch is not None:
            with suppress(StoreError):
                self.ledger.model_states.flush()
        self.ledger.lease.release()

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
        self.workers.settle()
        if self.schedule.slots_due:
            self._look()
        else:
            self.guard.part("tasks", self.follower.visit_due)
        self.guard.part("expired jobs", self.scheduler.end_expired)
        for name in self.schedule.permitted():
            self.scheduler.sender.go_on(name)
        if self.schedule.queues_due and self.in_flight.counted:
            self._submit_waiting()
        self.guard.part("line", self.in_flight.line_up)
        self.guard.part("webhooks", self.courier.round)
        self.scheduler.gauges.tell(self.in_flight.models())

    def _rested(self) -> bool:
        """Go to rest, then look once more: a job that came in between saw a live poller."""
        unknown = self.scheduler.unknown
        if unknown and not self._may_rest():
            return False
        self._release()
        new = self.scheduler.waiting() or self.scheduler.unknown - unknown
        self.courier.ready()
        if not new and not self.ledger.slots.held() and not self.courier.left:
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
        self._release()
        trouble = self.schedule.trouble
        held = {one.slot.key for one in self.ledger.slots.held()}
        left = {key for key in held if not trouble.holds(key)} | self.scheduler.unpaused()
        left |= self.courier.ready()
        new, self._left = left - self._left, left
        if not new and not self.alarm.is_late():
            return True
        self._go_on()
        return False

    def _look(self) -> None:
        """Look at every slot."""
        self.schedule.strays = False
        self.schedule.slots_looked_at(LOOK_AT_SLOTS)
        self.guard.part("slots", self.follower.visit_all)
        self.guard.part("key", self._probe_key)

    def _submit_waiting(self) -> None:
        """Look at every queue and submit what there is room for."""
        flying = self.in_flight.slots()
        self.guard.part("queues", self._submit_heads)
        found = self.in_flight.sending or self.in_flight.slots() - flying
        self.schedule.queues_looked_at(found=bool(found))

    def _submit_heads(self) -> None:
        heads = self.scheduler.heads()
        self._waiting = bool(heads)
        refused_at = {name: self.ledger.model_states.known(name).doubted_at for name in heads}
        for name, markers in sorted(heads.items(), key=lambda one: refused_at[one[0]]):
            model = self.in_flight.catalogue.get(name)
            if model is not None:
                self.guard.part(name, partial(self.scheduler.submit_waiting, model, markers))

    def _probe_key(self) -> None:
        """Once the pause of a refused key is over, ask something that costs nothing."""
        collection = self.follower.collection
        if not self.ledger.breakers.key_needs_probe():
            return
        try:
            catalogue = self.in_flight.catalogue
            called = catalogue.called()
            collection.model_studio.probe(min(catalogue.names(), key=called.__contains__))
        except ServiceError as error:
            rule = classified(collection.rules.errors, error)
            self.ledger.breakers.pause(KEY, error, rule)
        else:
            self.ledger.breakers.key_works()

    def _pause(self) -> float:
        """Seconds until something is expected."""
        if self.schedule.expired_left:
            return SHORTEST_SLEEP
        question, wait = self.in_flight.next_question(), self.schedule.next_wait()
        if question is not None or self.workers.busy() or self.schedule.permit_within(LONG_WINDOW):
            due = LONGEST_SLEEP if question is None else question
            return max(SHORTEST_SLEEP, min(due, self.schedule.next_look(), LONGEST_SLEEP))
        if self.schedule.strays or wait is None:
            return QUIET_SLEEP
        return wait if wait > FAR_AWAY else max(QUIET_SLEEP, min(wait, LONGEST_SLEEP))
