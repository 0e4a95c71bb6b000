"""What a refused submission leads to: the service did nothing, and said why."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.catalogue.models import Model
from shared.catalogue.rules import Rules
from shared.jobs.errors import classified, explained, log_fields
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import Record
from shared.modelstudio.client import ServiceError
from shared.platform.logs import about

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
        mates = self.rules.catalogue.mates(model.name)
        held = sum(one.slot.model in mates for one in self.ledger.slots.held())
        beyond = held > model.limits.lanes
        self.ledger.breakers.refused(model.name, error, rule, beyond)
        return self.transitions.requeue(intent, why, attempt=attempt - 1)
