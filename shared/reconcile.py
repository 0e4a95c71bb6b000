"""Attempts whose outcome is not known.

The task list is the only documented way to find a task whose create answer was lost; it shows
model, time and id, but nothing that the caller sent (task management page). So: tasks of that
model and time window, minus the tasks that other jobs of ours are known to have made.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from shared import keys
from shared.catalogue import Catalogue
from shared.clock import Clock, from_iso
from shared.modelstudio import ListedTask, ModelStudio
from shared.objects import ObjectStore
from shared.records import NEEDS_ATTENTION, SUBMITTING, Record, Records
from shared.results import Endings, own_error
from shared.submission import Submission
from shared.tickets import tick_length

SKEW = 5.0
"""Seconds by which clocks of instances, store and service may differ."""
MARGIN = 15.0
"""Seconds beyond the create timeout after which a silent submitter is taken for dead."""
TICKET_BYTES = 4096

log = logging.getLogger(__name__)


@dataclass
class Reconciliation:
    """Finds out what became of an attempt. `grace` in seconds."""

    catalogue: Catalogue
    service: ModelStudio
    store: ObjectStore
    records: Records
    submission: Submission
    endings: Endings
    clock: Clock
    grace: float

    def resolve(self, last: Record) -> Record | None:
        """Adopt the attempt's task, queue the job again, or put it before a person.

        Returns the job's last record now, the same one while it is too early to say, None if
        somebody else moved the job. Raises ServiceError, StoreError.
        """
        age = self.clock.now() - from_iso(last.at)
        if "unknown" not in last.data and age < self.service.create_timeout + MARGIN:
            return last
        candidates, others_in_doubt = self._candidates(last)
        if len(candidates) == 1 and not others_in_doubt:
            task = candidates[0]
            log.warning("job %s: task %s is adopted as its own", last.job, task.task_id)
            submitted = last.data.get("submitted_at") or last.at
            return self.submission.accepted(last, task.task_id, task.request_id, submitted)
        if age < self.grace:
            return last
        if candidates:
            return self._ask_a_person(last, candidates)
        why = own_error(
            "NoTaskMade",
            f"The submission was not answered, and {int(age)} seconds later no task is listed.",
            retryable=True,
            hint="Nothing to do: the job is submitted again.",
            hint_zh="无需处理,任务将自动重新提交。",
        )
        return self.submission.requeue(last, why, counts_as_attempt=True)

    def _candidates(self, last: Record) -> tuple[list[ListedTask], bool]:
        model = last.data["model"]
        intent = self.records.get(last.job, last.data["slot_seq"]) or last
        start, end = from_iso(intent.at) - SKEW, self.clock.now() + SKEW
        known, others_in_doubt = self._known(last.job, model, start)
        listed = self.service.listed(model, start, end)
        return [task for task in listed if task.task_id not in known], others_in_doubt

    def _known(self, job: str, model: str, start: float) -> tuple[set[str], bool]:
        """Task ids of every job that held a ticket since `start`, this job's earlier ones too."""
        known: set[str] = set()
        in_doubt = False
        for holder in self._ticket_holders(model, start) | {job}:
            chain = self.records.chain(holder)
            known |= {str(r.data["task_id"]) for r in chain if r.data.get("task_id")}
            in_doubt |= holder != job and bool(chain) and chain[-1].state == SUBMITTING
        return known, in_doubt

    def _ticket_holders(self, model: str, start: float) -> set[str]:
        entry = self.catalogue.get(model)
        if entry is None:
            return set()
        length = tick_length(entry.limits.submissions, entry.limits.per_seconds)
        after = keys.ticket(model, int((start - SKEW) // length) - 1)
        tickets = self.store.list(keys.tickets_of(model), after=after)
        bodies = (self.store.read(ticket.key, TICKET_BYTES).body for ticket in tickets)
        return {str(json.loads(body)["job"]) for body in bodies}

    def _ask_a_person(self, last: Record, candidates: list[ListedTask]) -> Record | None:
        names = ", ".join(task.task_id for task in candidates)
        error = own_error(
            "SubmissionUnclear",
            "The submission was not answered, and more than one task could be this job's:"
            f" {names}.",
            retryable=False,
            hint="Look at these tasks; if none is this job's, submit it again under a new id.",
            hint_zh="请核对这些任务;若都不属于本任务,请以新的 id 重新提交。",
        )
        return self.endings.finish(last, NEEDS_ATTENTION, {"error": error})
