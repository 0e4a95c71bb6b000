"""Ending a job: the manifest first, then the record, then slot and marker.

Whoever reads `result.json` finds every image it names; whoever dies between two of these steps
leaves nothing that the next run does not simply do again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared import keys
from shared.catalogue import Catalogue
from shared.clock import Clock, iso
from shared.errors import ErrorRule
from shared.jobdata import as_written, carried
from shared.modelstudio import ServiceError
from shared.objects import ObjectStore
from shared.queue import Queue
from shared.records import FAILED, QUEUED, SUBMITTING, SUCCEEDED, Record, Records
from shared.slots import Slots

log = logging.getLogger(__name__)


@dataclass
class Endings:
    """Writes manifests and last records."""

    store: ObjectStore
    records: Records
    queue: Queue
    slots: Slots
    catalogue: Catalogue
    clock: Clock
    region: str

    def finish(self, last: Record, state: str, outcome: Mapping[str, Any]) -> Record | None:
        """End a job in `state`. None: somebody else moved the job first. Raises StoreError.

        `outcome` holds the manifest's fields beyond those that follow from the records.
        """
        first = self.records.get(last.job, last.data.get("spec_seq", 1)) or last
        ended = self.clock.now()
        manifest = self._manifest(first, last, state, ended) | dict(outcome)
        self.write_manifest(last.job, manifest)
        data = carried(last) | {"error": outcome.get("error"), "usage": outcome.get("usage")}
        data = {name: value for name, value in data.items() if value is not None}
        made = self.records.append(last.job, last.seq + 1, state, data)
        if made is not None:
            log.info("job %s: %s", last.job, state)
            self._clear(last)
        return made

    def _clear(self, last: Record) -> None:
        """Remove the marks of a job that is over; the marker went when the task was accepted."""
        if last.state in (QUEUED, SUBMITTING):
            self.queue.remove(last.job, last.data)
        if "slot_seq" in last.data:
            self.slots.free(last.data["model"], last.job, last.data["slot_seq"])

    def write_manifest(self, job: str, manifest: Mapping[str, Any]) -> None:
        """Write `results/<job>/result.json` (schemas/result.schema.yaml). Raises StoreError."""
        text = json.dumps(manifest, ensure_ascii=False, indent=2)
        self.store.put(keys.result(job), text.encode() + b"\n")

    def _manifest(self, first: Record, last: Record, state: str, ended: float) -> dict[str, Any]:
        data = last.data
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
