"""Following a task that is in flight, and fetching what it made."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalogue.errors import ErrorRule, JobError
from shared.catalogue.models import Model
from shared.catalogue.rules import Rules
from shared.jobs.errors import classified, explained, log_fields
from shared.jobs.images import store_image
from shared.jobs.manifest import FailedImage, Outcome, state_of
from shared.jobs.transitions import Retained, Transitions
from shared.jobs.wanted import most_images
from shared.ledger.ledger import Ledger
from shared.ledger.manifest import StoredImage
from shared.ledger.record import CANCELED, FAILED, NEEDS_ATTENTION, RUNNING, Record
from shared.modelstudio.client import ModelStudio, ServiceError, Task
from shared.modelstudio.download import RETENTION, Downloader, DownloadFailed
from shared.modelstudio.result_urls import result_items
from shared.platform.clock import from_iso
from shared.platform.concurrency import MapFn, in_turn
from shared.platform.logs import about

SKEW = 60.0
"""Seconds by which the service's clock may differ from ours before its times are not believed."""
ATTEMPT = 3
"""Records of an attempt whose task failed, at least."""
USUAL_RESULTS = "/output/results/*/url"
"""Where the URLs are for a model that has left the catalogue meanwhile."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownInFlight:
    """What the poller knows of a task beyond its job's last record.

    `first` is the record that holds the spec, if it is at hand; `expected`: the task ends any
    moment, so a record RUNNING would be wasted; `took`: how many seconds it took, as far as the
    queries show.
    """

    first: Record | None = None
    expected: bool = False
    took: float | None = None


NOTHING = KnownInFlight()


@dataclass
class Collection:
    """Brings one task to its end. `result_hosts` are trusted beside the catalogue's; `map_fn`
    fetches a task's images, one after the other or at once."""

    ledger: Ledger
    rules: Rules
    model_studio: ModelStudio
    transitions: Transitions
    downloader: Downloader
    result_hosts: tuple[str, ...]
    map_fn: MapFn = in_turn

    def ask(self, last: Record) -> Task:
        """The job's task as it is now. Raises ServiceError when the service cannot be asked."""
        return self.model_studio.query(last.task_id or "")

    def take(self, last: Record, task: Task, known: KnownInFlight = NOTHING) -> Record | None:
        """Do what follows from the state of a job's task.

        Returns the job's last record now (the same one if nothing changed), or None if another
        instance moved the job. Raises StoreError.
        """
        if task.status == "SUCCEEDED":
            return self._succeeded(last, task, known)
        if task.status == "FAILED":
            return self._failed(last, task)
        if task.status == "CANCELED":
            return self.transitions.finish(last, CANCELED, Outcome(task=task), known.first)
        if self._age(last) >= RETENTION:
            return self._outlived(last, task)
        if task.status == "RUNNING" and last.state != RUNNING and not known.expected:
            return self.ledger.records.append(last.following(RUNNING))
        return last

    def take_answer(self, last: Record, first: Record | None = None) -> Record | None:
        """Do what follows from the answer to a call, which the record `last` holds; as `take`."""
        answer = last.answer or {}
        usage = answer.get("usage")
        task = Task(
            task_id="",
            status="SUCCEEDED",
            request_id=last.create_request_id or "",
            answer=answer,
            usage=usage if isinstance(usage, Mapping) else {},
        )
        return self.take(last, task, KnownInFlight(first))

    def _succeeded(self, last: Record, task: Task, known: KnownInFlight) -> Record | None:
        fetched = self._fetch_all(last, task)
        if fetched is None:
            return last
        images, failed = fetched
        paid = last.paid + _image_count(task, len(images), len(images) + len(failed))
        kept = tuple(sorted((*last.kept, *images), key=lambda image: image.number))
        self._learn(last, task, known.took)
        blocked = self._open_breaker(last, failed)
        if (blocked and not kept) or self._once_more(last, failed, paid, free=blocked):
            missing = tuple(one.number for one in failed)
            return self.transitions.requeue(
                last,
                failed[0].error,
                wait=0.0 if blocked else self._pause(last),
                attempt=max(0, last.attempt - 1) if blocked else None,
                retained=Retained(kept, missing, paid),
            )
        error = None if kept else self._first_failure(failed)
        outcome = Outcome(error=error, task=task, images=kept, failed=tuple(failed), paid=paid)
        return self.transitions.finish(last, state_of(kept), outcome, known.first)

    def _first_failure(self, failed: list[FailedImage]) -> JobError:
        return failed[0].error if failed else self.rules.errors.ours("NoImages")

    def _fetch_all(
        self, last: Record, task: Task
    ) -> tuple[list[StoredImage], list[FailedImage]] | None:
        """Every result stored or known to be lost; None if one has to be fetched again later."""
        model = self.rules.model(last.model)
        items = result_items(task.answer, model.results_at if model else USUAL_RESULTS)
        items = items[: most_images(model)]
        numbers = list(last.missing or range(1, len(items) + 1))
        pairs = list(zip(numbers, items, strict=False))
        found = self.map_fn(lambda pair: self._fetch_one(last, *pair, model), pairs)
        if None in found:
            return None
        images = [one for one in found if isinstance(one, StoredImage)]
        failed = [one for one in found if isinstance(one, FailedImage)]
        failed += [self._failed_image(number, {}) for number in numbers[len(items) :]]
        return images, failed

    def _fetch_one(
        self, last: Record, number: int, item: Mapping[str, Any], model: Model | None
    ) -> StoredImage | FailedImage | None:
        """One image stored or known to be lost; None if it has to be fetched again later."""
        if not item.get("url"):
            return self._failed_image(number, item)
        try:
            return self._fetch(last.job, number, item, model)
        except DownloadFailed as error:
            if self._age(last) < error.retry_for:
                _log_delay(last, number, error)
                return None
            return FailedImage(number, self.rules.errors.ours(error.code, str(error)))

    def _pause(self, last: Record) -> float:
        return self.rules.policy.pause(last.attempt or 1, self.ledger.rng)

    def _open_breaker(self, last: Record, failed: list[FailedImage]) -> bool:
        """Whether an image failed for the account's sake; then the queue stops."""
        for one in failed:
            rule = self.rules.errors.classify(one.error.code, one.error.message, 200)
            if rule.breaker != "none" and one.error.kind == rule.kind:
                error = ServiceError(one.error.code, one.error.message, 200)
                self.ledger.breakers.refused(last.model, error, rule, False)
                return True
        return False

    def _once_more(self, last: Record, failed: list[FailedImage], paid: int, *, free: bool) -> bool:
        """Whether another attempt is to be made for the images that failed.

        `free`: it does not count, because the account was to blame and not the job.
        """
        if not failed:
            return False
        spec = self.ledger.records.with_spec(last).spec
        if spec is None or spec.on_partial != "retry-failed":
            return False
        errors = self.rules.errors
        rules = [errors.classify(one.error.code, one.error.message, 200) for one in failed]
        price = self.rules.price(last.model, paid + len(failed))
        total = price["total"] if price else 0.0
        if free:
            return total <= self.rules.policy.most_price
        attempt = last.attempt or 1
        return all(self.rules.policy.allows(rule, attempt, total) for rule in rules)

    def _fetch(
        self, job: str, number: int, item: Mapping[str, Any], model: Model | None
    ) -> StoredImage:
        hosts = (*self.result_hosts, *(model.result_hosts if model else ()))
        with self.downloader.fetch(str(item["url"]), hosts) as download:
            return store_image(self.ledger.store, job, number, download, item)

    def _failed_image(self, number: int, item: Mapping[str, Any]) -> FailedImage:
        code, message = str(item.get("code") or "NoUrl"), str(item.get("message") or "")
        rule = self.rules.errors.classify(code, message, 200)
        said = message or "The result has neither URL nor error."
        return FailedImage(number, rule.error(code, said))

    def _failed(self, last: Record, task: Task) -> Record | None:
        """A failed task is free; the job is tried again where the error may pass."""
        error = ServiceError(task.code, task.message, 200, task.request_id)
        rule = classified(self.rules.errors, error)
        log.warning(
            "job %s: task %s failed: %s",
            last.job,
            task.task_id,
            error,
            extra=about("task.failed", last, **log_fields(error, rule)),
        )
        why, attempt, policy = explained(error, rule), last.attempt or 1, self.rules.policy
        if rule.breaker != "none":
            return self._blocked(last, error, rule)
        if policy.allows(rule, attempt, 0.0):
            wait = policy.pause(attempt, self.ledger.rng)
            return self.transitions.requeue(last, why, wait=wait)
        return self.transitions.fail(last, why, task)

    def _blocked(self, last: Record, error: ServiceError, rule: ErrorRule) -> Record | None:
        """The account, not the job: the queue stops, and the job keeps its place in it.

        The next attempt may be accepted, which ends the pause, and fail the same way: so the job
        itself waits too, longer each time.
        """
        self.ledger.breakers.refused(last.model, error, rule, False)
        wait = self.rules.policy.pause(max(1, last.seq // ATTEMPT), self.ledger.rng)
        attempt = max(0, last.attempt - 1)
        return self.transitions.requeue(last, explained(error, rule), wait=wait, attempt=attempt)

    def _outlived(self, last: Record, task: Task) -> Record | None:
        """A task that is not over when task and images are gone by the documents.

        UNKNOWN ends nothing before: it also means that the state cannot be told just now (task
        management page), and the images may still come.
        """
        if task.status == "UNKNOWN":
            error = self.rules.errors.ours("TaskExpired")
            return self.transitions.finish(last, FAILED, Outcome(error=error))
        error = self.rules.errors.ours("TaskStuck", task=last.task_id, status=task.status)
        return self.transitions.finish(last, NEEDS_ATTENTION, Outcome(error=error))

    def _learn(self, last: Record, task: Task, took: float | None) -> None:
        """Remember how long the task took: by the service's times, or as it was seen.

        Not every model's answers hold times (inpainting API reference).
        """
        start, end = task.times.get("scheduled_time"), task.times.get("end_time")
        now, submitted = self.ledger.clock.now(), from_iso(last.submitted_at or last.at)
        if start is not None and end is not None:
            told = start < end <= now + SKEW and end - start <= now - submitted + SKEW
            took = end - start if told else None
        if took is not None:
            self.ledger.durations.learn(last.model, took)

    def _age(self, last: Record) -> float:
        return self.ledger.clock.now() - from_iso(last.submitted_at or last.at)


def _image_count(task: Task, stored: int, asked: int) -> int:
    """How many images are billed; a count that cannot be is taken for what was stored."""
    count = task.usage.get("image_count")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= asked:
        return stored
    return count


def _log_delay(last: Record, number: int, error: DownloadFailed) -> None:
    log.warning(
        "job %s: image %d not fetched yet: %s",
        last.job,
        number,
        error,
        extra=about("image.delayed", last, image=number, code=error.code),
    )
