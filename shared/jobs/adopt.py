"""Giving a task of the service to a job whose answer was lost: what a person decides."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from shared.jobs.submit import Submission
from shared.ledger.ledger import Ledger
from shared.ledger.record import CANCELED, FINAL, NEEDS_ATTENTION, SUBMITTING, Record
from shared.ledger.slots import Slot
from shared.ledger.wakeups import ADOPTED
from shared.modelstudio.client import TASK_ID, ListedTask, ModelStudio
from shared.platform.clock import iso
from shared.storage import layout
from shared.storage.objects import ObjectDamaged


class NotAdoptable(Exception):
    """The task cannot become the job's; the message says why and what to do."""


@dataclass
class Adoption:
    """Adopts tasks. Only the account's owner can tell that a task is a job's."""

    ledger: Ledger
    submission: Submission
    model_studio: ModelStudio

    def adopt(self, job: str, task_id: str) -> Record:
        """Let a job that needs attention, or is in doubt, go on with a task; its last record now.

        Done again it changes nothing. Raises NotAdoptable; ServiceError if the service cannot be
        asked, StoreError.
        """
        last = self.ledger.records.last(job) if layout.is_job_id(job) else None
        if last is None:
            raise NotAdoptable("There is no such job.")
        if last.task_id == task_id and last.state != NEEDS_ATTENTION:
            return last
        if not is_undecided(last):
            raise NotAdoptable(
                f"The job is {last.state}; only a job that NEEDS_ATTENTION, or whose submission was"
                " not answered, can take a task."
            )
        task = self._task(last, task_id)
        self._refuse_another_jobs(last, task_id)
        made = self._go_on(last, task)
        self.ledger.wake.because(ADOPTED)
        return made

    def _task(self, last: Record, task_id: str) -> ListedTask:
        """The task, if it is of the job's model and the service still has it."""
        if not TASK_ID.fullmatch(task_id):
            raise NotAdoptable("This is not the id of a task; copy it from the list of tasks.")
        if self.model_studio.query(task_id).status == "UNKNOWN":
            raise NotAdoptable(
                "The service does not know the task: it is older than 24 hours, or it belongs to"
                " another account. Check the id."
            )
        listed = self.model_studio.find(task_id)
        if listed is None:
            raise NotAdoptable(
                "The service's list does not show the task yet, so its model cannot be checked."
                " Try again in a minute."
            )
        wanted = self.submission.rules.service_id(last.model)
        if listed.model and listed.model != wanted:
            raise NotAdoptable(f"The task is one of {listed.model}, the job is for {wanted}.")
        return listed

    def _refuse_another_jobs(self, last: Record, task_id: str, slot: Slot | None = None) -> None:
        """Refuse a task that another job has; `slot` was claimed for it."""
        owner = self.ledger.tasks.owner(task_id)
        job = owner[0] if owner is not None else self._in_flight(last.model, task_id)
        if job is not None and job != last.job:
            self._give_back(slot, last)
            raise NotAdoptable(f"The task belongs to job {job}.")

    def _in_flight(self, model: str, task_id: str) -> str | None:
        """The job that waits for the task's end: it claims the task only then."""
        for held in self.ledger.slots.held(model):
            with suppress(ObjectDamaged):  # nothing can be said of that job
                last = self.ledger.records.last(held.slot.job)
                if last is not None and last.task_id == task_id:
                    return last.job
        return None

    def _give_back(self, slot: Slot | None, last: Record) -> None:
        """Free a slot unless it is that of the attempt in doubt, which has it longer."""
        if slot is not None and slot != last.slot:
            self.ledger.slots.free(slot)

    def _go_on(self, last: Record, task: ListedTask) -> Record:
        """The record PENDING, after the claim and the slot that it needs."""
        self.submission.transitions.tell(last)
        slot = last.slot if last.state == SUBMITTING else None
        slot = slot or self.ledger.slots.claim(last.model, last.job, last.seq + 1)
        if not self.ledger.tasks.claim(task.task_id, slot):
            self._refuse_another_jobs(last, task.task_id, slot)
        before = _before_its_end(self.ledger, last)
        draft = replace(before, seq=last.seq).claimed(slot)
        sent_at = iso(min(task.created, self.ledger.clock.now()))
        made = self.submission.accepted(draft, task.task_id, task.request_id, sent_at)
        if made is None:
            self._give_back(slot, last)
            raise NotAdoptable("The job moved on meanwhile; look at it again.")
        return made


def is_undecided(last: Record) -> bool:
    """Whether a person may say which task is the job's; a call never has one."""
    if last.call or last.erased is not None:
        return False
    if last.state == SUBMITTING:
        return last.unknown is not None
    canceled_in_doubt = last.state == CANCELED and last.slot is not None and last.task_id is None
    return canceled_in_doubt or (last.state == NEEDS_ATTENTION and bool(last.attempt))


def _before_its_end(ledger: Ledger, last: Record) -> Record:
    """The record before the final one: it knows the images that earlier attempts kept."""
    if last.state not in FINAL:
        return last
    return ledger.records.get(last.job, last.seq - 1) or last
