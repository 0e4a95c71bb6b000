"""Retries that a person asked for: one at a time, none beside one that works or has worked."""

from __future__ import annotations

from shared.ledger.record import REJECTED, RETRYABLE
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Judge


class Families(Judge):
    """At the first record of each retry: all others of its family came to nothing."""

    def recorded(self, job: Job) -> None:
        if not job.retried_from or len(job.records) > 1:
            return
        if job.retried_from not in self.facts.jobs:
            self.violate("a retry names its job", f"{job.name} of {job.retried_from}")
        for other in self.facts.jobs.values():
            if other is job or other.prompt != job.prompt:
                continue
            if other.state not in (*RETRYABLE, REJECTED):
                what = f"{job.name} is made while {other.name} is {other.state}"
                self.violate("a retry is never doubled", what)
