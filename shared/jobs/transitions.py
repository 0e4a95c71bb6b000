"""Ending a job: the last record, which holds the manifest, then `result.json`, marker and slot.

The record decides, so it comes first: a manifest written before it would stay, and be wrong, where
somebody else was faster. `result.json` is a copy of what the record holds; whoever dies before
writing it leaves slot or marker, and whoever comes across these writes it. Images lie in the bucket
before either names them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.catalogue.errors import ErrorRule
from shared.catalogue.models import Catalogue
from shared.ledger.queue import Queue
from shared.ledger.record import as_written, carried, slot_of
from shared.ledger.records import (
    CANCELED,
    FAILED,
    QUEUED,
    REJECTED,
    SUBMITTING,
    SUCCEEDED,
    Record,
    Records,
)
from shared.ledger.slots import Slot, Slots
from shared.modelstudio.client import ServiceError
from shared.platform.clock import Clock, iso
from shared.platform.logs import about
from shared.poller.metrics import numbers_of
from shared.storage import layout
from shared.storage.objects import ObjectStore

log = logging.getLogger(__name__)


@dataclass
class Transitions:
    """Writes last records and manifests, and cleans up after attempts."""

    store: ObjectStore
    records: Records
    queue: Queue
    slots: Slots
    catalogue: Catalogue
    clock: Clock
    region: str

    def finish(
        self,
        last: Record,
        state: str,
        outcome: Mapping[str, Any],
        first: Record | None = None,
    ) -> Record | None:
        """End a job in `state`. None: somebody else moved the job first. Raises StoreError.

        `outcome` holds the manifest's fields beyond those that follow from the records; `first` is
        the record with the spec, if it is at hand.
        """
        first = first or self.records.get(last.job, last.data.get("spec_seq", 1)) or last
        manifest = self._manifest(first, last, state, self.clock.now()) | dict(outcome)
        if "failed_images" not in outcome:
            manifest["failed_images"] = _given_up(last, manifest["error"])
        data = carried(last, kept=None, missing=None) | {"manifest": manifest}
        made = self.records.append(last.job, last.seq + 1, state, data)
        if made is None:
            return None
        _log_end(made, numbers_of(manifest))
        self.complete(made, marked=last.state in (QUEUED, SUBMITTING))
        return made

    def fail(
        self, last: Record, why: dict[str, Any], facts: Mapping[str, Any] | None = None
    ) -> Record | None:
        """End a job that will get nothing more: FAILED, or a success with what there is already.

        `facts` are those of the last task, which count where there is nothing else. Raises
        StoreError.
        """
        if last.data.get("kept"):
            return self.finish(last, SUCCEEDED, {"failed_images": _given_up(last, why)})
        return self.finish(last, FAILED, dict(facts or {}) | {"error": why})

    def complete(self, ended: Record, *, marked: bool = True) -> None:
        """Manifest, marker and slot of a job that is over; doing it twice is doing it once.

        `marked`: the job may still have its marker; it goes when a task is accepted.
        """
        self.restore_manifest(ended)
        if marked and "queued_ms" in ended.data:
            self.queue.remove(ended.job, ended.data)
        slot = slot_of(ended)
        if slot is not None:
            self.slots.free(slot)

    def clean_up(self, slot: Slot, last: Record) -> None:
        """Clean up after an attempt that is over; `last` is the job's last record.

        The slot goes last: as long as it stands, somebody comes and does the rest.
        """
        if last.state == QUEUED:
            self.queue.add(last.job, last.data)
        self.restore_manifest(last)
        self.slots.free(slot)

    def restore_manifest(self, last: Record) -> None:
        """Write `result.json` from the last record, if that holds one. Raises StoreError.

        Only a rejected job can go on, when its file is right the next time. So a rejection is
        only ever written where nothing lies: whoever comes late with one cannot hide what the job
        has become.
        """
        manifest = last.data.get("manifest")
        if manifest is None:
            return
        text = json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n"
        if last.state == REJECTED:
            self.store.create(layout.result(last.job), text)
        else:
            self.store.put(layout.result(last.job), text)

    def _manifest(self, first: Record, last: Record, state: str, ended: float) -> dict[str, Any]:
        data = last.data
        paid = data.get("paid", 0)
        task = {
            "id": data.get("task_id"),
            "create_request_id": data.get("create_request_id"),
            "attempt": data.get("attempt", 0),
        }
        return {
            "job": last.job,
            "state": state,
            "model": data.get("model"),
            "created_at": first.at,
            "submitted_at": data.get("submitted_at"),
            "finished_at": iso(ended),
            "task": task if data.get("task_id") else None,
            "images": data.get("kept", []),
            "failed_images": [],
            "usage": {"image_count": paid} if paid else None,
            "price": self.price(data["model"], paid) if paid else None,
            "error": None,
            "warnings": first.data.get("warnings", []),
            "violations": [],
            "source": first.data.get("source"),
            "spec": as_written(first.data.get("spec")),
        }

    def price(self, model: str, images: int) -> dict[str, Any] | None:
        """What the images cost by the catalogue; failed ones are free."""
        entry = self.catalogue.get(model)
        if entry is None:
            return None
        each = entry.price.in_region(self.region).per_image
        return {
            "currency": entry.price.currency,
            "per_image": each,
            "images": images,
            "total": round(each * images, 4),
            "checked": entry.price.checked,
        }


def _log_end(made: Record, numbers: Mapping[str, Any]) -> None:
    """The job's last line, which has its numbers."""
    level = logging.INFO if made.state in (SUCCEEDED, CANCELED) else logging.WARNING
    why = f" ({numbers['code']})" if numbers["code"] else ""
    said = (made.job, made.state, numbers["images"], numbers["total_s"] or 0.0, why)
    extra = about("job.ended", made, **numbers)
    log.log(level, "job %s: %s with %d images after %.1f s%s", *said, extra=extra)


def _given_up(last: Record, why: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The images that another attempt was to make and that nothing came of."""
    reason = (
        why
        or last.data.get("error")
        or own_error(
            "Ended",
            "The job ended before another attempt was made for this image.",
            retryable=True,
            hint="Submit the job again for the missing images.",
            hint_zh="请为缺失的图像重新提交任务。",
        )
    )
    return [{"number": number, **reason} for number in last.data.get("missing", ())]


def explained(error: ServiceError, rule: ErrorRule) -> dict[str, Any]:
    """An error of the service as manifest and record show it."""
    return {
        "code": error.code,
        "message": error.message,
        "class": rule.kind,
        "retryable": rule.retryable,
        "hint": rule.hint,
        "hint_zh": rule.hint_zh,
        "request_id": error.request_id or None,
    }


def trouble(error: ServiceError, rule: ErrorRule) -> dict[str, Any]:
    """An error of the service as fields of a log line."""
    return {
        "code": error.code,
        "class": rule.kind,
        "http": error.http,
        "request_id": error.request_id or None,
    }


def own_error(
    code: str, message: str, *, retryable: bool, hint: str, hint_zh: str
) -> dict[str, Any]:
    """An error that this system found itself, in the same shape."""
    return {
        "code": code,
        "message": message,
        "class": "ours",
        "retryable": retryable,
        "hint": hint,
        "hint_zh": hint_zh,
        "request_id": None,
    }


def state_of(images: Sequence[Any]) -> str:
    """A task is a success as soon as one image is good (wan2.5 API reference)."""
    return SUCCEEDED if images else FAILED
