"""Taking a job back while nothing is paid for it yet."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from shared import keys
from shared.jobdata import as_written, carried
from shared.modelstudio import ModelStudio, ServiceError
from shared.queue import Queue
from shared.records import CANCELED, PENDING, QUEUED, Record, Records
from shared.results import Endings

REFUSED = "UnsupportedOperation"
"""The service's code for a task that is not PENDING any more (task management page)."""

log = logging.getLogger(__name__)


class NotCancelable(Exception):
    """The job is unknown, being submitted, running or over. `last` is its last record, if any."""

    def __init__(self, last: Record | None) -> None:
        super().__init__("There is no such job." if last is None else f"The job is {last.state}.")
        self.last = last


@dataclass
class Canceling:
    """Everything needed to cancel a job."""

    records: Records
    queue: Queue
    endings: Endings
    service: ModelStudio

    def cancel(self, job: str) -> Record:
        """Cancel a job that waits, here or at the service; returns its last record.

        Raises NotCancelable; ServiceError if the service cannot be asked, StoreError. Whoever
        races with a submission wins or loses by the next record's number: a job that was
        canceled is never sent.
        """
        last = self.records.last(job) if keys.is_job_id(job) else None
        while last is not None and last.state in (QUEUED, PENDING):
            ended = self._queued(last) if last.state == QUEUED else self._pending(last)
            if ended is not None:
                log.info("job %s: canceled", job)
                return ended
            last = self.records.last_from(last)
        if last is not None and last.state == CANCELED and "task_id" not in last.data:
            self._finish(last)  # whoever canceled it may have died in between
        raise NotCancelable(last)

    def _queued(self, last: Record) -> Record | None:
        """The record decides, so it comes first: a manifest written before it would stay and be
        wrong if a submission were faster."""
        made = self.records.append(last.job, last.seq + 1, CANCELED, carried(last))
        if made is not None:
            self._finish(made)
        return made

    def _pending(self, last: Record) -> Record | None:
        try:
            self.service.cancel(last.data["task_id"])
        except ServiceError as error:
            if error.code == REFUSED:
                raise NotCancelable(last) from None
            raise
        ended = self.endings.finish(last, CANCELED, self._kept(last))
        return ended or self._canceled_meanwhile(last)

    def _canceled_meanwhile(self, last: Record) -> Record | None:
        """The poller may have seen and written down what was just done."""
        now = self.records.last_from(last)
        return now if now.state == CANCELED else None

    def _finish(self, ended: Record) -> None:
        """Manifest and marker of a job that was canceled here: the same however often written."""
        first = self.records.get(ended.job, ended.data["spec_seq"]) or ended
        self.endings.write_manifest(ended.job, _manifest(first, ended) | self._kept(ended))
        self.queue.remove(ended.job, ended.data)

    def _kept(self, last: Record) -> dict[str, Any]:
        """What earlier attempts of the job made and cost."""
        paid = last.data.get("paid", 0)
        if not paid:
            return {}
        price = self.endings.price(last.data["model"], paid)
        images = last.data.get("kept", [])
        return {"images": images, "usage": {"image_count": paid}, "price": price}


def _manifest(first: Record, ended: Record) -> dict[str, Any]:
    """`result.json` of a job that was never sent (schemas/result.schema.yaml)."""
    return {
        "job": ended.job,
        "state": CANCELED,
        "model": ended.data.get("model"),
        "created_at": first.at,
        "submitted_at": None,
        "finished_at": ended.at,
        "task": None,
        "images": [],
        "failed_images": [],
        "usage": None,
        "price": None,
        "error": None,
        "warnings": first.data.get("warnings", []),
        "violations": [],
        "source": first.data.get("source"),
        "spec": as_written(first.data.get("spec")),
    }
