"""Accepting jobs: take them in and make sure that a poller sends them, in one call.

Every front goes through `Acceptance`, so that none can forget the second half: a job without a
poller would wait for the next tick of the timer.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.catalogue.models import SYNC, Model
from shared.jobfile import Document
from shared.jobs.intake import Intake, IntakeOutcome, Source
from shared.jobs.submit import Submission
from shared.ledger.lease import SUBMIT
from shared.ledger.ledger import Ledger
from shared.ledger.record import QUEUED, Record
from shared.ledger.wakeups import ACCEPTED, ANNOUNCED, RELEASED
from shared.platform.logs import about
from shared.storage.layout import job_of_marker
from shared.storage.objects import StoreError

PATIENCE = 2.5
"""Seconds for which `submit` waits for a permit to send a job at once."""

log = logging.getLogger(__name__)


@dataclass
class Acceptance:
    """Accepts job files, documents and single jobs. Every method may raise StoreError."""

    ledger: Ledger
    intake: Intake
    submission: Submission

    def job_file(self, key: str) -> list[IntakeOutcome]:
        """Accept the job file at `key` and submit what can go at once.

        After StoreError the event is delivered again, and everything done so far is found done.
        """
        taken = self.intake.take_object(key)
        for one in taken:
            if not one.new and not one.violations:
                _log_known(one, key)
        queued = {one.job: one.record for one in taken if self._may_go(one.record)}
        if not queued:
            return self._with_a_poller(taken)
        self._submit_heads(queued)
        if not self.ledger.lease.polled():
            self.ledger.wake.because(RELEASED)
        return taken

    def body(self, body: bytes, source: Source) -> list[IntakeOutcome]:
        """Accept a job file's bytes, each document by itself."""
        return self._with_a_poller(self.intake.take(body, source))

    def documents(self, documents: Sequence[Document], source: Source) -> list[IntakeOutcome]:
        """Accept documents that were read already.

        A job that is new and that its caller did not name is accepted even if no poller can be
        woken: the same request again would be another job.
        """
        taken = self.intake.take_documents(documents, source)
        try:
            return self._with_a_poller(taken)
        except StoreError as error:
            if not any(one.new and one.record.spec and not one.record.spec.id for one in taken):
                raise
            log.warning(
                "no poller can be woken, so that its timer must: %s",
                error,
                extra=about("round.trouble", step="wake"),
            )
            return taken

    def value(self, value: dict[str, Any], source: Source) -> IntakeOutcome:
        """Accept one job that was read already."""
        return self.documents([Document(0, value)], source)[0]

    def known(self, record: Record) -> IntakeOutcome:
        """A job that was accepted before, with what an instance that died left undone."""
        return self._with_a_poller([self.intake.known(record)])[0]

    def _may_go(self, record: Record) -> bool:
        """Whether a job can be submitted here. A call may take minutes: that is the poller's."""
        model = self.submission.rules.model(record.model)
        return record.state == QUEUED and not (model is not None and model.mode == SYNC)

    def _submit_heads(self, queued: Mapping[str, Record]) -> None:
        """Submit those of the jobs that are next in their model's queue: nobody is overtaken.

        Only if nobody holds the lease; its holder, or the poller that is woken then, sends them.
        """
        if not self.ledger.lease.take(SUBMIT):
            return
        try:
            for model in sorted({record.model for record in queued.values()}):
                self._submit_head(model, queued)
        finally:
            self.ledger.lease.release()

    def _submit_head(self, name: str, queued: Mapping[str, Record]) -> None:
        model = self.submission.rules.model(name)
        for marker in self.ledger.queue.head(name, 1):
            record = queued.get(job_of_marker(marker))
            if model is None or record is None or record.model != name:
                return
            if self._room(model) > 0:
                self.submission.submit(record, PATIENCE)

    def _room(self, model: Model) -> int:
        held = Counter(one.slot.model for one in self.ledger.slots.held())
        shared = sum(held[name] for name in self.submission.rules.catalogue.mates(model.name))
        return self.ledger.breakers.room(model, held[model.name], shared)

    def _with_a_poller(self, taken: list[IntakeOutcome]) -> list[IntakeOutcome]:
        """Wake a poller if there is anything to poll for."""
        if any(not one.record.is_final for one in taken):
            self.ledger.wake.because(ACCEPTED)
        elif self.ledger.outbox.news:
            self.ledger.wake.because(ANNOUNCED)
        return taken


def _log_known(one: IntakeOutcome, key: str) -> None:
    log.info(
        "job %s: known already, and %s; %s came once more",
        one.job,
        one.record.state,
        key,
        extra=about("job.known", one.record, source=key, state=one.record.state),
    )
