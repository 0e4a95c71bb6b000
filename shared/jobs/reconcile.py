"""Attempts whose outcome is not known.

The task list is the only documented way to find a task whose create answer was lost; it shows
model, time and id, but nothing that the caller sent (task management page). So: tasks of that
model and time window, minus the tasks that other jobs of ours are known to have made.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.catalogue.rules import Rules
from shared.jobs.manifest import Outcome
from shared.jobs.submit import Submission
from shared.jobs.task_matching import Evidence
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import NEEDS_ATTENTION, SUBMITTING, Record
from shared.ledger.slots import Slot
from shared.ledger.tickets import tick_length, used_at
from shared.modelstudio.client import ListedTask, ModelStudio
from shared.modelstudio.download import RETENTION
from shared.platform.clock import from_iso
from shared.platform.logs import about
from shared.storage import layout

SKEW = 5.0
"""Seconds by which clocks of instances, store and service may differ."""
BLIND = 5
"""Times the grace after which a list is believed that shows no later task of ours: no document
says how far the list may be behind."""
SILENCE = 1.5
"""A submitter that is silent for this many create timeouts is taken for dead."""

log = logging.getLogger(__name__)


@dataclass
class Reconciliation:
    """Finds out what became of an attempt. `grace` in seconds; `ask`: leave it to a person."""

    ledger: Ledger
    rules: Rules
    model_studio: ModelStudio
    submission: Submission
    transitions: Transitions
    grace: float
    ask: bool = False

    def resolve(self, last: Record) -> Record | None:
        """Adopt the attempt's task, queue the job again, or put it before a person.

        Returns the job's last record now, the same one while it is too early to say, None if
        another instance moved the job. Raises ServiceError, StoreError.
        """
        now, began = self.ledger.clock.now(), self._began(last)
        age = now - from_iso(last.at)
        # Past a day the list shows its task no more, and asking for so long a span is refused
        # (task management page).
        if now - began >= RETENTION:
            return self._ask_a_person(last, [])
        if last.unknown is None and age < self.model_studio.create_timeout * SILENCE:
            return last
        evidence = self._evidence(last, began)
        task = None if self.ask else evidence.verdict()
        if task is not None:
            return self._adopt(last, task)
        if age < self.grace * (1 if evidence.witnessed or evidence.possible() else BLIND):
            return last
        if evidence.possible() or self.ask:
            return self._ask_a_person(last, evidence.possible())
        why = self.rules.errors.ours("NoTaskMade", seconds=int(age))
        return self.transitions.requeue(last, why)

    def _began(self, last: Record) -> float:
        """When the attempt began: the time of the record that says so, which is often the last."""
        seq = last.slot_seq or last.seq
        intent = last if seq == last.seq else self.ledger.records.get(last.job, seq) or last
        return from_iso(intent.at)

    def _adopt(self, last: Record, task: ListedTask) -> Record | None:
        log.warning(
            "job %s: task %s is adopted as its own",
            last.job,
            task.task_id,
            extra=about("job.adopted", last, task=task.task_id),
        )
        submitted = last.submitted_at or last.at
        return self.submission.accepted(last, task.task_id, task.request_id, submitted)

    def _evidence(self, last: Record, began: float) -> Evidence:
        """Tickets and tasks since the attempt began, minus the tasks that jobs of ours have."""
        model, start = last.model, began - SKEW
        # First the tasks, then the records: a task made in between must not look unclaimed.
        listed = self.model_studio.listed(model, start, self.ledger.clock.now() + SKEW)
        known: set[str] = set()
        mine, others = began, []
        for slot, at in self._claims(model, start).items():
            chain = self.ledger.records.chain(slot.job)
            known |= {record.task_id for record in chain if record.task_id}
            if slot == last.slot:
                mine = at
            elif chain and _in_doubt(chain[-1], slot):
                others.append(at)
        unknown = tuple(task for task in listed if task.task_id not in known)
        witnessed = any(task.task_id in known and task.created > mine for task in listed)
        patience = self.model_studio.create_timeout
        return Evidence(mine, tuple(others), unknown, patience, witnessed)

    def _claims(self, model: str, start: float) -> dict[Slot, float]:
        """When each claim since `start` sent its submission: by its last ticket, or, where that
        was lost, at the earliest when its slot was made."""
        found = {held.slot: held.since for held in self.ledger.slots.held(model)}
        return {slot: at for slot, at in found.items() if at >= start} | self._tickets(model, start)

    def _tickets(self, model: str, start: float) -> dict[Slot, float]:
        """Claim and time of every ticket since `start`. A rebuilt one says its time itself, and
        counts for less than a real one."""
        entry = self.rules.model(model)
        if entry is None:
            return {}
        length = tick_length(entry.limits.submissions, entry.limits.per_seconds)
        after = int((start - SKEW) // length) - 1
        real: dict[Slot, tuple[float, float]] = {}
        rebuilt: dict[Slot, float] = {}
        for ticket, holder in self.ledger.tickets.after(model, after, {}):
            slot = Slot(model, holder["job"], holder["seq"], holder["mark"])
            if "at" in holder:
                rebuilt[slot] = float(holder["at"])
            else:
                used = used_at(ticket.modified, layout.tick_of(ticket.key) * float(length))
                real[slot] = max(real.get(slot, (0.0, 0.0)), (ticket.modified, used))
        return rebuilt | {slot: used for slot, (_made, used) in real.items()}

    def _ask_a_person(self, last: Record, candidates: list[ListedTask]) -> Record | None:
        names = ", ".join(task.task_id for task in candidates) or "none"
        error = self.rules.errors.ours("SubmissionUnclear", tasks=names)
        return self.transitions.finish(last, NEEDS_ATTENTION, Outcome(error=error))


def _in_doubt(last: Record, slot: Slot) -> bool:
    """Whether the outcome of a claim is unknown; what a person decided is in no record."""
    open_state = last.state in (SUBMITTING, NEEDS_ATTENTION)
    return open_state and last.slot == slot and last.task_id is None
