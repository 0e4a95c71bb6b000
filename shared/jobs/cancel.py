"""Canceling a job while nothing is paid for it yet, or while nobody knows whether it is."""

from __future__ import annotations

from dataclasses import dataclass

from shared.jobs.manifest import Outcome
from shared.jobs.transitions import Transitions
from shared.ledger import wakeups
from shared.ledger.ledger import Ledger
from shared.ledger.record import CANCELED, IN_FLIGHT, PENDING, QUEUED, SUBMITTING, Record
from shared.modelstudio.client import ModelStudio, ServiceError
from shared.storage import layout

REFUSED = "UnsupportedOperation"
"""The service's code for a task that is not PENDING any more (task management page)."""


class NotCancelable(Exception):
    """The job is unknown, being sent, running or over. `last` is its last record, if any."""

    def __init__(self, last: Record | None) -> None:
        super().__init__(_why_not(last))
        self.last = last


@dataclass
class Cancellation:
    """Cancels jobs."""

    ledger: Ledger
    transitions: Transitions
    model_studio: ModelStudio

    def cancel(self, job: str) -> Record:
        """Cancel a job that waits, here or at the service, or whose submission was not answered;
        returns its last record. A task that was made for such a submission runs on and is billed.

        Raises NotCancelable; ServiceError if the service cannot be asked, StoreError. A race with
        a submission is decided by the next record's number: a job that was canceled is never sent.
        """
        try:
            return self._cancel(job)
        finally:  # a place may be free, and what an instance that died has left may be left still
            self.ledger.wake.because(wakeups.CANCELED)

    def _cancel(self, job: str) -> Record:
        records = self.ledger.records
        last = records.last(job) if layout.is_job_id(job) else None
        while last is not None and (last.state in (QUEUED, PENDING) or _is_in_doubt(last)):
            ended = self._pending(last) if last.state == PENDING else self._here(last)
            if ended is not None:
                return ended
            last = records.last_from(last)
        if last is not None and last.state == CANCELED:
            self.transitions.complete(last)  # the instance that canceled it may have died meanwhile
        raise NotCancelable(last)

    def _here(self, last: Record) -> Record | None:
        if last.state == QUEUED:
            return self.transitions.finish(last, CANCELED)
        unclear = self.transitions.rules.errors.ours("CanceledInDoubt")
        return self.transitions.finish(last, CANCELED, Outcome(error=unclear))

    def _pending(self, last: Record) -> Record | None:
        try:
            self.model_studio.cancel(last.task_id or "")
        except ServiceError as error:
            if error.code == REFUSED:
                raise NotCancelable(last) from None
            raise
        return self.transitions.finish(last, CANCELED) or self._canceled_meanwhile(last)

    def _canceled_meanwhile(self, last: Record) -> Record | None:
        """The record CANCELED, if the poller saw the canceled task first and wrote it."""
        now = self.ledger.records.last_from(last)
        return now if now.state == CANCELED else None


def _why_not(last: Record | None) -> str:
    if last is None:
        return "There is no such job."
    if last.call and last.state in IN_FLIGHT:
        return (
            f"The job is {last.state}: its model is being called, and a call cannot be canceled."
            " It ends by itself within some minutes."
        )
    return f"The job is {last.state}."


def _is_in_doubt(last: Record) -> bool:
    """Whether a submission was sent and not answered."""
    return last.state == SUBMITTING and last.unknown is not None
