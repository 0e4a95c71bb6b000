"""Waiting is not failing: a refusal for the account's sake ends no job and costs no place. A job
that was not answered keeps its slot for long: then others go first."""

from __future__ import annotations

from shared.ledger.record import FAILED, QUEUED, SUBMITTING
from tests.simulation.account import BLOCKS, THROTTLES
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Judge

ACCOUNT = frozenset(BLOCKS) | THROTTLES
LETS_GO_FIRST = frozenset({"NoTaskMade"})
LONGEST_WAIT = 620.0
"""Seconds after which a job that let others go first is in its turn, but for the clocks."""


class Refusals(Judge):
    """At each record: what made the job fail, and where it queues."""

    def recorded(self, job: Job) -> None:
        if job.state == FAILED:
            self._failed(job)
        elif job.state == QUEUED and job.before not in ("", "REJECTED"):
            self._requeued(job)

    def _failed(self, job: Job) -> None:
        why = self._said(job) if job.before == SUBMITTING else self._task_said(job)
        code = ((job.last.get("manifest") or {}).get("error") or {}).get("code", "")
        if why in ACCOUNT or code in ACCOUNT:
            self.violate("waiting is not failing", f"{job.name} is FAILED for {why or code}")

    def _said(self, job: Job) -> str:
        arrivals = self.facts.arrivals_of(job)
        return arrivals[-1].code if arrivals else ""

    def _task_said(self, job: Job) -> str:
        task = self.facts.studio.tasks.get(job.task)
        told = task is not None and self.facts.studio.keeps(job.task)
        return task.error[0] if task is not None and told and task.error else ""

    def _requeued(self, job: Job) -> None:
        code = (job.last.get("error") or {}).get("code", "")
        moved = job.place[1] - int(job.records[-2].record["queued_ms"])
        latest = 1.0
        if code in LETS_GO_FIRST:
            latest = (self.facts.now + LONGEST_WAIT) * 1000 - job.place[1] + moved
        if not 0 <= moved <= latest:
            what = f"{job.name} moves back by {moved} ms after {code}"
            self.violate("a job keeps its place", what)
