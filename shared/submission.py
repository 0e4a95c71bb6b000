"""Submitting one queued job: slot, ticket, record, POST, record, in that order.

Intent before effect: the record SUBMITTING is made before the POST, so that a crash at any line
leaves either a job that is still queued or an attempt whose outcome is looked up, never a second
POST.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.catalogue import Catalogue, Model
from shared.clock import Clock, from_iso, iso
from shared.errors import CALLER, INPUT_FETCH, POLICY, ErrorTable
from shared.jobdata import carried, holds_slot
from shared.jobfile import JobSpec, request_body
from shared.modelstate import ModelStates
from shared.modelstudio import Accepted, ModelStudio, ServiceError, Unknown
from shared.queue import Queue
from shared.records import EXPIRED, FAILED, PENDING, QUEUED, SUBMITTING, Record, Records
from shared.results import Endings, explained, own_error
from shared.slots import Slots
from shared.tickets import Ticket, Tickets

MOST_INPUT_ATTEMPTS = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Later:
    """Not submitted; worth asking again after `seconds` (0: when a slot is free)."""

    seconds: float
    reason: str


@dataclass
class Submission:
    """Everything needed to submit a job."""

    catalogue: Catalogue
    errors: ErrorTable
    service: ModelStudio
    records: Records
    queue: Queue
    slots: Slots
    tickets: Tickets
    states: ModelStates
    endings: Endings
    clock: Clock
    input_urls: Callable[[JobSpec], dict[str, str]]

    def submit(self, last: Record, patience: float) -> Record | Later | None:
        """Submit a QUEUED job if its model has room now, waiting at most `patience` seconds.

        Returns the job's new last record, Later, or None if somebody else has the job.
        Raises StoreError.
        """
        model = self.catalogue.get(last.data["model"])
        if model is None:
            return Later(60.0, f"the catalogue has no model {last.data['model']}")
        expired = self._expire(last)
        if expired is not None:
            return expired
        now = self.clock.now()
        state = self.states.get(model.name)
        if state.paused_for(now) > 0:
            return Later(state.paused_for(now), "the model is paused")
        window = state.window(model.limits.concurrent, model.limits.queue_ahead, now)
        if not self.slots.claim(model.name, last.job, last.seq + 1, window):
            return Later(0.0, "no slot is free")
        return self._with_slot(model, last, patience)

    def _expire(self, last: Record) -> Record | None:
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
        return self.endings.finish(last, EXPIRED, {"error": error})

    def _with_slot(self, model: Model, last: Record, patience: float) -> Record | Later | None:
        ticket = self._ticket(model, last, patience)
        if isinstance(ticket, Later):
            self.slots.free(model.name, last.job, last.seq + 1)
            return ticket
        data = carried(
            last, attempt=last.data.get("attempt", 0) + 1, slot_seq=last.seq + 1, task_id=None
        )
        intent = self.records.append(last.job, last.seq + 1, SUBMITTING, data)
        if intent is None:
            self.release_if_over(model.name, last.job, last.seq + 1)
            return None
        return self._send(model, intent, ticket)

    def _ticket(self, model: Model, last: Record, patience: float) -> Ticket | Later:
        limits, end = model.limits, self.clock.monotonic() + patience
        holder: dict[str, object] = {"job": last.job, "seq": last.seq + 1}
        while True:
            taken = self.tickets.take(model.name, limits.submissions, limits.per_seconds, holder)
            if isinstance(taken, Ticket):
                return taken
            if self.clock.monotonic() + taken > end:
                return Later(taken, "no ticket is free")
            self.clock.sleep(taken)

    def _send(self, model: Model, intent: Record, ticket: Ticket) -> Record | None:
        first = self.records.get(intent.job, intent.data["spec_seq"])
        if first is None:
            return None
        spec = JobSpec.from_dict(first.data["spec"])
        body = request_body(spec, self.input_urls(spec))
        while not self.tickets.usable(ticket):
            renewed = self._ticket(model, intent, 60.0)
            if isinstance(renewed, Later) or self.records.get(intent.job, intent.seq + 1):
                return None
            ticket = renewed
        submitted_at = iso(self.clock.now())
        outcome = self.service.create(model.endpoint, body)
        if isinstance(outcome, Accepted):
            return self.accepted(intent, outcome.task_id, outcome.request_id, submitted_at)
        if isinstance(outcome, Unknown):
            log.warning("job %s: outcome of the submission unknown: %s", intent.job, outcome.reason)
            data = carried(intent, submitted_at=submitted_at) | {"unknown": outcome.reason}
            return self.records.append(intent.job, intent.seq + 1, SUBMITTING, data)
        return self._refused(model, intent, outcome)

    def accepted(
        self, last: Record, task_id: str, request_id: str, submitted_at: str
    ) -> Record | None:
        """Write down the task of an attempt; from here on the job is on its way."""
        data = carried(
            last, task_id=task_id, create_request_id=request_id, submitted_at=submitted_at
        )
        made = self.records.append(last.job, last.seq + 1, PENDING, data)
        if made is None:
            log.error("job %s moved on while task %s was made for it", last.job, task_id)
            return None
        log.info("job %s: submitted as task %s", last.job, task_id)
        self.queue.remove(last.job, last.data)
        self.states.accepted(last.data["model"])
        return made

    def _refused(self, model: Model, intent: Record, error: ServiceError) -> Record | None:
        rule = self.errors.classify(error.code, error.message, error.http)
        log.warning("job %s: submission refused: %s", intent.job, error)
        final = rule.kind in (CALLER, POLICY) or (
            rule.kind == INPUT_FETCH and intent.data["attempt"] >= MOST_INPUT_ATTEMPTS
        )
        if final:
            return self.endings.finish(intent, FAILED, {"error": explained(error, rule)})
        beyond = len(self.slots.held(model.name)) > model.limits.concurrent
        self.states.refused(model.name, error, rule, beyond)
        counts = rule.kind == INPUT_FETCH
        return self.requeue(intent, explained(error, rule), counts_as_attempt=counts)

    def requeue(
        self, last: Record, why: dict[str, Any], *, counts_as_attempt: bool
    ) -> Record | None:
        """Back into the queue at the same place; its slot is given up after the record."""
        attempt = last.data.get("attempt", 0) - (0 if counts_as_attempt else 1)
        data = carried(last, attempt=max(0, attempt), slot_seq=None, submitted_at=None)
        self.queue.add(last.job, last.data)
        made = self.records.append(last.job, last.seq + 1, QUEUED, data | {"error": why})
        if made is not None:
            self.slots.free(last.data["model"], last.job, last.data["slot_seq"])
        return made

    def release_if_over(self, model: str, job: str, seq: int) -> None:
        """Free the slot of an attempt unless the job's chain says that it is under way."""
        last = self.records.last(job)
        if last is None or not holds_slot(last, seq):
            self.slots.free(model, job, seq)
