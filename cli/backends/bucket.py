"""The jobs straight from the bucket, with the keys of the environment."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from cli.backends.protocol import Listing, Submitted, View, Wanted
from cli.trouble import Refused, Trouble, of_store
from shared.app import App, for_invocation
from shared.jobs.adopt import NotAdoptable
from shared.jobs.cancel import NotCancelable
from shared.jobs.erase import NotErasable
from shared.jobs.intake import IntakeOutcome, Source
from shared.jobs.listing import JobFilter
from shared.jobs.lost_calls import NotLost
from shared.jobs.retry import NotRetryable
from shared.jobs.tries import shown
from shared.jobs.view import events_of
from shared.jobs.webhooks import NotTold
from shared.ledger.job_index import Cursor
from shared.ledger.record import CANCELED, FINAL, REJECTED, RETRYABLE, Record
from shared.modelstudio.client import ServiceError
from shared.platform.settings import MissingSettings, NoCredentials, SettingsError
from shared.platform.webhook_settings import WrongWebhook
from shared.storage import layout
from shared.storage.objects import ObjectMissing, StoreError

T = TypeVar("T")
MOST_SEARCHED = 2000
"""Jobs a filtered list looks at before it says that there may be more."""
PIECE = 4 * 1024 * 1024
NO_KEY = "not-set"
"""Placeholder for a missing API key; only cancel and adopt ask the model service."""


def open_bucket(environ: Mapping[str, str]) -> BucketBackend:
    """Connect. Raises Trouble with the reason in words."""
    quiet()
    try:
        return BucketBackend(for_invocation(with_any_key(environ)))
    except SettingsError as error:
        raise Trouble(f"{for_people(error)} `wanx doctor` looks at all of it.") from None
    except StoreError as error:
        raise Trouble(f"{error} `wanx doctor` finds out why.") from None


def with_any_key(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings, with a placeholder where the API key is missing."""
    filled = dict(environ)
    if not filled.get("DASHSCOPE_API_KEY_SECRET"):
        filled["DASHSCOPE_API_KEY"] = filled.get("DASHSCOPE_API_KEY") or NO_KEY
    return filled


def quiet() -> None:
    """The library's log is for the functions; a person gets answers, and the log with -v."""
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())


def for_people(error: SettingsError) -> str:
    """What to do about it at a terminal, where there is no s.yaml and no role."""
    if isinstance(error, NoCredentials):
        return "No keys for OSS: set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET."
    if isinstance(error, MissingSettings):
        return f"{error.lacks}: set it, or name a file of settings with --env."
    return str(error)


