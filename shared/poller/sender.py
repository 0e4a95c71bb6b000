"""Sending the jobs at the head of a queue: several at once, in their order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeGuard

from shared.catalogue.models import SYNC, Model
from shared.jobs.submit import RetryLater, Submission
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.permits import Permit
from shared.ledger.queue import marker_of
from shared.ledger.record import QUEUED, REJECTED, SUBMITTING, Record
from shared.ledger.slots import HeldSlot, Slot
from shared.ledger.wakeups import BREAKER, NOT_BEFORE
from shared.platform.clock import from_iso
from shared.platform.concurrency import Lane, Outcome, Workers
from shared.poller.guard import Guard
from shared.poller.in_flight import InFlightTasks
from shared.poller.line import InFlight
from shared.storage.layout import (
    job_of_marker,
    model_of_marker,
    priority_of_marker,
    queued_ms_of_marker,
)
from shared.storage.objects import ObjectDamaged, ObjectForbidden

SENDING = Lane("send")
PATIENCE = 2.0
"""Seconds before its permit at which a job is read and its slot claimed."""


class Tried(NamedTuple):
    """The last record of a job, and what came of submitting it; None if it was not queued."""

    last: Record | None
    outcome: Record | RetryLater | None


class Ready(NamedTuple):
    """What was done for a job before there was room for it: its last record was read, and its slot
    claimed, which is only done once it is read."""

    last: Record | None
    slot: Slot | None


@dataclass
class Sender:
    """Submits jobs beside the round. `_line`: the markers that are tried next, by model; `_more`:
    whether more wait behind these; `_read`: records that were read ahead; `_moved`: jobs whose
    first record is not their last one; `_promised`: markers whose jobs had no record yet.
    `answered` is told of each call that was answered; `_calling`: the permits of open calls;
    `too_late`: there is a job to be called for whose answer this invocation has no time left."""

    ledger: Ledger
    submission: Submission
    transitions: Transitions
    in_flight: InFlightTasks
    workers: Workers
    guard: Guard
    _line: dict[str, deque[str]] = field(default_factory=dict)
    _more: dict[str, bool] = field(default_factory=dict)
    _read: dict[str, Record] = field(default_factory=dict)
    _moved: set[str] = field(default_factory=set)
    _promised: set[str] = field(default_factory=set)
    answered: Callable[[InFlight], object] = field(default=bool, init=False)
    _calling: dict[str, Permit] = field(default_factory=dict, init=False)
    too_late: bool = field(default=False, init=False)

    @property
    def calling(self) -> Lane:
        """Where calls wait for their answers: each has its own place from the beginning."""
        return Lane("call", self.ledger.most_calls)

    def is_writing(self) -> bool:
        """Whether a call is about to be sent, or is not written completely: who has the lease next
        would not know of its permit."""
        return any(permit.back_at == math.inf for permit in self._calling.values())

    def send(self, model: Model, markers: list[str], most: int) -> None:
        """Submit the first `most` of these next, as far as there is room. Raises StoreError."""
        self._line[model.name] = deque(markers[:most])
        self._more[model.name] = len(markers) > most
        self._go_on(model)

    def must_wait(self, marker: str) -> bool:
        """Whether it is known that the job behind a marker cannot be sent now."""
        last = self._read.get(marker)
        until = last.not_before if last is not None else None
        waits = until is not None and from_iso(until) > self.ledger.clock.now()
        return waits or marker in self._promised

    def next_of(self, name: str) -> str | None:
        """The marker of the job that is known to be next."""
        flying, line = self.in_flight.jobs(name), self._line.get(name, ())
        return next((one for one in line if job_of_marker(one) not in flying), None)

    def in_turn(self, name: str) -> list[str]:
        """Of the models that share room with this one (its pool, or all that are called) those of
        which a job is known to be next, in the order of these."""
        called = self.in_flight.catalogue.called()
        mates = called if name in called else self.in_flight.catalogue.mates(name)
        heads = {mate: self.next_of(mate) for mate in mates}
        known = {mate: head for mate, head in heads.items() if head is not None}
        return sorted(known, key=lambda mate: _place(known[mate]))

    def forget_lines(self) -> None:
        """The queues are being looked at again."""
        self._line.clear()

    def go_on(self, name: str) -> None:
        """Submit what is left of a model's line."""
        model = self.in_flight.catalogue.get(name)
        if model is not None:
            self.guard.part(name, partial(self._go_on, model))

    def forget(self, job: str) -> None:
        """What was read of a job is out of date."""
        self._read = {key: one for key, one in self._read.items() if one.job != job}
        self._moved.add(job)

    def get_ready(self, model: Model, markers: Iterable[str]) -> None:
        """Read the first of these jobs ahead, for the moment in which a slot becomes free; where
        the model is idle until then, claim its slot as well. Raises StoreError."""
        flying, trouble = self.in_flight.jobs(model.name), self.guard.schedule.trouble
        others = (one for one in markers if job_of_marker(one) not in flying)
        ready = (one for one in others if not self.must_wait(one))
        marker = next((one for one in ready if not trouble.holds(job_of_marker(one))), None)
        last = (self._read.get(marker) or self._readable(marker)) if marker else None
        if marker is None or not _waits(last, marker):
            return  # an attempt of it may be under way: what it is then is read in its turn
        self._read[marker] = last
        if self.must_wait(marker):
            return  # the next look passes over it
        ahead = self.in_flight.ahead
        for other in [one for one in ahead if one != marker and model_of_marker(one) == model.name]:
            self.ledger.slots.free(ahead.pop(other))
        if self.in_flight.waits_for_an_end(model) and marker not in ahead:
            ahead[marker] = self.ledger.slots.claim(model.name, last.job, last.seq + 1)

    def _ready_the_next(self, model: Model) -> None:
        if self.in_flight.waits_for_an_end(model):
            self.get_ready(model, self._line.get(model.name, ()))

    def give_back(self) -> None:
        """Free the slots that were claimed ahead. Raises StoreError."""
        while self.in_flight.ahead:
            self.ledger.slots.free(self.in_flight.ahead.popitem()[1])

    def _go_on(self, model: Model) -> None:
        line, schedule = self._line.get(model.name), self.guard.schedule
        if model.mode == SYNC and not self.submission.calls.have_time():
            self.too_late = self.too_late or bool(line)
            return  # the next poller calls
        while line and self.in_flight.room(model) > 0 and self.guard.may_begin():
            soon = self.submission.next_permit(model)
            if soon > PATIENCE:
                if soon < math.inf:  # otherwise a job that is being sent goes on with the line
                    schedule.permit_in(model.name, soon - PATIENCE)
                return
            job = job_of_marker(line[0])
            if self.in_flight.sending.get(job, line[0]) != line[0]:
                return  # it has two markers, of which one is stale: wait for what that one shows
            if job in self.in_flight.jobs(model.name) or schedule.trouble.holds(job):
                line.popleft()
            else:
                self._start(model, line.popleft())

    def _start(self, model: Model, marker: str) -> None:
        ready, permit = self._ready(marker), self.submission.line_up(model)
        self.in_flight.sending[job_of_marker(marker)] = marker
        lane = SENDING
        if model.mode == SYNC:
            lane, self._calling[job_of_marker(marker)] = self.calling, permit
        work = partial(self._try, marker, ready, permit)
        self.workers.start(lane, work, partial(self._tried, model, marker, permit))

    def _ready(self, marker: str) -> Ready:
        self._promised.discard(marker)
        last, slot = self._read.pop(marker, None), self.in_flight.ahead.pop(marker, None)
        if slot is None or (_waits(last, marker) and last.seq + 1 == slot.seq):
            return Ready(last, slot)
        self.ledger.slots.free(slot)  # its job has moved on
        return Ready(last, None)

    def _try(self, marker: str, ready: Ready, permit: Permit) -> Tried:
        """Submit a job. If it has to wait, or failed for once, those behind it wait too."""
        try:
            tried = self._submit(marker, ready, permit)
        except (ObjectDamaged, ObjectForbidden):
            raise
        except Exception:
            self.ledger.lease.permits.stop_line(permit)
            raise
        if _keeps_others_waiting(tried.outcome):
            self.ledger.lease.permits.stop_line(permit)
        return tried

    def _submit(self, marker: str, ready: Ready, permit: Permit) -> Tried:
        """Submit a job. Where it has moved on since it was read, once more from its last record."""
        last, slot = ready.last or self._current(marker), ready.slot
        for _ in range(2):
            if not _waits(last, marker):
                break
            outcome = self.submission.submit(last, permit=permit, claimed=slot)
            if outcome is not None:
                return Tried(last, outcome)
            last, slot = self.ledger.records.last(last.job), None
        return Tried(last, None)

    def _tried(self, model: Model, marker: str, permit: Permit, tried: Outcome[Tried]) -> None:
        job = job_of_marker(marker)
        self.in_flight.sending.pop(job, None)
        self._calling.pop(job, None)
        self.ledger.lease.permits.give_back(permit)
        step = partial(self.guard.job, job, partial(self._sent, model, marker, tried))
        self.guard.outcome(model.name, step)
        if not self.guard.schedule.closing:
            for name in self.in_turn(model.name) if model.mode == SYNC else [model.name]:
                self.go_on(name)
            self.guard.part(model.name, partial(self._ready_the_next, model))

    def _sent(self, model: Model, marker: str, tried: Outcome[Tried]) -> None:
        """What became of a job that was tried. Raises what the attempt raised."""
        try:
            last, outcome = tried()
        except (ObjectDamaged, ObjectForbidden):
            raise  # nothing was claimed yet
        except Exception:
            self._line.pop(model.name, None)
            self.in_flight.count_again()  # it may have claimed a slot
            raise
        if isinstance(outcome, RetryLater):
            self.in_flight.holds_none(job_of_marker(marker))
            if last is not None and not outcome.model_wide:
                self._read[marker] = last  # until then no look has to read it again
            if outcome.model_wide:
                self._line.pop(model.name, None)
            self._wait_for(model, outcome)
        elif outcome is not None:
            self._track(last, outcome)
        elif (last is None or last.state != SUBMITTING) and not _waits(last, marker):
            self._leftover(marker, last)

    def _wait_for(self, model: Model, outcome: RetryLater) -> None:
        """A model waits for what a job has to wait for, unless one behind may be ready."""
        if outcome.model_wide:
            self.guard.schedule.wait(model.name, outcome.seconds, BREAKER)
        elif self._more.get(model.name):
            if not self._line.get(model.name):
                self.guard.schedule.queues_now()
        else:
            self.guard.schedule.wait(model.name, outcome.seconds, NOT_BEFORE)

    def _track(self, last: Record | None, made: Record) -> None:
        slot = made.slot
        if slot is not None and made.holds(slot):
            held = HeldSlot(slot, self.ledger.clock.now())
            inflight = self.in_flight.track(held, made, sent_now=True)
            inflight.first = last if last is not None and last.seq == last.spec_seq else None
            if made.answer is not None:
                self.answered(inflight)
        else:
            self.in_flight.holds_none(made.job)
        if made.state == QUEUED:
            self._wait(made)

    def _wait(self, queued: Record) -> None:
        """A job goes back into its queue: its model is due when the pause ends that the refusal
        began, for the jobs behind it, and in the job's turn. Until a look at the queue shows that,
        another model may be all the poller waits for."""
        wait, at = self.guard.schedule.wait, queued.not_before
        paused = self.ledger.breakers.paused_for(queued.model)
        if at is None or paused > 0:
            wait(queued.model, paused, BREAKER)
        if at is not None:
            wait(queued.model, max(0.0, from_iso(at) - self.ledger.clock.now()), NOT_BEFORE)

    def _leftover(self, marker: str, last: Record | None) -> None:
        """Remove a stale marker; do before what the finisher left undone if it crashed."""
        if last is not None:
            self.transitions.tell_all(last)
        may_come = last is None or last.state == REJECTED  # the record that was promised
        if may_come and self.ledger.queue.is_promise(marker):
            self._promised.add(marker)
        self.ledger.queue.drop(marker, kept=not may_come)

    def _readable(self, marker: str) -> Record | None:
        try:
            return self._current(marker)
        except ObjectDamaged:
            return None  # that is said when it is the job's turn

    def _current(self, marker: str) -> Record | None:
        """The last record of the job behind a marker. As a rule that is the first one: it is
        believed without looking for a second, because the next record's number decides."""
        job, records = job_of_marker(marker), self.ledger.records
        first = None if job in self._moved else records.get(job, 1)
        return first if _waits(first, marker) else records.last(job)


def _keeps_others_waiting(outcome: Record | RetryLater | None) -> bool:
    """Whether a job was not sent and is still the next one of its model."""
    if isinstance(outcome, RetryLater):
        return outcome.model_wide
    return outcome is not None and outcome.state == QUEUED and outcome.not_before is None


def _waits(last: Record | None, marker: str) -> TypeGuard[Record]:
    """Whether a job is queued, under this marker."""
    return last is not None and last.state == QUEUED and marker_of(last) == marker


def _place(marker: str) -> tuple[int, int]:
    """The order in which jobs of several models are served."""
    return priority_of_marker(marker), queued_ms_of_marker(marker)
