"""A job as the service would show the task: the answer to a query.

Field names, order and forms as in the samples of the three API references; times are UTC+8
without saying so (wan2.5 API reference).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.app import App
from shared.ledger.records import (
    CANCELED,
    FAILED,
    FINAL,
    REJECTED,
    RUNNING,
    SUCCEEDED,
    Record,
)
from shared.modelstudio.client import BEIJING_TIME
from shared.platform.clock import from_iso, iso
from shared.storage import layout

PENDING = "PENDING"
UNKNOWN = "UNKNOWN"
STATUSES = (PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, UNKNOWN)
"""What a list can be filtered by (task management page)."""
LINK_SECONDS = 7 * 24 * 3600
"""The longest a V4 signature may hold (OSS signature page)."""
REJECTION = "InvalidParameter"


def status_of(record: Record) -> str:
    """The service's word for a job's state."""
    if record.state in (RUNNING, SUCCEEDED, CANCELED):
        return record.state
    return FAILED if record.state in FINAL else PENDING


@dataclass
class TaskView:
    """Shows jobs of one service."""

    app: App

    def show(self, job: str) -> dict[str, Any]:
        """`output`, and `usage` of a success. Raises StoreError."""
        last = self.app.records.last(job) if layout.is_job_id(job) else None
        if last is None:
            return unknown(job)
        spec_seq = last.data.get("spec_seq", 1)
        first = last if last.seq == spec_seq else self.app.records.get(job, spec_seq) or last
        status = status_of(last)
        manifest = last.data.get("manifest") or {}
        output: dict[str, Any] = {"task_id": job, "task_status": status}
        output |= _times(first, last, manifest)
        if status == SUCCEEDED:
            return self._succeeded(output, manifest)
        if status == FAILED:
            output |= _failure(last)
        if status != CANCELED:
            output["task_metrics"] = _metrics(self._wanted(first, manifest), 0, status == FAILED)
        return {"output": output}

    def _succeeded(self, output: dict[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
        images, failed = manifest.get("images") or [], manifest.get("failed_images") or []
        shown = {image["number"]: self._image(image) for image in images}
        shown |= {one["number"]: {"code": one["code"], "message": one["message"]} for one in failed}
        output["results"] = [shown[number] for number in sorted(shown)]
        output["task_metrics"] = _metrics(len(shown), len(images), bool(failed))
        usage = manifest.get("usage") or {"image_count": len(images)}
        return {"output": output, "usage": usage}

    def _wanted(self, first: Record, manifest: Mapping[str, Any]) -> int:
        """How many images were asked for, or the model makes by default."""
        spec = first.data.get("spec") or manifest.get("spec")
        parameters = spec.get("parameters") if isinstance(spec, dict) else None
        number = parameters.get("n") if isinstance(parameters, dict) else None
        model = self.app.catalogue.get(str(first.data.get("model")))
        if number is None and model is not None:
            number = model.parameters_schema["properties"].get("n", {}).get("default")
        if not isinstance(number, int) or isinstance(number, bool):
            return 1
        return max(1, number)

    def _image(self, image: Mapping[str, Any]) -> dict[str, Any]:
        """A link made anew at each query: it works long after the service's own has expired."""
        prompts = {name: image.get(name) for name in ("orig_prompt", "actual_prompt")}
        told = {name: text for name, text in prompts.items() if text is not None}
        return told | {"url": self.app.store.presign(image["key"], LINK_SECONDS)}


def unknown(job: str) -> dict[str, Any]:
    """The answer for a job that never was, or is somebody else's."""
    return {"output": {"task_id": job, "task_status": UNKNOWN}}


def scheduled_at(last: Record, manifest: Mapping[str, Any]) -> str | None:
    """When the service began, as it said itself, or when the task was submitted.

    None: it has not begun, as far as is known.
    """
    if status_of(last) not in (RUNNING, SUCCEEDED, FAILED):
        return None
    began = (manifest.get("task_times") or {}).get("scheduled_time")
    submitted = last.data.get("submitted_at")
    return iso(began) if isinstance(began, (int, float)) else submitted


def _times(first: Record, last: Record, manifest: Mapping[str, Any]) -> dict[str, str]:
    moments = {"submit_time": first.at, "scheduled_time": scheduled_at(last, manifest)}
    if last.state in FINAL:
        moments["end_time"] = last.at
    return {name: _beijing(at) for name, at in moments.items() if at is not None}


def _beijing(at: str) -> str:
    moment = datetime.fromtimestamp(from_iso(at), BEIJING_TIME)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def _failure(last: Record) -> dict[str, str]:
    if last.state == REJECTED:
        found = last.data.get("violations") or []
        return {"code": REJECTION, "message": "; ".join(one["message"] for one in found)}
    error = (last.data.get("manifest") or {}).get("error") or {}
    code = error.get("code") or last.state.title().replace("_", "")
    return {"code": str(code), "message": str(error.get("message") or f"The job is {last.state}.")}


def _metrics(total: int, good: int, rest_failed: bool) -> dict[str, int]:
    return {"TOTAL": total, "SUCCEEDED": good, "FAILED": total - good if rest_failed else 0}
