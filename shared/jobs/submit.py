"""Submitting one queued job: slot, ticket, record, POST, record, in that order.

Intent before effect: the record SUBMITTING is made before the POST, so that a crash at any line
leaves either a job that is still queued or an attempt whose outcome is looked up, never a second
POST.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from shared.catalogue.errors import ErrorTable
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.retry_policy import RetryPolicy
from shared.jobfile import JobSpec, request_body
from shared.jobs.requeue import Requeue
from shared.jobs.transitions import Transitions, explained, own_error, trouble
from shared.ledger.model_state import ModelStates
from shared.ledger.queue import Queue
from shared.ledger.record import carried
from shared.ledger.records import EXPIRED, PENDING, QUEUED, SUBMITTING, Record, Records
from shared.ledger.slots import Slot, Slots
from shared.ledger.tickets import Ticket, Tickets
from shared.modelstudio.client import ModelStudio, OutcomeUnknown, ServiceError, TaskCreated
from shared.platform.clock import Clock, from_iso, iso
from shared.platform.logs import about
from shared.storage.objects import ObjectMissing, ObjectTooLarge, StoreError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryLater:
    """Not submitted; worth asking again after `seconds` (0: when a slot is free).

    `model_wide`: the next job of the same model would fare no better.
    """

    seconds: float
    reason: str
    model_wide: bool = True


@dataclass
class Submission:
    """Everything needed to submit a job."""

    catalogue: Catalogue
    errors: ErrorTable
    model_studio: ModelStudio
    records: Records
    queue: Queue
    slots: Slots
    tickets: Tickets
    states: ModelStates
    transitions: Transitions
    requeue: Requeue
    policy: RetryPolicy
    clock: Clock
    rng: random.Random
    input_urls: Callable[[JobSpec], dict[str, str]]

    def submit(
        self, last: Record, patience: float, finished_remotely: Collection[Slot] = ()
    ) -> Record | RetryLater | None:
        """Submit a QUEUED job if its model has room now, waiting at most `patience` seconds.

        `landed`: slots of tasks that the service is done with. Returns the job's new last record,
        Later, or None if somebody else has the job. Raises StoreError.
        """
        if last.state != QUEUED:
            return None
        model = self.catalogue.get(last.data["model"])
        if model is None:
            return RetryLater(60.0, f"the catalogue has no model {last.data['model']}")
        now = self.clock.now()
        expired = self.expire(last)
        if expired is not None:
            return expired
        wait = max(_not_before(last) - now, self.states.paused_for(model.name, now))
        if wait > 0:
            own = self.states.paused_for(model.name, now) <= 0
            return RetryLater(wait, "the job or its model is paused", model_wide=not own)
        try:
            body = self._body(last)
        except (ObjectMissing, ObjectTooLarge) as error:
            return self._without_input(last, error)
        if body is None:
            return None
        seq, window = last.seq + 1, self.states.window(model)
        slot = self.slots.claim(model.name, last.job, seq, window, finished_remotely)
        if slot is None:
            return RetryLater(0.0, "no slot is free")
        return self._with_slot(model, last, slot, body, patience)

    def next_ticket(self, model: Model) -> float:
        """Seconds until another job of the model is worth a try after one was submitted."""
        limits = model.limits
        return self.tickets.next_in(model.name, limits.submissions, limits.per_seconds)

    def expire(self, last: Record) -> Record | None:
        """End a queued job whose time is over; None if it is not. Raises StoreError."""
        until = last.data.get("expires_at")
        if until is None or self.clock.now() < from_iso(until):
            return None
        error = own_error(
            "Expired",
            f"The job was not submitted before {until}, as its expires_after asked.",
            retryable=True,
            hint="Drop the job file again, with a longer expires_after or at a quieter time.",
            hint_zh="请延长 expires_after,或在空闲时段重新提交任务文件。",
        )
        return self.transitions.finish(last, EXPIRED, {"error": error})

    def _body(self, last: Record) -> dict[str, Any] | None:
        """The request, made before anything is written down: reading can fail, sending once."""
        seq = last.data["spec_seq"]
        first = last if last.seq == seq else self.records.get(last.job, seq)
        if first is None:
            return None
        spec = JobSpec.from_dict(first.data["spec"])
        return for_missing(request_body(spec, self.input_urls(spec)), last.data.get("missing"))

    def _without_input(self, last: Record, reason: StoreError) -> Record | None:
        error = own_error(
            "InputMissing",
            f"An input image cannot be read any more: {reason}",
            retryable=True,
            hint="Upload the image again, then the job file under another name.",
            hint_zh="请重新上传图像,然后以新的文件名提交任务。",
        )
        return self.transitions.fail(last, error)

    def _with_slot(
        self, model: Model, last: Record, slot: Slot, body: dict[str, Any], patience: float
    ) -> Record | RetryLater | None:
        try:
            ticket = self._ticket(slot, model, patience)
        except StoreError:
            self.slots.free(slot)
            raise
        if isinstance(ticket, RetryLater):
            self.slots.free(slot)
            return ticket
        attempt = last.data.get("attempt", 0) + 1
        began = self.clock.monotonic()
        data = carried(
            last, attempt=attempt, slot_seq=slot.seq, slot_mark=slot.mark, not_before=None
        )
        intent = self.records.append(last.job, last.seq + 1, SUBMITTING, data)
        if intent is None:
            self.requeue.clean_up_if_over(slot)
            return None
        return self._send(model, slot, intent, body, ticket, began)

    def _ticket(self, slot: Slot, model: Model, patience: float) -> Ticket | RetryLater:
        """A ticket in the name of the claim: it is the log of what was sent when."""
        limits, end = model.limits, self.clock.monotonic() + patience
        holder = {"job": slot.job, "seq": slot.seq, "mark": slot.mark}
        while True:
            taken = self.tickets.take(model.name, limits.submissions, limits.per_seconds, holder)
            if isinstance(taken, Ticket):
                return taken
            if self.clock.monotonic() + taken > end:
                return RetryLater(taken, "no ticket is free")
            self.clock.sleep(taken)

    def _send(
        self,
        model: Model,
        slot: Slot,
        intent: Record,
        body: dict[str, Any],
        ticket: Ticket,
        began: float,
    ) -> Record | None:
        """The one POST. A ticket gone stale meanwhile is replaced; an attempt that has taken so
        long that others may give it up is given up here first."""
        while not self.tickets.usable(ticket):
            renewed = self._ticket(slot, model, self.model_studio.create_timeout)
            if isinstance(renewed, RetryLater):
                return self._not_sent(intent)
            ticket = renewed
        if self._overslept(intent, began):
            return self._not_sent(intent)
        submitted_at = iso(self.clock.now())
        outcome = self.model_studio.create(model.endpoint, body)
        if isinstance(outcome, TaskCreated):
            return self.accepted(intent, outcome.task_id, outcome.request_id, submitted_at)
        if isinstance(outcome, OutcomeUnknown):
            log.warning(
                "job %s: outcome of the submission unknown: %s",
                intent.job,
                outcome.reason,
                extra=about("job.submission_unknown", intent),
            )
            data = carried(intent, submitted_at=submitted_at) | {"unknown": outcome.reason}
            return self.records.append(intent.job, intent.seq + 1, SUBMITTING, data)
        return self._refused(model, intent, outcome)

    def _overslept(self, intent: Record, began: float) -> bool:
        """Whether the attempt is older than a submission may take, by either clock."""
        age = max(self.clock.monotonic() - began, self.clock.now() - from_iso(intent.at))
        return age > self.model_studio.create_timeout

    def _not_sent(self, intent: Record) -> Record | None:
        """Nothing was sent, for certain: back into the queue, and no attempt is counted."""
        why = own_error(
            "NotSent",
            "The submission could not be sent in time.",
            retryable=True,
            hint="Nothing to do: the job is submitted again.",
            hint_zh="无需处理,任务将自动重新提交。",
        )
        return self.requeue.again(intent, why, attempt=intent.data["attempt"] - 1)

    def accepted(
        self, last: Record, task_id: str, request_id: str, submitted_at: str
    ) -> Record | None:
        """Write down the task of an attempt; from here on the job is on its way."""
        data = carried(
            last, task_id=task_id, create_request_id=request_id, submitted_at=submitted_at
        )
        made = self.records.append(last.job, last.seq + 1, PENDING, data)
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
        self.queue.remove(last.job, last.data)
        self.states.accepted(last.data["model"])
        return made

    def _refused(self, model: Model, intent: Record, error: ServiceError) -> Record | None:
        """No task was made: end the job, try it again, or stop the model until it can go on."""
        rule = self.errors.classify(error.code, error.message, error.http)
        log.warning(
            "job %s: submission refused: %s",
            intent.job,
            error,
            extra=about("job.submission_refused", intent, **trouble(error, rule)),
        )
        why, attempt = explained(error, rule), intent.data["attempt"]
        if rule.retry == "few" and self.policy.allows(rule, attempt, 0.0):
            return self.requeue.again(intent, why, wait=self.policy.pause(attempt, self.rng))
        if rule.breaker == "none" and rule.retry != "after_backoff":
            return self.transitions.fail(intent, why)
        beyond = len(self.slots.held(model.name)) > model.limits.concurrent
        self.states.refused(model.name, error, rule, beyond)
        return self.requeue.again(intent, why, attempt=attempt - 1)


def for_missing(body: dict[str, Any], missing: list[int] | None) -> dict[str, Any]:
    """The request for the images that failed before: that many, with the seeds they had.

    Image k uses seed + k (wan2.5 API reference); with gaps the first one's seed counts.
    """
    if not missing:
        return body
    parameters = dict(body["parameters"]) | {"n": len(missing)}
    if isinstance(parameters.get("seed"), int):
        parameters["seed"] = (parameters["seed"] + missing[0] - 1) % 2**31
    return body | {"parameters": parameters}


def _not_before(last: Record) -> float:
    until = last.data.get("not_before")
    return from_iso(until) if until else 0.0
