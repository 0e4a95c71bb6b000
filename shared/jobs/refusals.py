"""What a refused submission leads to: the service did nothing, and said why."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.catalogue.errors import OURS, JobError
from shared.catalogue.models import Model
from shared.catalogue.rules import Rules
from shared.jobs.errors import classified, explained, log_fields
from shared.jobs.transitions import Transitions
from shared.ledger.breaker import Doubt
from shared.ledger.ledger import Ledger
from shared.ledger.record import SUBMITTING, Record
from shared.modelstudio.client import UNREACHABLE, ServiceError
from shared.platform.clock import from_iso
from shared.platform.logs import about

SHORT, LONG, LONGEST = 2.0, 30.0, 600.0
"""Seconds for which a job that is refused again lets others go first, more each time: at least the
first after a pause, or the second where others are taken; at most the third."""

log = logging.getLogger(__name__)


@dataclass
class Refusals:
    """Ends a job, tries it again, or stops its model until that can go on."""

    ledger: Ledger
    rules: Rules
    transitions: Transitions

    def refused(self, model: Model, intent: Record, error: ServiceError) -> Record | None:
        """The job's last record now; None if another instance moved it. Raises StoreError."""
        rule = classified(self.rules.errors, error)
        log.warning(
            "job %s: submission refused: %s",
            intent.job,
            error,
            extra=about("job.submission_refused", intent, **log_fields(error, rule)),
        )
        why, attempt, policy = explained(error, rule), intent.attempt, self.rules.policy
        if rule.retry == "few" and policy.allows(rule, attempt, 0.0):
            wait = policy.pause(attempt, self.ledger.rng)
            return self.transitions.requeue(intent, why, wait=wait)
        if rule.breaker == "none" and rule.retry != "after_backoff":
            return self.transitions.fail(intent, why)
        before = self._refused_before(intent, error)
        if rule.job_alone and before is not None:
            alone = self.ledger.breakers.took_another(model.name, from_iso(before.at))
            if alone or _is_suspect(before):
                return self._suspected(intent, error, before, alone=alone)
        self.ledger.breakers.refused(model.name, error, rule, intent.job, doubt=Doubt.SOME)
        if error.http == 429 and self._holds_beyond(model):
            self.ledger.breakers.not_ahead(model.name)
        again = before is not None and not rule.blocks
        paused = self.ledger.breakers.paused_for(model.name)
        return self._later(intent, why, paused + max(SHORT, _waited(before)) if again else 0.0)

    def _suspected(
        self, intent: Record, error: ServiceError, before: Record, *, alone: bool
    ) -> Record | None:
        """A job that was refused although another one of its model was taken: it stops nobody, and
        ends when that has been so for long. `alone`: another one was taken since the last time;
        where none was, its wait grows no longer, because that says nothing of the job."""
        rule = classified(self.rules.errors, error)
        waited = _waited(before) if _is_suspect(before) else 0.0
        if alone and waited >= LONGEST / 2:
            ended = self.rules.errors.ours("RefusedAlone", error=str(error))
            return self.transitions.fail(intent, ended)
        if alone:
            self.ledger.breakers.doubt(intent.model)
        else:
            doubt = Doubt.AGAIN
            self.ledger.breakers.refused(intent.model, error, rule, intent.job, doubt=doubt)
        wait = max(LONG, 2 * waited if alone else waited)
        return self._later(intent, explained(error, rule), wait, suspect=True)

    def _later(
        self, intent: Record, why: JobError, wait: float, *, suspect: bool = False
    ) -> Record | None:
        """Queue the job again; a refusal is no attempt. A suspect waits for its time at the place
        that it has then: so it is known as one, and there may be many."""
        attempt = intent.attempt - 1
        return self.transitions.requeue(
            intent, why, wait=wait, attempt=attempt, last_in_line=suspect
        )

    def _holds_beyond(self, model: Model) -> bool:
        """Whether more tasks are in flight than the model runs at once."""
        mates = self.rules.catalogue.mates(model.name)
        held = sum(one.slot.model in mates for one in self.ledger.slots.held())
        return held > model.limits.lanes

    def _refused_before(self, intent: Record, error: ServiceError) -> Record | None:
        """The record with which the job was queued again after its refusal before this one; None if
        it had a task since, or the service was not reached, then or now: that says nothing of it.
        """
        get, seq = self.ledger.records.get, intent.seq - 1
        before = get(intent.job, seq) if error.http else None
        while before is not None and (before.state == SUBMITTING or _is_ours(before)):
            before = get(intent.job, before.seq - 1)
        why = before.error if before is not None else None
        if before is None or why is None or why.code == UNREACHABLE:
            return None
        attempt = get(intent.job, before.seq - 1)
        return before if attempt is not None and attempt.state == SUBMITTING else None


def _is_ours(before: Record) -> bool:
    """Whether a job was queued again for a reason of our own, as where it was not sent at all."""
    return before.error is not None and before.error.kind == OURS


def _waited(before: Record | None) -> float:
    """Seconds for which a job had to wait after its refusal before this one, half of `LONGEST` at
    most."""
    if before is None or before.not_before is None:
        return 0.0
    return min(LONGEST / 2, from_iso(before.not_before) - from_iso(before.at))


def _is_suspect(before: Record | None) -> bool:
    """Whether a job was refused alone before: its place in the queue is the end of its wait."""
    if before is None or before.not_before is None:
        return False
    return abs(before.queued_ms / 1000 - from_iso(before.not_before)) < 1.0
