"""Submitting one queued job: slot, record, POST, record, in that order.

Only the holder of the lease submits. Intent before effect: the record SUBMITTING is made before
the POST, so that a crash at any line leaves either a job that is still queued or an attempt whose
outcome is looked up, never a second POST. The POST follows its record at once or not at all, so the
store's date of the record says when the attempt was sent.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from shared.catalogue.models import SYNC, Model
from shared.catalogue.rules import Rules
from shared.catalogue.wire import wire_body
from shared.jobfile import JobSpec, request_body
from shared.jobs.calls import CallAttempts
from shared.jobs.input_urls import InputExpired, refuse_expired
from shared.jobs.manifest import Outcome
from shared.jobs.refusals import Refusals
from shared.jobs.transitions import Transitions
from shared.jobs.wanted import wanted
from shared.ledger.ledger import Ledger
from shared.ledger.permits import Permit
from shared.ledger.record import EXPIRED, PENDING, QUEUED, SUBMITTING, Record
from shared.ledger.slots import Slot
from shared.modelstudio.client import ModelStudio, OutcomeUnknown, TaskCreated
from shared.platform.clock import from_iso, iso
from shared.platform.logs import about
from shared.storage.objects import ObjectMissing, ObjectTooLarge, StoreError

SEND_WITHIN = 1.5
"""Seconds after its record within which a submission is sent."""
LEAD = 0.25
"""Seconds before its permit at which the record of a submission is written."""
LOOK = 0.1
"""Seconds between two looks at a permit that waits for the answers to other submissions."""
SHORTEST = 0.02
INTENTS = 3
"""How often an intent that came too late is replaced before the attempt is given up."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryLater:
    """Not submitted; worth asking again after `seconds` (0: when a slot is free).

    `model_wide`: the next job of the same model would fare no better.
    """

    seconds: float
    reason: str
    model_wide: bool = True


NOT_OURS = RetryLater(0.0, "this instance does not hold the lease")


@dataclass(frozen=True)
class Attempt:
    """One attempt under way: its slot, the request, and the permit to send it."""

    model: Model
    slot: Slot
    body: dict[str, Any]
    permit: Permit


