"""Waiting is not failing: a refusal for the account's sake ends no job and costs no place."""

from __future__ import annotations

from shared.ledger.record import FAILED, QUEUED, SUBMITTING
from tests.simulation.account import BLOCKS, THROTTLES
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Judge

ACCOUNT = frozenset(BLOCKS) | THROTTLES


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
        first = job.queued_first()
        assert first is not None
        late = job.place[1] - int(first["queued_ms"])
        if not 0 <= late <= len(job.records):
            what = f"{job.name} moves back by {late} ms"
            self.violate("a job keeps its place", what)
