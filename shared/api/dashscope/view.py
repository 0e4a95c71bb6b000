"""A job as the service would show the task: the answer to a query.

Field names, order and forms as in the samples of the three API references; times are UTC+8
without saying so (wan2.5 API reference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.api.dashscope import errors
from shared.api.dashscope.forms import in_messages, output_with
from shared.api.dashscope.paths import results_at
from shared.app import App
from shared.catalogue.errors import CALLER, INPUT_FETCH, POLICY
from shared.catalogue.models import Model
from shared.jobs.view import error_of, written_of
from shared.jobs.wanted import images_wanted
from shared.ledger.manifest import Manifest
from shared.ledger.record import CANCELED, FAILED, FINAL, REJECTED, RUNNING, SUCCEEDED, Record
from shared.modelstudio.answers import BEIJING_TIME
from shared.platform.clock import from_iso, iso
from shared.storage import layout

PENDING = "PENDING"
UNKNOWN = "UNKNOWN"
STATUSES = (PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, UNKNOWN)
"""What a list can be filtered by (task management page)."""
LINK_SECONDS = 7 * 24 * 3600
"""The longest a V4 signature may hold (OSS signature page)."""
REJECTION = "InvalidParameter"
RESULTS_AT = "/output/results/*/url"
"""The form for a model that has left the catalogue."""
CALLERS = (CALLER, POLICY, INPUT_FETCH)
"""Classes of errors that the service answers with HTTP 400 (error code page)."""
MOST_MESSAGES = 10
"""Of a rejected job: a page lists a hundred jobs."""


def status_of(record: Record) -> str:
    """The service's word for a job's state."""
    if record.state in (RUNNING, SUCCEEDED, CANCELED):
        return record.state
    return FAILED if record.state in FINAL else PENDING


@dataclass
class TaskView:
    """Shows jobs as tasks."""

    app: App

    def show(self, job: str) -> dict[str, Any]:
        """`output`, and `usage` of a success. Raises StoreError."""
        records = self.app.ledger.records
        last = records.last(job) if layout.is_job_id(job) else None
        if last is None:
            return unknown(job)
        first = records.with_spec(last)
        status = status_of(last)
        if last.erased is not None:
            gone = errors.erased(job)
            return unknown(job, code=gone.code, message=gone.message)
        output: dict[str, Any] = {"task_id": job, "task_status": status}
        output |= _times(first, last)
        if status == SUCCEEDED and last.manifest is not None:
            return self._succeeded(output, last.model, last.manifest)
        if status == FAILED:
            output |= _failure(last)
        if status != CANCELED and self._counts(last.model):
            output["task_metrics"] = _metrics(self._wanted(first, last), 0, status == FAILED)
        return {"output": output}

    def _succeeded(self, output: dict[str, Any], name: str, manifest: Manifest) -> dict[str, Any]:
        shown, good = results_of(self.app, manifest), len(manifest.images)
        model = self.app.catalogue.get(name)
        output |= _told(model.results_at if model else RESULTS_AT, shown, manifest)
        if self._counts(name):
            output["task_metrics"] = _metrics(len(shown), good, bool(manifest.failed_images))
        return {"output": output, "usage": _usage(manifest, model)}

    def _counts(self, name: str) -> bool:
        """Whether tasks of a model tell `task_metrics`: those with messages do not (API references
        of the models that answer in messages)."""
        model = self.app.catalogue.get(name)
        return model is None or not in_messages(model.results_at)

    def _wanted(self, first: Record, last: Record) -> int:
        """How many images were asked for, or the model makes by default."""
        return images_wanted(self.app.catalogue.get(first.model), written_of(last, first))


@dataclass
class CallView:
    """Shows jobs that are over as the answers to calls of a path."""

    app: App
    path: str

    def show(self, last: Record) -> dict[str, Any]:
        """`output` and `usage` of a success. Raises DashScopeError for any other end."""
        if last.erased is not None:
            raise errors.erased(last.job)
        manifest, model = last.manifest, self.app.catalogue.get(last.model)
        if last.state != SUCCEEDED or manifest is None or model is None:
            failure, kind = _failure(last), (error_of(last) or {}).get("class")
            status = 400 if last.state in (REJECTED, CANCELED) or kind in CALLERS else 500
            raise errors.DashScopeError(status, failure["code"], failure["message"], errors.STAY)
        place = results_at(self.path, model, self.app.catalogue)
        shown = results_of(self.app, manifest)
        return {"output": _told(place, shown, manifest), "usage": _usage(manifest, model)}


def _told(at: str, shown: Sequence[Mapping[str, Any]], manifest: Manifest) -> dict[str, Any]:
    """The results, and a remark that a success may carry (image translation page)."""
    remark = manifest.text("message")
    return output_with(at, shown, manifest.texts) | ({"message": remark} if remark else {})


def results_of(app: App, manifest: Manifest) -> list[dict[str, Any]]:
    """The images in order, each with a fresh link, which works long after the service's own has
    expired; or with the reason why it was not made."""
    failed = {
        one["number"]: {"code": one["code"], "message": one["message"]}
        for one in manifest.failed_images
    }
    shown = failed | {image["number"]: _image(app, image) for image in manifest.images}
    return [shown[number] for number in sorted(shown)]


def _image(app: App, image: Mapping[str, Any]) -> dict[str, Any]:
    prompts = {name: image.get(name) for name in ("orig_prompt", "actual_prompt")}
    told = {name: text for name, text in prompts.items() if text is not None}
    return told | {"url": app.links.show(image["key"], LINK_SECONDS)}


def _usage(manifest: Manifest, model: Model | None) -> Mapping[str, Any]:
    """What was billed, under the name that the model's own answers have for it."""
    usage = dict(manifest.usage or {"image_count": len(manifest.images)})
    names = (at.rsplit("/", 1)[1] for at in (model.usage_at if model else ()))
    billed = usage.get("image_count")
    name = next((name for name in names if name in usage), "image_count")
    if billed is not None and name != "image_count":
        usage = {**usage, name: billed}
        del usage["image_count"]
    return usage


