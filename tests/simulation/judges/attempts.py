"""Retries: as many as schemas/retry.yaml allows where an error may pass, and no more."""

from __future__ import annotations

from shared.ledger.record import FAILED, PENDING, QUEUED, RUNNING, SUBMITTING
from shared.platform.clock import from_iso
from tests.simulation.account import BLOCKS, THROTTLES
from tests.simulation.arrivals import Arrival
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Judge
from tests.simulation.studio import INTERNAL

MOST = 5
FEW = 3
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 120.0
MOST_PRICE = 10.0
"""schemas/retry.yaml, written down once more: attempts where an error passes by itself, where it
may pass, seconds before the second attempt, which double, and what a job may cost in yuan."""
INPUT_FETCH = "InvalidURL.Timeout"
"""The refusal that the simulated service gives of the kind that is tried a few times."""
SPARED = frozenset(BLOCKS) | THROTTLES


class Attempts(Judge):
    """At each create request: whether the job may still be tried; at each failure: whether it
    was tried enough."""

    def arrived(self, arrival: Arrival) -> None:
        job = self.facts.sender(arrival)
        if job is None:
            return
        earlier = [one for one in self.facts.arrivals_of(job) if one is not arrival]
        counted = sum(self._counts(one) for one in earlier)
        fetches = sum(one.code == INPUT_FETCH for one in earlier)
        if counted >= MOST or fetches >= FEW:
            self.violate("retries are bounded", f"{job.name} is sent after {counted} attempts")
        price = self.facts.prices[job.model] * (self.facts.billed(job) + arrival.images)
        if earlier and self.facts.billed(job) and price > MOST_PRICE:
            self.violate("retries are bounded", f"{job.name} may cost {price:.2f}")

    def recorded(self, job: Job) -> None:
        if job.state == QUEUED and job.before in (PENDING, RUNNING):
            self._waits(job)
        if job.state != FAILED:
            return
        tried = attempts_of(job)
        if tried < self._allowed(job):
            what = f"{job.name} is FAILED after {tried} attempts"
            self.violate("what may pass is tried again", what)

    def _waits(self, job: Job) -> None:
        """A task failed: the next attempt comes after a pause that doubles each time."""
        if (job.last.get("error") or {}).get("code") != INTERNAL[0]:
            return
        doubled = FIRST_PAUSE * 2.0 ** (max(1, int(job.last.get("attempt") or 0)) - 1)
        wait = (job.moment("not_before") or 0.0) - from_iso(job.last["at"])
        if wait < 0.49 * min(LONGEST_PAUSE, doubled):
            self.violate("retries wait", f"{job.name} waits {wait:.1f} s")

    def _allowed(self, job: Job) -> int:
        """How many attempts the last thing that went wrong allows; 0: no second one is due."""
        if job.before == SUBMITTING:
            arrivals = self.facts.arrivals_of(job)
            return FEW if arrivals and arrivals[-1].code == INPUT_FETCH else 0
        task = self.facts.studio.tasks.get(job.task)
        may_pass = task is not None and task.error == INTERNAL
        return MOST if may_pass and self.facts.studio.keeps(job.task) else 0

    def _counts(self, arrival: Arrival) -> bool:
        """Whether a request counts: it made a task, or is of the kind that is tried a few times.
        One that made no task for certain costs nothing, whatever the job's own count says."""
        task = self.facts.studio.tasks.get(arrival.task)
        if task is not None and task.error is not None and task.error[0] in SPARED:
            return False
        if task is not None and task.image_error[0] in SPARED:
            return False
        return task is not None or arrival.code == INPUT_FETCH


def attempts_of(job: Job) -> int:
    """How many attempts a job had, by its chain: those that the account refused do not count."""
    states = ["", *(link.state for link in job.records)]
    spared = sum(
        link.state == QUEUED
        and before == SUBMITTING
        and (link.record.get("error") or {}).get("code") in SPARED
        for before, link in zip(states, job.records, strict=False)
    )
    return min(job.intents - spared, int(job.last.get("attempt") or 0))
