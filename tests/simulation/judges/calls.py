"""Calls: made once, answered and written down, given up only where the answer is really lost."""

from __future__ import annotations

from shared.ledger.record import NEEDS_ATTENTION, PENDING, QUEUED, SUBMITTING
from tests.simulation.arrivals import Arrival
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Facts, Judge
from tests.simulation.studio import SimTask

STORING = 175.0
"""Seconds that are left after the latest answer to a call, to store what it made."""
MOST_PRICE = 10.0
"""schemas/retry.yaml, written down once more: what a job may cost in yuan by itself."""
INSISTED = 90.0
"""Seconds for which an answer that came is written down whatever the store does, at least."""
MOST_OPEN = 16
LOST = "CallLost"
ONCE = "a call is made once"
WHY = "a call is given up only where its answer is lost"
LATE_KILL = 5.0
"""Seconds after the storm in which an instance may still die of it: a kill has its moment later."""


class Calls(Judge):
    """At each call, each record of a job that is called, and each image that is fetched."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        facts.studio.fetched = self._fetched

    def arrived(self, arrival: Arrival) -> None:
        job = self.facts.sender(arrival)
        if not arrival.call or job is None:
            return
        needed = self.facts.studio.synchronous.timeout + STORING
        if arrival.sender.deadline - self.facts.now < needed:
            self.violate("a call has time to be answered", job.name)
        log = self.facts.studio.log
        waiting = [one for one in log if one.call and self._is_open(one) and self._counts(one)]
        if len(waiting) > MOST_OPEN:
            self.violate("calls are bounded", f"{len(waiting)} are open")
        self._is_first(arrival, job)

    def _counts(self, arrival: Arrival) -> bool:
        """A call that was given up, because its instance stood still, has no place any more."""
        job = self.facts.sender(arrival)
        if job is None:
            return True
        return job.state == SUBMITTING and self.facts.arrivals_of(job)[-1] is arrival

    def _is_first(self, arrival: Arrival, job: Job) -> None:
        unknown = [
            one
            for one in self.facts.arrivals_of(job)
            if one is not arrival and one.task and one.task not in job.tasks and not one.refused
        ]
        if unknown and job.on_unknown != "resend":
            self.violate(ONCE, f"{job.name} is called again after {unknown[-1].task}")
        images = sum(one.images for one in (*unknown, arrival)) + self.facts.billed(job)
        if unknown and images * self.facts.prices[job.model] > MOST_PRICE:
            self.violate("lost calls are bounded", f"{job.name} may cost {images} images")

    def recorded(self, job: Job) -> None:
        if not self.facts.studio.is_call(job.model):
            return
        if job.state == PENDING or job.last.get("task_id"):
            self.violate("a call has no task", f"{job.name} has {job.last.get('task_id')}")
        code = (job.last.get("error") or {}).get("code")
        if job.before == SUBMITTING and job.state == QUEUED and code == LOST:
            if job.on_unknown != "resend":
                self.violate(ONCE, f"{job.name} did not ask for another call")
            self._given_up(job)
        elif job.before == SUBMITTING and job.state == NEEDS_ATTENTION:
            self._given_up(job)

    def _given_up(self, job: Job) -> None:
        arrivals = self.facts.arrivals_of(job)
        last = arrivals[-1] if arrivals else None
        intent = [link.at for link in job.records if link.state == SUBMITTING][-1]
        if last is None or last.at < intent - 1.0:
            if self.facts.quiet_for(intent) >= LATE_KILL:
                self.violate(WHY, f"{job.name} was never called")
        elif self._is_open(last) and not last.sender.held:
            if self.facts.quiet_for(last.at) >= 0 or not self.facts.outages:
                self.violate(WHY, f"{last.caller} still waits for {job.name}")
        elif last.answered is not None and not last.lost:
            held, quiet = last.sender.held, self.facts.quiet_for(last.at) >= 0
            soon = self.facts.now - last.answered < INSISTED and not (last.sender.dead or held)
            if quiet or soon:
                self.violate(WHY, f"{job.name} was answered")

    def _is_open(self, arrival: Arrival) -> bool:
        """Whether somebody waits for the answer, which will come."""
        there = not arrival.sender.dead and self.facts.now < arrival.sender.deadline
        return arrival.answered is None and not arrival.lost and there

    def _fetched(self, task: SimTask) -> None:
        known = any(task.task_id in job.tasks for job in self.facts.jobs.values())
        if task.call and not known:
            self.violate("an answer is written down before it is used", task.task_id)
