"""Attempts that are calls: a synchronous model answers on the connection of the request.

The answer is the only copy of its result URLs, so a record RUNNING holds it before anything is
fetched; whichever poller comes next fetches from that record. A call has no task, so one whose
answer is lost cannot be looked up: it is put before a person and never sent again, unless its job
asks for that. Nobody gives up a call while its sender may still hear the answer.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from shared.catalogue.models import Model
from shared.catalogue.rules import Rules
from shared.jobfile.spec import RESEND, JobSpec
from shared.jobs.billing import at_most, billed_before, images_left, is_affordable
from shared.jobs.errors import classified
from shared.jobs.manifest import Outcome
from shared.jobs.refusals import Refusals
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.permits import Permit
from shared.ledger.record import NEEDS_ATTENTION, QUEUED, RUNNING, Record
from shared.ledger.slots import Slot
from shared.ledger.wakeups import FROZEN
from shared.modelstudio.answers import RETENTION
from shared.modelstudio.calls import CallAnswered, CallOutcome, Calls
from shared.modelstudio.client import OutcomeUnknown, ServiceError
from shared.platform.clock import from_iso, iso
from shared.platform.logs import about
from shared.storage.objects import StoreError

STORING = 180.0
"""Seconds kept for an answer that comes at the last moment: its record, and its images."""
INSISTS = 100.0
"""Seconds for which a record of a call is tried to be written at least: nothing else knows what it
says. That of an answer is tried until the invocation ends."""
LONGEST_WAIT = 15.0
WORKED_ON = ("caller", "policy", "input_fetch")
"""Classes of refusals that only a service gives that takes the key and works for the account."""
STOPPED = "its sender stopped before the answer was recorded"

log = logging.getLogger(__name__)

R = TypeVar("R")


@dataclass
class CallAttempts:
    """Makes calls, and decides what became of those of others. `_open`: slots of the calls that
    this process waits for; `_ends`: when the invocation ends, by either clock."""

    ledger: Ledger
    rules: Rules
    calls: Calls
    transitions: Transitions
    refusals: Refusals
    _open: set[Slot] = field(default_factory=set, init=False)
    _ends: tuple[float, float] = field(default=(math.inf, math.inf), init=False)

    def end_in(self, seconds: float) -> None:
        """The invocation that makes the calls ends in so many seconds."""
        clock = self.ledger.clock
        self._ends = clock.monotonic() + seconds, clock.now() + seconds

    def time_left(self) -> float:
        """Seconds until the invocation ends; a frozen instance's clock may have stopped with it."""
        clock = self.ledger.clock
        return min(self._ends[0] - clock.monotonic(), self._ends[1] - clock.now())

    def have_time(self) -> bool:
        """Whether a call that is sent now can be answered, and its images stored."""
        return self.time_left() >= self.calls.timeout + STORING

    def send(
        self, model: Model, body: Mapping[str, Any], permit: Permit, intent: Record
    ) -> Record | None:
        """The one call of an attempt; its job's last record then, None if another instance has
        moved the job. Raises StoreError."""
        slot, clock = intent.slot, self.ledger.clock
        assert slot is not None
        self._open.add(slot)
        began, sent_at = clock.monotonic(), iso(clock.now())
        try:
            written = partial(self.ledger.lease.permits.written, permit)
            try:
                outcome = self.calls.call(model.endpoint, body, written)
            finally:
                self.ledger.lease.permits.give_back(permit)
            took = clock.monotonic() - began
            sent = replace(intent, submitted_at=sent_at)
            return self.insist(partial(self._ended, model, sent, outcome, took), self._patience())
        finally:
            self._open.discard(slot)

    def _patience(self) -> float:
        """Seconds for which the record of an answer is tried to be written."""
        left = self.time_left() - LONGEST_WAIT
        return max(INSISTS, left) if left < math.inf else INSISTS

    def insist(self, act: Callable[[], R], seconds: float = INSISTS) -> R:
        """Do what only this process can do, again and again while the store does not answer.

        Raises StoreError after `seconds`.
        """
        clock, wait = self.ledger.clock, 1.0
        end = clock.monotonic() + seconds
        while True:
            try:
                return act()
            except StoreError as error:
                if clock.monotonic() + wait >= end:
                    raise
                log.warning("%s", error, extra=about("round.trouble", step="call"))
            clock.sleep(wait)
            wait = min(LONGEST_WAIT, 2 * wait)

    def resolve(self, last: Record) -> Record | None:
        """Put a call whose sender has stopped before a person; the same record while it may still
        be answered. Only for the holder of the lease. Raises StoreError."""
        epoch, now = self.ledger.lease.epoch, self.ledger.clock.now()
        if epoch is None or last.slot in self._open:
            return last
        if last.epoch is None or last.epoch > epoch:
            # Its sender took over, or the lease's objects were lost and epochs began again.
            return self._lost(last, STOPPED) if now - from_iso(last.at) >= RETENTION else last
        if last.epoch < epoch and self._may_be_answered(last.epoch):
            return last
        return self._lost(last, STOPPED)

    def _may_be_answered(self, epoch: int) -> bool:
        """Whether the sender of a call of an epoch that is over says that it waits, or may hold the
        answer without reaching the store: it did not give the lease back, and has not been silent
        for twice as long as it takes to be followed."""
        if self.ledger.open_calls.may_be_answered(epoch):
            return True
        lease = self.ledger.lease
        return lease.silent_for(epoch) < 2 * lease.timing.dead_after

    def _ended(
        self, model: Model, sent: Record, outcome: CallOutcome, took: float
    ) -> Record | None:
        if isinstance(outcome, CallAnswered):
            return self._answered(sent, outcome.answer, took)
        if isinstance(outcome, OutcomeUnknown):
            return self._lost(sent, outcome.reason)
        if self._was_worked_on(outcome):
            self.ledger.breakers.accepted(model.name, from_iso(sent.submitted_at or sent.at))
        return self.refusals.refused(model, sent, outcome)

    def _was_worked_on(self, error: ServiceError) -> bool:
        """Whether the service did for the account what it could: as a task that is accepted does,
        that shows that nothing is wrong with key and bill. Too many requests (429) show nothing."""
        rule = classified(self.rules.errors, error)
        return 400 <= error.http < 429 and rule.breaker == "none" and rule.kind in WORKED_ON

    def _answered(self, sent: Record, answer: Mapping[str, Any], took: float) -> Record | None:
        """Write the answer down, before anything is fetched."""
        request_id = answer.get("request_id")
        draft = replace(
            sent.following(RUNNING),
            create_request_id=request_id if isinstance(request_id, str) else None,
            answer=answer,
        )
        made = self.ledger.records.append(draft) or self._met(draft)
        if made is None:
            facts = about("job.call_orphaned", sent, request_id=draft.create_request_id)
            log.error("job %s moved on while its call was answered", sent.job, extra=facts)
            return None
        facts = about("job.answered", made, request_id=draft.create_request_id)
        log.info("job %s: answered after %.1f s", made.job, took, extra=facts)
        self.ledger.queue.remove(sent)
        self.ledger.breakers.accepted(sent.model, from_iso(sent.submitted_at or sent.at))
        self.ledger.durations.called(sent.model, took)
        return made

    def _met(self, draft: Record) -> Record | None:
        """The record, if an earlier try wrote it although the store did not say so; or one after
        that with which another instance gave up the call: its sender could not say that it lives,
        and has heard the answer all the same."""
        found = self.ledger.records.get(draft.job, draft.seq)
        if found is None or (found.slot == draft.slot and found.answer == draft.answer):
            return found
        if found.state not in (NEEDS_ATTENTION, QUEUED):
            return None
        self.transitions.tell(found)
        made = self._goes_on(replace(draft, seq=draft.seq + 1))
        if made is not None:
            self.ledger.wake.because(FROZEN)
        return made

    def _goes_on(self, draft: Record) -> Record | None:
        """The record after the one that gave the call up; its first slot is free already."""
        slots = self.ledger.slots
        slot = slots.claim(draft.model, draft.job, draft.seq)
        made = self.ledger.records.append(draft.claimed(slot))
        if made is None:
            slots.free(slot)
            made = self.ledger.records.get(draft.job, draft.seq)
            if made is None or made.answer != draft.answer:  # else an earlier try wrote it
                return None
        if made.slot is not None:
            slots.hold(made.slot)
        return made

    def _lost(self, last: Record, reason: str) -> Record | None:
        spec = self.ledger.records.with_spec(last).spec
        images = images_left(self.rules.model(last.model), last, spec)
        why = self.rules.errors.ours("CallLost", reason=reason, images=images)
        log.warning(
            "job %s: the answer to its call is lost: %s",
            last.job,
            reason,
            extra=about("job.call_lost", last),
        )
        may_repeat = self._may_repeat(last, spec, images)
        last = self._charged(last, spec, images)
        if may_repeat:
            wait = self.rules.policy.pause(max(1, last.attempt), self.ledger.rng)
            return self.transitions.requeue(last, why, wait=wait)
        return self.transitions.finish(last, NEEDS_ATTENTION, Outcome(error=why))

    def _charged(self, last: Record, spec: JobSpec | None, images: int) -> Record:
        """The record with what the lost call may have been billed for."""
        model = self.rules.model(last.model)
        if model is None:
            return last
        lost = at_most(self.rules, model, spec, images).lost()
        billed = billed_before(self.rules, last).plus(lost)
        return replace(last, bill=billed, paid=billed.images)

    def _may_repeat(self, last: Record, spec: JobSpec | None, images: int) -> bool:
        """Whether a call may be made again whose images are paid for already, for all one knows."""
        model = self.rules.model(last.model)
        if spec is None or spec.on_unknown != RESEND or model is None:
            return False
        if max(1, last.attempt) >= self.rules.policy.attempts["after_backoff"]:
            return False
        both = at_most(self.rules, model, spec, images).times(2)
        return is_affordable(self.rules, model, billed_before(self.rules, last).plus(both))
