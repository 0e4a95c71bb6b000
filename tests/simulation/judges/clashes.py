"""Two documents under one id: the first is the job, the other one is told so."""

from __future__ import annotations

from shared.ledger.record import REJECTED
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Judge


class Clashes(Judge):
    """At each record: a job keeps its document; at the end: the other one was rejected."""

    def recorded(self, job: Job) -> None:
        given = [link.record["spec"] for link in job.records if "spec" in link.record]
        if len(given) > 1 and job.before != REJECTED and "spec" in job.last:
            self.violate("no job is replaced", job.name)

    def ended(self) -> None:
        for name, files in self.facts.clashes.items():
            job = self.facts.jobs.get(name)
            taken = {one.prompt for one in self.facts.jobs.values()}
            if job is None or job.prompt not in files:
                self.violate("one of two documents is the job", name)
                continue
            for prompt, key in files.items():
                if prompt not in taken and not self._told(name, key):
                    self.violate("an id that is taken is told", f"{key} wants {name}")

    def _told(self, name: str, key: str) -> bool:
        return any(
            job.state == REJECTED and job.source[:1] == (key,) and _names(job, name)
            for job in self.facts.jobs.values()
        )


def _names(job: Job, name: str) -> bool:
    found = job.last.get("violations") or ()
    return any(one["pointer"] == "/job/id" and one["found"] == name for one in found)
