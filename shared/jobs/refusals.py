"""What a refused submission leads to: the service did nothing, and said why."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.catalogue.errors import ErrorRule
from shared.catalogue.models import Model
from shared.catalogue.rules import Rules
from shared.jobs.errors import classified, explained, log_fields
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import SUBMITTING, Record
from shared.modelstudio.client import ServiceError
from shared.platform.clock import from_iso
from shared.platform.logs import about

BEHIND = 30.0
"""Seconds after a pause for which a job that was refused twice lets others go first."""

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
        since = self._refused_before(intent, error) if rule.doubts_job else None
        if since is not None and self.ledger.breakers.took_another(model.name, rule, since):
            return self._alone(intent, error, rule)
        mates = self.rules.catalogue.mates(model.name)
        held = sum(one.slot.model in mates for one in self.ledger.slots.held())
        beyond = held > model.limits.lanes
        self.ledger.breakers.refused(model.name, error, rule, beyond)
        # Its second refusal in a row: after the pause another job finds out whose fault it is.
        wait = 0.0 if since is None else self.ledger.breakers.paused_for(model.name) + BEHIND
        return self.transitions.requeue(intent, why, wait=wait, attempt=attempt - 1)

    def _refused_before(self, intent: Record, error: ServiceError) -> float | None:
        """When the attempt before was refused the same way, in seconds since 1970; None if it was
        not, or if the service was not reached, which says nothing of the job."""
        before = self.ledger.records.get(intent.job, intent.seq - 1) if error.http else None
        while before is not None and before.state == SUBMITTING:
            before = self.ledger.records.get(intent.job, before.seq - 1)
        if before is None or before.error is None or before.error.code != error.code:
            return None
        return from_iso(before.at)

    def _alone(self, intent: Record, error: ServiceError, rule: ErrorRule) -> Record | None:
        """The account is in order: what may pass is tried a few times more, and holds up nobody."""
        policy, attempt = self.rules.policy, intent.attempt
        if policy.allows(rule, attempt, 0.0):
            wait = policy.pause(attempt, self.ledger.rng)
            return self.transitions.requeue(intent, explained(error, rule), wait=wait)
        why = self.rules.errors.ours("RefusedAlone", error=str(error))
        return self.transitions.fail(intent, why)
