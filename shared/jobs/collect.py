"""Following a task that is in flight, and fetching what it made."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.catalogue.errors import ErrorRule, JobError
from shared.catalogue.models import Model
from shared.catalogue.price import Bill, area_asked_for, areas_billed
from shared.catalogue.rules import Rules
from shared.jobfile import JobSpec
from shared.jobs.billing import at_most, billed_before, request_of
from shared.jobs.errors import classified, explained, log_fields
from shared.jobs.images import area, image_count, store_image, stored_before
from shared.jobs.manifest import FailedImage, Outcome
from shared.jobs.transitions import Retained, Transitions
from shared.jobs.wanted import MOST_IMAGES, Wanted, wanted
from shared.ledger.ledger import Ledger
from shared.ledger.manifest import StoredImage
from shared.ledger.record import CANCELED, FAILED, NEEDS_ATTENTION, RUNNING, SUCCEEDED, Record
from shared.modelstudio.answers import RETENTION
from shared.modelstudio.client import ModelStudio, ServiceError, Task
from shared.modelstudio.download import Downloader, DownloadFailed, Hosts, host_of
from shared.modelstudio.result_urls import result_items, result_texts, value_at
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


@dataclass(frozen=True)
class Asked:
    """What a job asked for. `model` and `spec` are None where they are lost; `first`: the record
    that holds the spec."""

    model: Model | None
    spec: JobSpec | None
    wanted: Wanted
    first: Record


@dataclass(frozen=True)
class Made:
    """What an attempt made: the images that are stored, and those that failed."""

    images: list[StoredImage]
    failed: list[FailedImage]

    @property
    def is_empty(self) -> bool:
        """Whether the answer names no image at all, not even one that failed."""
        return not self.images and not self.failed


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
            return self._outlived(last, task, known)
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
            message=str(value_at(answer, "/output/message") or ""),
        )
        return self.take(last, task, KnownInFlight(first))

    def _succeeded(self, last: Record, task: Task, known: KnownInFlight) -> Record | None:
        """A task is a success as soon as one image is good (wan2.5 API reference)."""
        asked = self._asked(last, known.first)
        made = self._fetch_all(last, task, asked)
        if made is None:
            return last
        failed, billed = made.failed, self._billed_by_now(last, task, asked, made)
        self._learn(last, task, known.took)
        blocker = self._open_breaker(last, failed)
        kept = _with_kept(last, made)
        if self._once_more(last, asked, made, billed, blocker):
            missing = tuple(one.number for one in failed)
            uncounted = blocker is not None and blocker.blocks
            return self.transitions.requeue(
                last,
                failed[0].error,
                wait=self._long_pause(last) if uncounted else self._pause(last),
                attempt=max(0, last.attempt - 1) if uncounted else None,
                retained=Retained(kept, missing, billed),
            )
        fine = bool(kept) or _is_over_without(task, asked.model, made)
        error = None if fine else self._first_failure(task, failed)
        texts = self._texts(task, asked.model)
        outcome = Outcome(error, task, kept, tuple(failed), bill=billed, texts=texts)
        return self.transitions.finish(last, SUCCEEDED if fine else FAILED, outcome, asked.first)

    def _first_failure(self, task: Task, failed: list[FailedImage]) -> JobError:
        if failed:
            return failed[0].error
        error = self.rules.errors.ours("NoImages")
        if not task.message:
            return error
        return replace(error, message=f"{error.message} The service said: {task.message}")

    def _asked(self, last: Record, first: Record | None) -> Asked:
        first = first or self.ledger.records.with_spec(last)
        model, spec = self.rules.model(last.model), first.spec
        images = wanted(model, request_of(spec)) if spec else Wanted(1, False)
        return Asked(model, spec, images, first)

    def _fetch_all(self, last: Record, task: Task, asked: Asked) -> Made | None:
        """Every result stored or known to be lost; None if one has to be fetched again later."""
        model = asked.model
        items = result_items(task.answer, model.results_at if model else USUAL_RESULTS)
        items = items[:MOST_IMAGES]
        numbers = _numbers(last, len(items), asked.wanted)
        pairs = list(zip(numbers, items, strict=False))
        found = self.map_fn(lambda pair: self._fetch_one(last, *pair, model), pairs)
        if None in found:
            return None
        images = [one for one in found if isinstance(one, StoredImage)]
        failed = [one for one in found if isinstance(one, FailedImage)]
        said = f"The answer names {len(items)} of {len(numbers)} images."
        absent = {"message": said}
        failed += [self._failed_image(number, absent) for number in numbers[len(items) :]]
        return Made(images, failed)

    def _texts(self, task: Task, model: Model | None) -> tuple[str, ...]:
        if model is None or model.texts_at is None:
            return ()
        return tuple(result_texts(task.answer, model.texts_at))

    def _billed_by_now(self, last: Record, task: Task, asked: Asked, made: Made) -> Bill:
        return billed_before(self.rules, last).plus(self._billed(task, asked, made))

    def _billed(self, task: Task, asked: Asked, made: Made) -> Bill:
        """What the attempt is billed for: by the service's count and size where it tells them."""
        model = asked.model
        most = max(len(made.images) + len(made.failed), asked.wanted.images)
        count = image_count(task.answer, model, len(made.images), most)
        if model is None:
            return Bill(((0.0, count),) if count else ())
        if made.is_empty and model.price.billed_without_images:
            count = max(1, count)
        told, stored = (
            area(task.answer, model),
            [image.width * image.height for image in made.images],
        )
        request = request_of(asked.spec)
        areas = areas_billed(count, told, stored, area_asked_for(model, request))
        return self.rules.bill(model, request, areas)

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
            before = stored_before(self.ledger.store, last.job, number, item)
            return before or FailedImage(number, self.rules.errors.ours(error.code, str(error)))

    def _pause(self, last: Record) -> float:
        return self.rules.policy.pause(last.attempt or 1, self.ledger.rng)

    def _long_pause(self, last: Record) -> float:
        """The pause before an attempt that is not counted: longer with each, all the same."""
        return self.rules.policy.pause(max(1, last.seq // ATTEMPT), self.ledger.rng)

    def _open_breaker(self, last: Record, failed: list[FailedImage]) -> ErrorRule | None:
        """The rule of an image that failed for the account's sake; then the queue stops."""
        for one in failed:
            rule = self.rules.errors.classify(one.error.code, one.error.message, 200)
            if rule.breaker != "none" and one.error.kind == rule.kind:
                error = ServiceError(one.error.code, one.error.message, 200)
                self.ledger.breakers.refused(last.model, error, rule, last.job)
                return rule
        return None

    def _once_more(
        self, last: Record, asked: Asked, made: Made, billed: Bill, blocker: ErrorRule | None
    ) -> bool:
        """Whether another attempt is made for the images that failed: the job asks for it, or it
        has none and the account was to blame. Never beyond the policy's price, and counted unless
        a person has to act first."""
        if not made.failed or asked.spec is None:
            return False
        if asked.spec.on_partial != "retry-failed" and (not blocker or _with_kept(last, made)):
            return False
        errors = self.rules.errors
        rules = [errors.classify(one.error.code, one.error.message, 200) for one in made.failed]
        total = self._total_with(asked, billed, len(made.failed))
        if blocker is not None and blocker.blocks:
            return total <= self.rules.policy.most_price
        return all(self.rules.policy.allows(rule, last.attempt or 1, total) for rule in rules)

    def _total_with(self, asked: Asked, billed: Bill, images: int) -> float:
        """What the job may cost once another attempt has made so many images."""
        if asked.model is None:
            return 0.0
        both = billed.plus(at_most(self.rules, asked.model, asked.spec, images))
        price = self.rules.price(asked.model.name, both)
        return float(price["total"]) if price else 0.0

    def _fetch(
        self, job: str, number: int, item: Mapping[str, Any], model: Model | None
    ) -> StoredImage:
        listed, url = model.result_hosts if model else (), str(item["url"])
        hosts = Hosts((*self.result_hosts, *listed), open=model is not None and not listed)
        host = host_of(url) if self.downloader.is_unlisted(url, hosts) else None
        with self.downloader.fetch(url, hosts) as download:
            return store_image(self.ledger.store, job, number, download, item, host)

    def _failed_image(self, number: int, item: Mapping[str, Any]) -> FailedImage:
        said = (item.get(name) for name in ("code", "message"))
        code, message = (one if isinstance(one, str) else "" for one in said)
        code = code or "NoUrl"
        rule = self.rules.errors.classify(code, message, 200)
        return FailedImage(
            number, rule.error(code, message or "The result has neither URL nor error.")
        )

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
        """The account, as it seems, not the job: the queue stops.

        The next attempt may be accepted, which ends the pause, and fail the same way: so the job
        itself waits too, longer each time, and another one finds out.
        """
        self.ledger.breakers.refused(last.model, error, rule, last.job)
        wait, attempt = self._long_pause(last), max(0, last.attempt - 1)
        return self.transitions.requeue(last, explained(error, rule), wait=wait, attempt=attempt)

    def _outlived(self, last: Record, task: Task, known: KnownInFlight) -> Record | None:
        """A task that is not over when task and images are gone by the documents.

        UNKNOWN ends nothing before: it also means that the state cannot be told just now (task
        management page), and the images may still come.
        """
        if task.status == "UNKNOWN":
            return self._forgotten(last, task, known)
        error = self.rules.errors.ours("TaskStuck", task=last.task_id, status=task.status)
        return self.transitions.finish(last, NEEDS_ATTENTION, Outcome(error=error))

    def _forgotten(self, last: Record, task: Task, known: KnownInFlight) -> Record | None:
        """What is left of a task that the service has forgotten: the images stored before."""
        error, asked = self.rules.errors.ours("TaskExpired"), self._asked(last, known.first)
        made = Made([], [])
        for number in last.missing or range(1, asked.wanted.images + 1):
            image = stored_before(self.ledger.store, last.job, number, {})
            if image is None:
                made.failed.append(FailedImage(number, error))
            else:
                made.images.append(image)
        if not made.images:
            return self.transitions.fail(last, error)
        billed, failed = self._billed_by_now(last, task, asked, made), tuple(made.failed)
        outcome = Outcome(None, task, _with_kept(last, made), failed, bill=billed)
        return self.transitions.finish(last, SUCCEEDED, outcome, asked.first)

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


def _with_kept(last: Record, made: Made) -> tuple[StoredImage, ...]:
    return tuple(sorted((*last.kept, *made.images), key=lambda image: image.number))


def _numbers(last: Record, found: int, wanted: Wanted) -> list[int]:
    """The numbers of the images of an answer, one for each that was found, in their order; those
    after them are of images that were asked for and are not there.

    An answer without any image says so for the job as a whole. More images than were asked for are
    counted on.
    """
    asked = list(last.missing or range(1, wanted.images + 1))
    if not found and not last.missing:
        return []
    beyond = max(*asked, *(image.number for image in last.kept), 0) + 1
    numbers = [*asked, *range(beyond, beyond + max(0, found - len(asked)))]
    return numbers if wanted.exact else numbers[:found]


def _is_over_without(task: Task, model: Model | None, made: Made) -> bool:
    """Whether a task had nothing to make, which its model's price counts as a success: then the
    service says why (image translation page). An answer without a word is one we cannot read."""
    billed = model is not None and model.price.billed_without_images
    return billed and made.is_empty and bool(task.message)


def _log_delay(last: Record, number: int, error: DownloadFailed) -> None:
    log.warning(
        "job %s: image %d not fetched yet: %s",
        last.job,
        number,
        error,
        extra=about("image.delayed", last, image=number, code=error.code),
    )
