"""Following a task that is in flight, and fetching what it made."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from shared.catalogue.errors import ErrorTable
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.retry_policy import RetryPolicy
from shared.jobs.images import StoredImage, store_image
from shared.jobs.requeue import Requeue
from shared.jobs.transitions import Transitions, explained, own_error, state_of, trouble
from shared.ledger.model_state import ModelStates
from shared.ledger.record import carried
from shared.ledger.records import CANCELED, FAILED, NEEDS_ATTENTION, RUNNING, Record, Records
from shared.modelstudio.client import ModelStudio, ServiceError, Task
from shared.modelstudio.download import RETENTION, Downloader, DownloadFailed
from shared.modelstudio.result_urls import result_items
from shared.platform.clock import Clock, from_iso
from shared.platform.logs import about
from shared.storage.objects import ObjectStore

USUAL_RESULTS = "/output/results/*/url"
"""Where the URLs of a model lie that has left the catalogue meanwhile."""
UNKNOWN_FOR = 600.0
"""Seconds after submission from which UNKNOWN is believed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownInFlight:
    """What the poller knows of a flight beyond its job's last record.

    `first` is the record that holds the spec, if it is at hand; `expected`: the task ends any
    moment, so that it runs need not be written down; `ended_ago`: how many seconds ago it was over,
    as far as questions tell.
    """

    first: Record | None = None
    expected: bool = False
    ended_ago: float = 0.0


NOTHING = KnownInFlight()


