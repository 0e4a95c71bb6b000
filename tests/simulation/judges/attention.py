"""A person is asked only where nobody can know: an answer was lost, or a task hangs for a day."""

from __future__ import annotations

from shared.ledger.record import NEEDS_ATTENTION, SUBMITTING
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Judge
from tests.simulation.studio import RETENTION, SimTask

CLOCKS = 60.0
NEAR = 120.0
"""Seconds around an attempt in which another task makes it hard to tell which is whose."""
EARLIER = 600.0
"""The same before it: who made tasks in these ten minutes may have made this one too."""
SHORT_LAG = 8.0


class Attention(Judge):
    """At each record NEEDS_ATTENTION."""

    def recorded(self, job: Job) -> None:
        if job.state != NEEDS_ATTENTION:
            return
        if job.before != SUBMITTING:
            self._stuck(job)
        elif self._heard(job):
            self.violate("a person is asked only what nobody knows", f"{job.name} was answered")
        elif not self.facts.studio.is_call(job.model) and self._plain(job):
            self.violate("a person is asked only what nobody knows", f"{job.name} is plain")

    def _stuck(self, job: Job) -> None:
        task = self.facts.studio.tasks.get(job.task)
        if task is None or self.facts.now < task.created + RETENTION - CLOCKS:
            self.violate("a person is asked only what nobody knows", f"{job.name}, {job.task}")

    def _heard(self, job: Job) -> bool:
        """Whether the service's answer came in quiet weather, so that it was written down."""
        arrivals = self.facts.arrivals_of(job)
        if not arrivals or self.facts.quiet_for(arrivals[-1].at) < 0:
            return False
        last = arrivals[-1]
        return last.answered is not None and bool(last.code)

    def _plain(self, job: Job) -> bool:
        """Whether the only task that was made near the attempt is its own, the list shows it, and
        no other attempt of the model is in doubt."""
        began = self._began(job)
        tasks = [one for one in self.facts.studio.tasks.values() if self._near(one, job, began)]
        others = [one for one in self.facts.jobs.values() if self._doubtful(one, job, began)]
        lag = self.facts.studio.task_list.lag + self.facts.studio.list_lag
        young = self.facts.now < began + RETENTION - CLOCKS
        own = [one for one in tasks if one.prompt == job.prompt]
        sent = self.facts.arrivals_of(job)
        prompt = bool(sent) and sent[-1].at < began + 15.0
        return len(tasks) == len(own) == 1 and not others and young and lag <= SHORT_LAG and prompt

    def _began(self, job: Job) -> float:
        links = [link for link in job.records if link.state == SUBMITTING]
        alone = [one for one in links if "unknown" not in one.record]
        return (alone or links)[-1].at

    def _near(self, task: SimTask, job: Job, began: float) -> bool:
        known = any(task.task_id in one.tasks for one in self.facts.jobs.values())
        near = -EARLIER < task.created - began < NEAR
        return task.model == job.model and near and not known

    def _doubtful(self, other: Job, job: Job, began: float) -> bool:
        return (
            other is not job
            and other.model == job.model
            and any(
                link.state in (SUBMITTING, NEEDS_ATTENTION) and abs(link.at - began) < 2 * NEAR
                for link in other.records
            )
        )
