"""From a job file to a submitted task without waiting for a timer."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from shared.jobs.intake import Intake, IntakeOutcome
from shared.jobs.submit import Submission
from shared.ledger.heartbeat import Heartbeat
from shared.ledger.queue import Queue
from shared.ledger.records import FINAL, QUEUED
from shared.platform.logs import about
from shared.storage.layout import job_of_marker

PATIENCE = 2.5

log = logging.getLogger(__name__)


@dataclass
class Dispatch:
    """What the submit function does with an object."""

    intake: Intake
    queue: Queue
    submission: Submission
    heartbeat: Heartbeat

    def job_file(self, key: str) -> list[IntakeOutcome]:
        """Take in a job file, submit what can go at once, and see to it that somebody polls.

        Raises StoreError; then the event is delivered again, and everything done so far is found
        done.
        """
        taken = self.intake.take_object(key)
        for one in taken:
            if not one.new and not one.violations:
                log.info(
                    "job %s: known already, and %s; %s came once more",
                    one.job,
                    one.record.state,
                    key,
                    extra=about("job.known", one.record, source=key, state=one.record.state),
                )
        self.submit_heads(taken)
        self.ensure_polled(taken)
        return taken

    def submit_heads(self, taken: Iterable[IntakeOutcome]) -> None:
        """Submit those of the jobs that are next in their model's queue: nobody is overtaken."""
        queued = {one.job: one.record for one in taken if one.record.state == QUEUED}
        for model in sorted({str(record.data["model"]) for record in queued.values()}):
            for marker in self.queue.head(model, 1):
                record = queued.get(job_of_marker(marker))
                if record is not None:
                    self.submission.submit(record, PATIENCE)

    def ensure_polled(self, taken: Iterable[IntakeOutcome]) -> None:
        """Wake a poller if there is anything to poll for."""
        if any(one.record.state not in FINAL for one in taken):
            self.heartbeat.wake_if_nobody()