@dataclass
class Submission:
    """Submits jobs. `input_urls` makes the URLs under which the service fetches input images;
    `calls`: how those of synchronous models are sent."""

    ledger: Ledger
    rules: Rules
    model_studio: ModelStudio
    transitions: Transitions
    input_urls: Callable[[JobSpec], dict[str, str]]
    calls: CallAttempts
    refusals: Refusals
    _unsent: set[Slot] = field(default_factory=set)

    def submit(
        self,
        last: Record,
        patience: float = math.inf,
        permit: Permit | None = None,
        claimed: Slot | None = None,
    ) -> Record | RetryLater | None:
        """Submit a QUEUED job whose model has room.

        Only for the holder of the lease, who has counted the model's slots. Whoever gives a permit
        gives it back; without one the job lines up, if its turn comes in `patience` seconds.
        `claimed`: a slot for it that exists already; it is used or freed.
        Returns the job's new last record, RetryLater, or None if another instance has the job.
        Raises StoreError.
        """
        if last.state != QUEUED:
            return self._without(claimed, None)
        model = self.rules.model(last.model)
        if model is None:
            no_model = RetryLater(60.0, f"the catalogue has no model {last.model}")
            return self._without(claimed, no_model)
        if permit is not None:
            return self._submit(last, model, permit, claimed)
        wait = self.next_permit(model)
        if wait > patience:
            return RetryLater(wait, "the rate of the model is used up")
        permit = self.line_up(model)
        try:
            return self._submit(last, model, permit, claimed)
        finally:
            self.ledger.lease.permits.give_back(permit)

    def _submit(
        self, last: Record, model: Model, permit: Permit, claimed: Slot | None
    ) -> Record | RetryLater | None:
        body = self._request(last, model)
        if not isinstance(body, dict):
            return self._without(claimed, body)
        slot = claimed or self.ledger.slots.claim(model.name, last.job, last.seq + 1)
        return self._with_slot(last, Attempt(model, slot, body, permit))

    def _without(
        self, claimed: Slot | None, outcome: Record | RetryLater | None
    ) -> Record | RetryLater | None:
        """Nothing is sent: a slot that was claimed for it is not needed."""
        if claimed is not None:
            self.ledger.slots.free(claimed)
        return outcome

    def _request(self, last: Record, model: Model) -> dict[str, Any] | Record | RetryLater | None:
        """The request's body; otherwise what `submit` returns, because nothing may be sent."""
        stopped = self.expire(last) or self._pause(last)
        if stopped is not None:
            return stopped
        try:
            body = self._body(last)
        except (ObjectMissing, ObjectTooLarge) as error:
            missing = self.rules.errors.ours("InputMissing", reason=error)
            return self.transitions.fail(last, missing)
        except InputExpired as error:
            return self.transitions.fail(last, self.rules.errors.ours("InputExpired", reason=error))
        return body if body is None or self._may_send(model) else NOT_OURS

    def _may_send(self, model: Model) -> bool:
        return self.ledger.lease.may_send() and (model.mode != SYNC or self.calls.have_time())

    def line_up(self, model: Model) -> Permit:
        """A permit for one submission, to be spent in its turn."""
        return self.ledger.lease.permits.line_up(model.name, model.limits)

    def next_permit(self, model: Model) -> float:
        """Seconds until another submission for the model may be sent."""
        return self.ledger.lease.permits.wait(model.name, model.limits)

    def expire(self, last: Record) -> Record | None:
        """End a queued job whose time is over; None if it is not. Raises StoreError."""
        until = last.expires_at
        if until is None or self.ledger.clock.now() < from_iso(until):
            return None
        error = self.rules.errors.ours("Expired", until=until)
        return self.transitions.finish(last, EXPIRED, Outcome(error=error))

    def accepted(
        self, last: Record, task_id: str, request_id: str, submitted_at: str
    ) -> Record | None:
        """Write down the task of an attempt; from here on the job is on its way."""
        draft = replace(
            last.following(PENDING),
            task_id=task_id,
            create_request_id=request_id,
            submitted_at=submitted_at,
        )
        made = self.ledger.records.append(draft)
        if made is None:
            log.error(
                "job %s moved on while task %s was made for it",
                last.job,
                task_id,
                extra=about("job.task_orphaned", last, task=task_id, request_id=request_id),
            )
            return None
        log.info(
            "job %s: submitted as task %s", last.job, task_id, extra=about("job.submitted", made)
        )
        self.ledger.outbox.announce(made)
        self.ledger.queue.remove(last)
        sent_at = from_iso(submitted_at)
        self.ledger.breakers.accepted(last.model, sent_at)
        self.ledger.durations.accepted(last.model, task_id, sent_at)
        return made

    def _pause(self, last: Record) -> RetryLater | None:
        """Whether the job or its model has to wait."""
        own = from_iso(last.not_before) - self.ledger.clock.now() if last.not_before else 0.0
        models = self.ledger.breakers.paused_for(last.model)
        if max(own, models) <= 0:
            return None
        return RetryLater(max(own, models), "the job or its model is paused", model_wide=models > 0)

    def _body(self, last: Record) -> dict[str, Any] | None:
        """The request's body, made before anything is recorded, because reading images can fail."""
        spec = self.ledger.records.with_spec(last).spec
        if spec is None:
            return None
        refuse_expired(spec, self.ledger.clock.now())
        body = request_body(spec, self.input_urls(spec))
        return for_missing(body, last.missing, wanted(self.rules.model(last.model), body).at)

    def _with_slot(self, last: Record, attempt: Attempt) -> Record | RetryLater | None:
        slot = attempt.slot
        in_time = self._comes_near(attempt.permit, LEAD, math.inf)
        pause = self._pause(last) if in_time else NOT_OURS
        if pause is not None:
            self.ledger.slots.free(slot)
            return pause
        draft = replace(
            last.following(SUBMITTING).claimed(slot),
            attempt=last.attempt + 1,
            epoch=self.ledger.lease.epoch,
            call=attempt.model.mode == SYNC,
            not_before=None,
        )
        # A record whose writing failed may exist all the same: it is then known not to be sent.
        self._unsent.add(slot)
        try:
            return self._intend(attempt, draft)
        except StoreError:
            if draft.call and slot in self._unsent:
                return self.calls.insist(partial(self._take_back, draft))
            raise

    def _take_back(self, draft: Record) -> Record | None:
        """Find out whether the record of a call that was not sent exists; nobody else could tell
        that it was not."""
        last = self.ledger.records.last(draft.job)
        if last is not None and draft.slot is not None and last.holds(draft.slot):
            return self.withdraw(last)
        return None

    def _intend(self, attempt: Attempt, draft: Record) -> Record | None:
        slot = attempt.slot
        for tries in range(INTENTS):
            began = self._moment()
            intent = self.ledger.records.append(draft)
            if intent is None:
                self._unsent.discard(slot)
                # Another instance moved the job. A slot that a record names is left to the poller.
                if tries == 0:
                    self.ledger.slots.free(slot)
                return None
            is_near = self._comes_near(attempt.permit, 0.0, SEND_WITHIN)
            if is_near and self._is_fresh(began) and self._spend(attempt.permit):
                return self._send(attempt, intent)
            if tries == INTENTS - 1:
                return self.withdraw(intent)
            draft = intent.following(SUBMITTING)
        raise AssertionError("unreachable")

    def _spend(self, permit: Permit) -> bool:
        return self.ledger.lease.permits.spend(permit)

    def _comes_near(self, permit: Permit, lead: float, patience: float) -> bool:
        """Wait until a permit is the first in line and may be spent in `lead` seconds. False: it
        takes longer than `patience` seconds, or nothing may be sent any more."""
        clock, end = self.ledger.clock, self.ledger.clock.monotonic() + patience
        while self.ledger.lease.may_send() and not permit.is_void:
            wait, is_first = self.ledger.lease.permits.turn(permit)
            is_near = is_first and wait <= lead
            if is_near or clock.monotonic() >= end:
                return is_near
            clock.sleep(LOOK if wait == math.inf else max(wait - lead, SHORTEST))
        return False

    def _moment(self) -> tuple[float, float]:
        return self.ledger.clock.monotonic(), self.ledger.clock.now()

    def _is_fresh(self, began: tuple[float, float]) -> bool:
        """Whether a POST sent now follows its record at once, by either clock."""
        monotonic, wall = self._moment()
        return max(monotonic - began[0], wall - began[1]) <= SEND_WITHIN

    def _send(self, attempt: Attempt, intent: Record) -> Record | None:
        """The one POST, unless the lease, or the time for a call, ran out meanwhile."""
        if not self._may_send(attempt.model):
            return self.withdraw(intent)
        submitted_at = iso(self.ledger.clock.now())
        model = attempt.model
        self._unsent.discard(attempt.slot)
        if intent.call:
            return self.calls.send(model, self._sent(attempt), attempt.permit, intent)
        try:
            outcome = self.model_studio.create(model.endpoint, self._sent(attempt))
        finally:
            self.ledger.lease.permits.give_back(attempt.permit)
        if isinstance(outcome, TaskCreated):
            return self.accepted(intent, outcome.task_id, outcome.request_id, submitted_at)
        if isinstance(outcome, OutcomeUnknown):
            return self._in_doubt(intent, outcome, submitted_at)
        return self.refusals.refused(model, intent, outcome)

    def _sent(self, attempt: Attempt) -> dict[str, Any]:
        """The body in the form that the service takes."""
        return wire_body(attempt.model, attempt.body, self.rules.region)

    def _in_doubt(
        self, intent: Record, outcome: OutcomeUnknown, submitted_at: str
    ) -> Record | None:
        log.warning(
            "job %s: outcome of the submission unknown: %s",
            intent.job,
            outcome.reason,
            extra=about("job.submission_unknown", intent),
        )
        draft = intent.following(SUBMITTING)
        draft = replace(draft, submitted_at=submitted_at, unknown=outcome.reason)
        return self.ledger.records.append(draft)

    def is_unsent(self, last: Record) -> bool:
        """Whether this process recorded the attempt and could not go on to send it."""
        return last.state == SUBMITTING and last.slot in self._unsent

    def withdraw(self, intent: Record) -> Record | None:
        """Nothing was sent, for certain: back into the queue, and no attempt is counted."""
        why = self.rules.errors.ours("NotSent")
        made = self.transitions.requeue(intent, why, attempt=intent.attempt - 1)
        if intent.slot is not None:
            self._unsent.discard(intent.slot)
        return made


def for_missing(
    body: dict[str, Any], missing: Collection[int], number_at: str | None
) -> dict[str, Any]:
    """The request for the images that failed before: that many, with the seeds they had.

    `number_at`: the field that says how many; None where the model makes one and has none.
    Image k uses seed + k (wan2.5 API reference); with gaps the first one's seed counts.
    """
    if not missing:
        return body
    changed = {**body, "parameters": dict(body["parameters"])}
    if number_at is not None:
        section, name = number_at.strip("/").split("/", 1)
        changed[section] = changed[section] | {name: len(missing)}
    parameters = changed["parameters"]
    if isinstance(parameters.get("seed"), int):
        parameters["seed"] = (parameters["seed"] + min(missing) - 1) % 2**31
    return changed