@dataclass
class Collection:
    """Everything needed to bring one task to its end."""

    catalogue: Catalogue
    errors: ErrorTable
    model_studio: ModelStudio
    store: ObjectStore
    records: Records
    states: ModelStates
    transitions: Transitions
    requeue: Requeue
    policy: RetryPolicy
    downloader: Downloader
    clock: Clock
    rng: random.Random
    result_hosts: tuple[str, ...]
    _ends: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, last: Record) -> Task:
        """The job's task as it is now. Raises ServiceError when the service cannot be asked."""
        return self.model_studio.query(last.data["task_id"])

    def take(self, last: Record, task: Task, known: KnownInFlight = NOTHING) -> Record | None:
        """Do what follows from the state of a job's task.

        Returns the job's last record now (the same one if nothing changed), or None if somebody
        else moved the job. Raises StoreError.
        """
        if task.status == "SUCCEEDED":
            return self._succeeded(last, task, known)
        if task.status == "FAILED":
            return self._failed(last, task)
        if task.status == "CANCELED":
            return self.transitions.finish(last, CANCELED, _task_facts(task))
        if task.status == "UNKNOWN":
            return self._unknown(last)
        if task.status == "RUNNING" and last.state != RUNNING and not known.expected:
            return self.records.append(last.job, last.seq + 1, RUNNING, carried(last))
        return last

    def _succeeded(self, last: Record, task: Task, known: KnownInFlight) -> Record | None:
        fetched = self._fetch_all(last, task)
        if fetched is None:
            return last
        images, failed = fetched
        paid = last.data.get("paid", 0) + _image_count(task, len(images))
        kept = [*last.data.get("kept", ()), *(image.to_dict() for image in images)]
        kept.sort(key=lambda image: int(image["number"]))
        self._learn(last, task, known.ended_ago)
        again = self._once_more(last, failed, kept, paid)
        if again is not None:
            return self.requeue.again(last, failed[0], **again)
        outcome = _task_facts(task) | {
            "usage": {**task.usage, "image_count": paid},
            "images": kept,
            "failed_images": failed,
            "price": self.transitions.price(last.data["model"], paid),
            "error": None if kept else _first_failure(failed),
        }
        return self.transitions.finish(last, state_of(kept), outcome, known.first)

    def _fetch_all(
        self, last: Record, task: Task
    ) -> tuple[list[StoredImage], list[dict[str, Any]]] | None:
        """Every result stored or known to be lost; None if one has to be fetched again later."""
        model = self.catalogue.get(last.data["model"])
        items = result_items(task.answer, model.results_at if model else USUAL_RESULTS)
        numbers = list(last.data.get("missing") or range(1, len(items) + 1))
        images: list[StoredImage] = []
        failed: list[dict[str, Any]] = []
        for number, item in zip(numbers, items, strict=False):
            if not item.get("url"):
                failed.append(self._failed_image(number, item))
                continue
            try:
                images.append(self._fetch(last.job, number, item, model))
            except DownloadFailed as error:
                if self._age(last) < error.retry_for:
                    log.warning(
                        "job %s: image %d not fetched yet: %s",
                        last.job,
                        number,
                        error,
                        extra=about("image.delayed", last, image=number, code=error.code),
                    )
                    return None
                failed.append(_lost_image(number, error))
        failed += [self._failed_image(number, {}) for number in numbers[len(items) :]]
        return images, failed

    def _once_more(
        self, last: Record, failed: list[dict[str, Any]], kept: list[dict[str, Any]], paid: int
    ) -> dict[str, Any] | None:
        """What to carry into another attempt for the images that failed; None: no such attempt."""
        if not failed:
            return None
        first = self.records.get(last.job, last.data["spec_seq"])
        if first is None or first.data["spec"].get("on_partial") != "retry-failed":
            return None
        attempt = last.data.get("attempt", 1)
        rules = [self.errors.classify(one["code"], one["message"], 200) for one in failed]
        price = self.transitions.price(last.data["model"], paid + len(failed))
        total = price["total"] if price else 0.0
        if not all(self.policy.allows(rule, attempt, total) for rule in rules):
            return None
        return {
            "wait": self.policy.pause(attempt, self.rng),
            "missing": [one["number"] for one in failed],
            "kept": kept,
            "paid": paid,
        }

    def _fetch(
        self,
        job: str,
        number: int,
        item: Any,
        model: Model | None,
    ) -> StoredImage:
        url = str(item["url"])
        host = urlsplit(url).hostname or ""
        documented = (*self.result_hosts, *(model.result_hosts if model else ()))
        body = self.downloader.fetch(url, host in documented)
        return store_image(self.store, job, number, body, item)

    def _failed_image(self, number: int, item: Any) -> dict[str, Any]:
        code, message = str(item.get("code") or "NoUrl"), str(item.get("message") or "")
        rule = self.errors.classify(code, message, 200)
        error = ServiceError(code, message or "The result has neither URL nor error.", 200)
        return {"number": number, **explained(error, rule)}

    def _failed(self, last: Record, task: Task) -> Record | None:
        """A failed task is free; it is tried again where its class promises something."""
        rule = self.errors.classify(task.code, task.message, 200)
        error = ServiceError(task.code, task.message, 200, task.request_id)
        log.warning(
            "job %s: task %s failed: %s",
            last.job,
            task.task_id,
            error,
            extra=about("task.failed", last, **trouble(error, rule)),
        )
        why, attempt = explained(error, rule), last.data.get("attempt", 1)
        if self.policy.allows(rule, attempt, 0.0):
            return self.requeue.again(last, why, wait=self.policy.pause(attempt, self.rng))
        return self.transitions.fail(last, why, _task_facts(task))

    def _unknown(self, last: Record) -> Record | None:
        age = self._age(last)
        if age >= RETENTION:
            error = own_error(
                "TaskExpired",
                "The service forgot the task 24 hours after it was submitted; its images are gone.",
                retryable=True,
                hint="Submit the job again. It is billed again.",
                hint_zh="请重新提交任务(将再次计费)。",
            )
            return self.transitions.finish(last, FAILED, {"error": error})
        if age >= UNKNOWN_FOR:
            error = own_error(
                "TaskUnknown",
                f"The service does not know task {last.data['task_id']}, though it was accepted"
                f" {int(age)} seconds ago.",
                retryable=True,
                hint="Check that the API key belongs to the account that submitted it.",
                hint_zh="请确认 API Key 属于提交该任务的账号。",
            )
            return self.transitions.finish(last, NEEDS_ATTENTION, {"error": error})
        return last

    def _learn(self, last: Record, task: Task, ended_ago: float) -> None:
        """Remember how long the task took: by the service's times, or as it was seen.

        Not every model's answers hold times (inpainting API reference).
        """
        name, now = str(last.data["model"]), self.clock.now() - ended_ago
        start, end = task.times.get("scheduled_time"), task.times.get("end_time")
        if start is None or end is None:
            start, end = self._began(name, from_iso(last.data["submitted_at"])), now
        self._ends.setdefault(name, []).append(now)
        if end > start:
            self.states.finished(name, end - start)

    def _began(self, name: str, submitted: float) -> float:
        """When a task began that was seen to end: not before it was submitted, nor before one of
        as many as the model runs at once had ended."""
        model, ends = self.catalogue.get(name), self._ends.get(name, [])
        lanes = model.limits.concurrent if model else 1
        return max(submitted, ends[-lanes]) if len(ends) >= lanes else submitted

    def _age(self, last: Record) -> float:
        return self.clock.now() - from_iso(last.data["submitted_at"])


def _image_count(task: Task, default: int) -> int:
    """How many images are billed; what is no number is taken for what was fetched."""
    count = task.usage.get("image_count")
    return count if isinstance(count, int) and not isinstance(count, bool) else default


def _task_facts(task: Task) -> dict[str, Any]:
    return {
        "usage": dict(task.usage) or None,
        "task_times": dict(task.times) or None,
        "query_request_id": task.request_id or None,
    }


def _lost_image(number: int, error: DownloadFailed) -> dict[str, Any]:
    return {
        "number": number,
        **own_error(
            error.code,
            str(error),
            retryable=False,
            hint=error.hint,
            hint_zh="图像无法下载,请查看 message。",
        ),
    }


def _first_failure(failed: list[dict[str, Any]]) -> dict[str, Any]:
    if failed:
        return {name: value for name, value in failed[0].items() if name != "number"}
    return own_error(
        "NoImages",
        "The task succeeded but named no image.",
        retryable=True,
        hint="Submit the job again; tell the service's support the request id if it recurs.",
        hint_zh="请重新提交;若重复出现,请将 request_id 提供给技术支持。",
    )