@dataclass
class BucketBackend:
    """`cli.backends.protocol.Backend` on a bucket."""

    app: App
    _known: dict[str, Record] = field(default_factory=dict)
    _unfinished: dict[str, View] = field(default_factory=dict)
    _specs: dict[tuple[str, int], Record] = field(default_factory=dict)

    @property
    def place(self) -> str:
        settings = self.app.settings
        return f"bucket {settings.oss_bucket} at {settings.oss_endpoint}"

    def submit(self, body: bytes, name: str) -> list[Submitted]:
        """As if the file had been dropped into jobs/: the same file is the same job."""
        try:
            taken = self.app.acceptance.body(body, source_of(body, name))
        except StoreError as error:
            raise of_store(error) from None
        return [_submitted(one) for one in taken]

    def status(self, job: str) -> View | None:
        try:
            known, last = self._known.get(job), self._last(job)
            if last is None:
                return None
            if last is known and job in self._unfinished:
                return self._unfinished[job]
            view = self._view(last)
        except StoreError as error:
            raise of_store(error) from None
        if last.state not in FINAL:  # estimates cost requests, and are not made for each look
            self._unfinished[job] = view
        return view

    def listing(self, wanted: Wanted) -> Listing:
        try:
            return self._listing(wanted)
        except StoreError as error:
            raise of_store(error) from None

    def pages(self, wanted: Wanted) -> Iterator[list[View]]:
        chosen = _filter(wanted)
        try:
            while True:
                page = self.app.listing().page(chosen, wanted.limit)
                yield page.rows
                if page.next is None:
                    return
                chosen = replace(chosen, after=Cursor.of(page.next))
        except StoreError as error:
            raise of_store(error) from None

    def decide(self, job: str, decision: str) -> Submitted:
        try:
            done = self.app.lost_calls.decide(job, decision)
        except (NotLost, NotRetryable) as error:
            raise Refused(str(error)) from None
        except StoreError as error:
            raise of_store(error) from None
        if done.retry is not None:
            return _submitted(done.retry)
        return Submitted(job, done.record.state)

    def cancel(self, job: str) -> View:
        try:
            return self._view(self.app.cancellation.cancel(job))
        except NotCancelable as error:
            raise Refused(_why_not(error.last)) from None
        except ServiceError as error:
            raise _unanswered("it waits at the model service", error) from None
        except StoreError as error:
            raise of_store(error) from None

    def erase(self, job: str, all_inputs: bool) -> Mapping[str, Any]:
        try:
            return self.app.erasure.erase(job, all_inputs).to_dict()
        except NotErasable as error:
            raise Refused(str(error)) from None
        except StoreError as error:
            raise of_store(error) from None

    def adopt(self, job: str, task: str) -> View:
        try:
            return self._view(self.app.adoption.adopt(job, task))
        except NotAdoptable as error:
            raise Refused(str(error)) from None
        except ServiceError as error:
            raise _unanswered("the task is at the model service", error) from None
        except StoreError as error:
            raise of_store(error) from None

    def retry(self, job: str) -> Submitted:
        try:
            return self._retry(job)
        except StoreError as error:
            raise of_store(error) from None

    def events(self, job: str) -> list[View] | None:
        try:
            chain = self.app.ledger.records.chain(job) if layout.is_job_id(job) else []
        except StoreError as error:
            raise of_store(error) from None
        return events_of(chain) or None

    def webhooks(self) -> Mapping[str, Any]:
        return self._asked(self.app.webhooks.listed)

    def redeliver(self, job: str) -> int:
        last = self._asked(lambda: self._last(job))
        if last is None:
            raise Refused("there is no such job; `wanx list` shows those there are")
        return self._asked(lambda: self.app.webhooks.redeliver(last)).number

    def test_webhook(self, webhook: str) -> Mapping[str, Any]:
        told = self._asked(lambda: self.app.webhooks.test(webhook))
        facts = {"delivered": told.is_good, "status": told.status, "why": told.why or None}
        return {**facts, "seconds": told.took}

    def enable_webhook(self, webhook: str) -> bool:
        return self._asked(lambda: self.app.webhooks.enable(webhook))

    def webhook_secrets(self, webhook: str) -> list[str]:
        return self._asked(lambda: self.app.webhooks.secrets(webhook))

    def _asked(self, ask: Callable[[], T]) -> T:
        """What a question about webhooks brings. Raises Refused, Trouble."""
        try:
            return ask()
        except (NotTold, WrongWebhook) as error:
            raise Refused(str(error)) from None
        except StoreError as error:
            raise of_store(error) from None

    def image(self, view: View, image: Mapping[str, Any], start: int) -> Iterator[bytes]:
        try:
            while True:
                part = self.app.store.read_range(str(image["key"]), start, PIECE)
                yield part.body
                start += len(part.body)
                if not part.body or start >= part.size:
                    return
        except ObjectMissing:
            raise Refused(f"{image['key']} does not lie in the bucket any more") from None
        except StoreError as error:
            raise of_store(error) from None

    def _last(self, job: str) -> Record | None:
        """The chain is walked once from its start, and from where it was after that."""
        if not layout.is_job_id(job):
            return None
        known = self._known.get(job)
        last = (
            self.app.ledger.records.last_from(known) if known else self.app.ledger.records.last(job)
        )
        if last is not None:
            self._known[job] = last
        return last

    def _view(self, last: Record) -> View:
        """As the API shows it; for a job that is over nothing is estimated."""
        first = self._with_spec(last)
        prompt = first.spec.input.get("prompt") if first.spec else None
        priority = last.priority if last.queued_ms else None
        facts = {"expires_at": last.expires_at, "priority": priority, "prompt": prompt}
        told = self.app.ledger.outbox.tries(last.job) if last.webhook is not None else []
        deliveries = {"deliveries": [shown(one) for one in told]}
        return {**self.app.views().whole(last, first), **facts, **deliveries}

    def _with_spec(self, last: Record) -> Record:
        """The record that holds the spec never changes again and is read once."""
        place = (last.job, last.spec_seq)
        if place not in self._specs:
            self._specs[place] = self.app.ledger.records.with_spec(last)
        return self._specs[place]

    def _listing(self, wanted: Wanted) -> Listing:
        """Page after page, until enough jobs fit or too many were looked at."""
        found: list[View] = []
        listing, chosen, searched = self.app.listing(), _filter(wanted), 0
        while searched < MOST_SEARCHED:
            page = listing.page(chosen, wanted.limit - len(found))
            found, searched = [*found, *page.rows], searched + page.searched
            if page.next is None:
                return Listing(found)
            if len(found) >= wanted.limit:
                return Listing(found, "there may be older ones: --limit")
            chosen = replace(chosen, after=Cursor.of(page.next))
        return Listing(found, f"the newest {searched} jobs were looked at")

    def _retry(self, job: str) -> Submitted:
        last = self._last(job)
        if last is None:
            raise Refused("there is no such job; `wanx list` shows those there are")
        try:
            return _submitted(self.app.retries.retry(last))
        except NotRetryable as error:
            is_state = last.state not in RETRYABLE and last.erased is None
            raise Refused(_no_retry(last.state) if is_state else str(error)) from None


def _filter(wanted: Wanted) -> JobFilter:
    until = None if wanted.until is None else int(wanted.until * 1000)
    return JobFilter(
        wanted.states,
        wanted.model,
        wanted.labels,
        int(wanted.since * 1000),
        until_ms=until,
        words=tuple(wanted.search.split()),
        hidden=wanted.hidden,
    )


def _unanswered(why: str, error: ServiceError) -> Trouble:
    return Trouble(
        f"{why}, which answered {error.code}: {error.message}; `wanx doctor` looks at key and"
        " endpoint."
    )


def source_of(body: bytes, name: str) -> Source:
    """The source the file would have after an upload to jobs/: OSS's ETag of a simple upload is
    the content's MD5 in capitals (PutObject page)."""
    return Source(f"{layout.JOB_FILES}{Path(name).name}", hashlib.md5(body).hexdigest().upper())


def _submitted(one: IntakeOutcome) -> Submitted:
    violations = tuple(violation.to_dict() for violation in one.violations)
    return Submitted(one.job, one.record.state, one.new, violations)


def _why_not(last: Record | None) -> str:
    if last is None:
        return "there is no such job; `wanx list` shows those there are"
    if last.state == CANCELED:
        return "it is CANCELED already"
    if last.state in FINAL:
        return f"it is over ({last.state})"
    return f"it is {last.state}; only a job that still waits can be canceled"


def _no_retry(state: str) -> str:
    if state == REJECTED:
        return "it was REJECTED: correct its job file and submit that again"
    if state in FINAL:
        return "it SUCCEEDED; for other images submit its job file under another job.id"
    return f"it is still under way ({state})"
