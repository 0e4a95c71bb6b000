"""What a person decides about a job whose call was lost: to run it again, or to let it be.

A retry comes first and the decision after it, so that whoever is interrupted between the two finds
the job still undecided. The decision makes one retry, which is never doubled, however it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.jobs.idempotency import IdempotencyKey, KeyReused
from shared.jobs.intake import IntakeOutcome
from shared.jobs.retry import NotRetryable, Retries
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import NEEDS_ATTENTION, Record
from shared.ledger.wakeups import ANNOUNCED
from shared.storage import layout

LOST = "CallLost"
DECIDED = "CallGivenUp"
RETRY, FAILED = "retry", "failed"
DECISIONS = (RETRY, FAILED)
OWNER = "\nlost call"
"""Of the keys under which the retries are made; no caller's name has a line break."""


class NotLost(Exception):
    """The job is none whose call was lost. `last` is its last record, None if there is no job."""

    def __init__(self, last: Record | None) -> None:
        state = "There is no such job." if last is None else f"The job is {last.state}."
        super().__init__(f"{state} Only a job that NEEDS_ATTENTION with the error {LOST} has this.")
        self.last = last


@dataclass(frozen=True)
class Decided:
    """The job's last record now, and what became of its retry, if there is to be one."""

    record: Record
    retry: IntakeOutcome | None = None


@dataclass
class LostCalls:
    """Ends jobs whose call was lost. Done again it changes nothing."""

    ledger: Ledger
    transitions: Transitions
    retries: Retries

    def decide(self, job: str, decision: str, prefix: str = "") -> Decided:
        """End the job as FAILED, or as succeeded with the images that earlier attempts kept; with
        the decision `retry` after it was run again as a job of its own.

        `prefix`: of the retry's name, as the caller's token has it. Raises NotLost, NotRetryable,
        StoreError.
        """
        last = self.ledger.records.last(job) if layout.is_job_id(job) else None
        if last is None or last.erased is not None or code_of(last) not in (LOST, DECIDED):
            raise NotLost(last)
        if decision == FAILED:
            return Decided(self._end(last, "it is not run again"))
        made = self._run_again(last, prefix)
        if made.violations:  # nothing runs again, so nothing is decided
            return Decided(last, made)
        return Decided(self._end(last, f"it was run again as {made.job}"), made)

    def _run_again(self, last: Record, prefix: str) -> IntakeOutcome:
        key = IdempotencyKey(OWNER, last.job)
        try:
            return self.retries.retry(last, prefix, key)
        except KeyReused:
            note = layout.request(key.mark)
            raise NotRetryable(
                f"The note of which job it was run again as cannot be read; delete {note}, look"
                " whether there is such a job, and decide again."
            ) from None

    def _end(self, last: Record, decision: str) -> Record:
        """The last record after the decision; one that is there already stays."""
        if last.state != NEEDS_ATTENTION:
            return last
        why = self.transitions.rules.errors.ours(DECIDED, decision=decision)
        ended = self.transitions.fail(self._before_its_end(last), why)
        if self.ledger.outbox.news:
            self.ledger.wake.because(ANNOUNCED)
        return ended or self.ledger.records.last(last.job) or last

    def _before_its_end(self, last: Record) -> Record:
        """The record before the final one: it knows the images that earlier attempts kept. What
        the lost call may have been billed for is in the final one alone."""
        before = self.ledger.records.get(last.job, last.seq - 1) or last
        return replace(before, seq=last.seq, bill=last.bill or before.bill, paid=last.paid)


def code_of(last: Record) -> str | None:
    """The code of the error that ended a job."""
    error = last.manifest.error if last.manifest else None
    return str(error["code"]) if error else None