def unknown(job: str, **why: str) -> dict[str, Any]:
    """The answer for a job that does not exist, belongs to somebody else or was erased."""
    return {"output": {"task_id": job, "task_status": UNKNOWN, **why}}


def scheduled_at(last: Record) -> str | None:
    """When the service began, as it said itself, or when the task was submitted.

    None: it has not begun, as far as is known.
    """
    if status_of(last) not in (RUNNING, SUCCEEDED, FAILED):
        return None
    began = last.manifest.task_times.get("scheduled_time") if last.manifest else None
    return iso(began) if isinstance(began, (int, float)) else last.submitted_at


def _times(first: Record, last: Record) -> dict[str, str]:
    moments = {"submit_time": first.at, "scheduled_time": scheduled_at(last)}
    if last.state in FINAL:
        moments["end_time"] = last.at
    return {name: _beijing(at) for name, at in moments.items() if at is not None}


def _beijing(at: str) -> str:
    moment = datetime.fromtimestamp(from_iso(at), BEIJING_TIME)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def _failure(last: Record) -> dict[str, str]:
    if last.state == REJECTED:
        found = [str(one["message"]) for one in last.violations]
        rest = [f"and {len(found) - MOST_MESSAGES} more"] if len(found) > MOST_MESSAGES else []
        return {"code": REJECTION, "message": "; ".join([*found[:MOST_MESSAGES], *rest])}
    error = error_of(last) or {}
    code = error.get("code") or last.state.title().replace("_", "")
    return {"code": str(code), "message": str(error.get("message") or f"The job is {last.state}.")}


def _metrics(total: int, good: int, rest_failed: bool) -> dict[str, int]:
    return {"TOTAL": total, "SUCCEEDED": good, "FAILED": total - good if rest_failed else 0}
