"""What a refused submission leads to: the service did nothing, and said why."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from shared.catalogue.errors import OURS, ErrorRule, JobError
from shared.catalogue.models import Model
from shared.catalogue.rules import Rules
from shared.jobs.errors import classified, explained, log_fields
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import SUBMITTING, Record
from shared.modelstudio.client import UNREACHABLE, ServiceError
from shared.platform.clock import from_iso
from shared.platform.logs import about

SHORT, LONG, LONGEST = 2.0, 30.0, 600.0
"""Seconds for which a job that is refused again lets others go first, more each time: at least the
first after a pause, the second where others are taken; at most the third."""
PATIENCE, RARE = 24 * 3600.0, 120.0
"""Seconds after which a job that may pass ends, if it was refused so often in a row that it had to
wait the second for its turn, and others are taken."""

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
        since = math.inf if before is None else from_iso(before.at)
        alone = rule.doubts_job and self.ledger.breakers.took_another(model.name, since)
        waited = _waited(before)
        if alone and self._was_tried_enough(intent, rule, waited):
            why = self.rules.errors.ours("RefusedAlone", error=str(error))
            return self.transitions.fail(intent, why)
        if rule.job_alone and (alone or waited):  # since it was alone once, it stops nobody else
            self.ledger.breakers.doubt(model.name)
            counted = attempt if alone else attempt - 1
            wait = max(LONG, 2 * waited)
            return self.transitions.requeue(
                intent, why, wait=wait, attempt=counted, last_in_line=True
            )
        mates = self.rules.catalogue.mates(model.name)
        held = sum(one.slot.model in mates for one in self.ledger.slots.held())
        beyond = held > model.limits.lanes
        self.ledger.breakers.refused(model.name, error, rule, beyond)
        return self._later(intent, why, rule, before)

    def _later(
        self, intent: Record, why: JobError, rule: ErrorRule, before: Record | None
    ) -> Record | None:
        """Queue the job again; the attempt does not count. Refused again, or in a way that may be
        its own, it is not the next: after the pause another job finds out whose fault it is."""
        requeue, uncounted = self.transitions.requeue, intent.attempt - 1
        if rule.blocks:
            last_in_line = rule.job_alone or before is not None
            return requeue(intent, why, attempt=uncounted, last_in_line=last_in_line)
        paused = self.ledger.breakers.paused_for(intent.model)
        wait = 0.0 if before is None else paused + max(SHORT, _waited(before))
        return requeue(intent, why, attempt=uncounted, wait=wait)

    def _refused_before(self, intent: Record, error: ServiceError) -> Record | None:
        """The record with which the job was queued again after its refusal before this one; None if
        the service was not reached, then or now, which says nothing of the job."""
        before = self.ledger.records.get(intent.job, intent.seq - 1) if error.http else None
        while before is not None and before.state == SUBMITTING:
            before = self.ledger.records.get(intent.job, before.seq - 1)
        why = before.error if before is not None else None
        return before if why and why.kind != OURS and why.code != UNREACHABLE else None

    def _was_tried_enough(self, intent: Record, rule: ErrorRule, waited: float) -> bool:
        if rule.job_alone:
            return intent.attempt >= self.rules.policy.attempts["alone"]
        if waited < RARE:
            return False
        accepted_at = from_iso(self.ledger.records.with_spec(intent).at)
        return self.ledger.clock.now() - accepted_at >= PATIENCE


def _waited(before: Record | None) -> float:
    """Seconds for which a job had to wait after its refusal before this one, half of `LONGEST` at
    most."""
    if before is None or before.not_before is None:
        return 0.0
    return min(LONGEST / 2, from_iso(before.not_before) - from_iso(before.at))
