"""Making a job's manifest: what its last record holds and `result.json` repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.catalogue.errors import ErrorTable, JobError
from shared.catalogue.price import Bill
from shared.catalogue.rules import Rules
from shared.jobfile.written import as_written, excerpt, without_payload
from shared.jobs.billing import billed_before
from shared.ledger.manifest import Manifest, StoredImage
from shared.ledger.record import REJECTED, Record
from shared.modelstudio.client import Task
from shared.platform.clock import from_iso


@dataclass(frozen=True)
class FailedImage:
    """An image that was not made or could not be fetched."""

    number: int
    error: JobError

    def to_dict(self) -> dict[str, Any]:
        """The failure as JSON (schemas/result.schema.yaml)."""
        return {"number": self.number, **self.error.to_dict()}


@dataclass(frozen=True)
class Outcome:
    """What the end of a job adds to what its records say. `bill`: of all attempts together.

    `failed`: None where no image was tried; then what is still missing is listed as given up.
    `texts`: what the model wrote beside the images.
    """

    error: JobError | None = None
    task: Task | None = None
    images: tuple[StoredImage, ...] | None = None
    failed: tuple[FailedImage, ...] | None = None
    bill: Bill | None = None
    texts: tuple[str, ...] = ()


def build(
    rules: Rules, first: Record, last: Record, state: str, outcome: Outcome, at: str
) -> Manifest:
    """The manifest of a job that ends now. `first` holds the spec, `at` is the time of the end."""
    billed = billed_before(rules, last) if outcome.bill is None else outcome.bill
    images = last.kept if outcome.images is None else outcome.images
    failed = outcome.failed
    if failed is None:
        failed = given_up(rules.errors, last, outcome.error)
    return Manifest(
        {
            "job": last.job,
            "state": state,
            "model": last.model,
            "created_at": first.at,
            "submitted_at": last.submitted_at,
            "finished_at": at,
            "task": _task(last),
            **_task_facts(outcome.task),
            **_said(outcome, state),
            "images": [image.to_dict() for image in images],
            "failed_images": [one.to_dict() for one in failed],
            "usage": _usage(outcome, billed.images - billed.unknown),
            "price": _price(rules, last, outcome, billed),
            "error": outcome.error.to_dict() if outcome.error else None,
            "warnings": [*first.warnings, *unlisted_hosts(images)],
            "violations": [],
            "source": vars(first.source) if first.source else None,
            "spec": as_written(first.spec) if first.spec else None,
        }
    )


def rejection(job: str, at: str, value: Any, facts: Mapping[str, Any]) -> Manifest:
    """The manifest of a rejected job. `facts` are model, source and violations; of the document
    it holds as much as a person reads, since nothing bounds what was refused."""
    return Manifest(
        {
            "job": job,
            "state": REJECTED,
            "created_at": at,
            "finished_at": at,
            "images": [],
            "failed_images": [],
            "warnings": [],
            "spec": excerpt(without_payload(value)),
            **facts,
        }
    )


def given_up(errors: ErrorTable, last: Record, why: JobError | None) -> tuple[FailedImage, ...]:
    """The images that another attempt should have made and did not."""
    if not last.missing:
        return ()
    reason = why or last.error or errors.ours("Ended")
    return tuple(FailedImage(number, reason) for number in last.missing)


def _task(last: Record) -> dict[str, Any] | None:
    if last.task_id is None:
        return None
    return {
        "id": last.task_id,
        "create_request_id": last.create_request_id,
        "attempt": last.attempt,
    }


def _task_facts(task: Task | None) -> dict[str, Any]:
    if task is None:
        return {}
    return {"task_times": dict(task.times) or None, "query_request_id": task.request_id or None}


def _said(outcome: Outcome, state: str) -> dict[str, Any]:
    """What the service wrote beside the images: texts, and a remark on a task that succeeded."""
    task = outcome.task
    remark = task.message if task is not None and task.status == "SUCCEEDED" else ""
    said = {"texts": list(outcome.texts), "message": remark}
    return {name: value for name, value in said.items() if value}


def unlisted_hosts(images: Sequence[StoredImage]) -> list[dict[str, Any]]:
    """A notice for each host that images came from and no document lists."""
    hosts = sorted({image.host for image in images if image.host})
    return [
        {
            "pointer": "",
            "line": None,
            "expected": "results on a host that a document lists",
            "found": host,
            "message": f"images came from the host {host}, which no document lists; if it is"
            " the right one, add it to the RESULT_HOSTS setting",
            "source": "RESULT_HOSTS setting",
        }
        for host in hosts
    ]


def _usage(outcome: Outcome, paid: int) -> dict[str, Any] | None:
    reported = dict(outcome.task.usage) if outcome.task else {}
    if outcome.bill is not None:
        return reported | {"image_count": paid}
    if outcome.task is not None:
        return reported or None
    return {"image_count": paid} if paid else None


def _price(rules: Rules, last: Record, outcome: Outcome, billed: Bill) -> dict[str, Any] | None:
    if outcome.bill is None and not billed.images:
        return None
    return rules.price(last.model, billed)


def numbers_of(manifest: Manifest) -> dict[str, Any]:
    """What charts want to know of a job that ended; durations in seconds, None where unknown.

    `wait_s` is from the first record to the last submission, `task_s` from there, or from when
    the service says that it began, to the task's end, `total_s` from the first record to the last.
    """
    error, price, task = manifest.error or {}, manifest.price, manifest.task
    created, submitted = _moment(manifest, "created_at"), _moment(manifest, "submitted_at")
    finished = _moment(manifest, "finished_at")
    times = manifest.task_times
    start, end = times.get("scheduled_time", submitted), times.get("end_time", finished)
    spec = manifest.spec if isinstance(manifest.spec, Mapping) else {}
    labels = (spec.get("job") or {}).get("labels") or {}
    return {
        "state": manifest.state,
        "code": error.get("code"),
        "class": error.get("class"),
        "wait_s": _seconds(created, submitted),
        "task_s": _seconds(start, end) if task else None,
        "total_s": _seconds(created, finished),
        "images": len(manifest.images),
        "images_failed": len(manifest.failed_images),
        "attempts": task.get("attempt", 0),
        "price_cny": price.get("total", 0.0) if price.get("currency", "CNY") == "CNY" else None,
        "labels": ",".join(f"{name}={labels[name]}" for name in sorted(labels)) or None,
    }


def _moment(manifest: Manifest, name: str) -> float | None:
    text = manifest.text(name)
    return from_iso(text) if text is not None else None


def _seconds(start: float | None, end: float | None) -> float | None:
    if start is None or end is None:
        return None
    return round(max(0.0, end - start), 3)
