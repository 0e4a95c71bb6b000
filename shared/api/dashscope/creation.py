"""Create: a task, or a call that waits for its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import falcon

from shared.api.context import app_of, base_url, caller_of, free_room
from shared.api.dashscope import errors
from shared.api.dashscope.answers import answer, new_id, request_id
from shared.api.dashscope.body import read_body, read_request
from shared.api.dashscope.listing import DASHSCOPE_SOURCE
from shared.api.dashscope.paths import is_asynchronous
from shared.api.dashscope.sameness import content_of
from shared.api.dashscope.view import PENDING, CallView
from shared.api.ownership import foreign_objects
from shared.api.tokens import Caller
from shared.api.waiting import record_when
from shared.app import App
from shared.jobs.idempotency import ALLOWED_KEYS, IdempotencyKey, IdempotencyKeys, KeyReused
from shared.jobs.intake import IntakeOutcome, Source
from shared.jobs.unclaimed import UnclaimedJobs
from shared.ledger.record import REJECTED, Record

LONGEST_CALL = 100
"""Seconds that a call waits for its job; the function ends requests after 120 (s.yaml)."""
WAIT_TIMEOUT = "X-DashScope-Wait-Timeout"
"""Seconds that a caller lets the server queue (rate-limiting-best-practices page)."""


class Creation:
    """`/api/v1/services/{path}`"""

    def on_post(self, request: falcon.Request, response: falcon.Response, path: str) -> None:
        """A new job: its id as a task, or its result; or the reason why not."""
        path = f"/services/{path.rstrip('/')}"
        wants_task = _is_enabled(request, "X-DashScope-Async")
        if wants_task != is_asynchronous(path, app_of(request).catalogue):
            raise errors.asynchronous() if wants_task else errors.synchronous()
        if _is_enabled(request, "X-DashScope-SSE"):
            raise errors.streaming()
        asked = _Asked(request, path)
        if wants_task:
            made = asked.made(read_body(_raw(request)))
            output = {"task_status": PENDING, "task_id": made.job}
            answer(request, response, {"output": output})
        else:
            _call(asked, response)


def _call(asked: _Asked, response: falcon.Response) -> None:
    """Answer with the result. A job is made only for a call that may wait for it."""
    request, app = asked.request, asked.app
    with app.instance.waiting.place(asked.caller.mark) as granted:
        if not granted:
            raise errors.too_many_waiting()
        begun, patience = asked.begun(), _patience(request)
        free_room(request)
        last = record_when(app, begun, patience, lambda now: now.is_final)
    status_url = f"{base_url(request)}/jobs/{last.job}"
    response.set_header("Location", status_url)
    if not last.is_final:
        raise errors.timed_out(last.job, patience, status_url, repeatable=asked.keep(last.job))
    answer(request, response, CallView(app, asked.path).show(last))


def _patience(request: falcon.Request) -> int:
    text = request.get_header(WAIT_TIMEOUT) or ""
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else LONGEST_CALL
    return min(asked, LONGEST_CALL)


@dataclass
class _Asked:
    """A request for a job. `content`: what it asks for, once that has been read."""

    request: falcon.Request
    path: str
    content: bytes = b""

    @property
    def app(self) -> App:
        return app_of(self.request)

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    @property
    def key(self) -> str | None:
        return self.request.get_header("Idempotency-Key")

    def begun(self) -> Record:
        """The last record of a new job, or of the one that the same call left behind.

        Without what may be megabytes of images: many calls wait at once. Raises DashScopeError,
        StoreError.
        """
        body = read_body(_raw(self.request))
        self.content = content_of(self.path, body, self.app.store)
        left = None if self.key else self._unclaimed().take_up(self.caller.mark, self.content)
        last = self.app.ledger.records.last(left) if left is not None else None
        return replace(last or self.made(body).record, spec=None)

    def made(self, body: Mapping[str, Any]) -> IntakeOutcome:
        """The job, made unless its Idempotency-Key is known. Raises DashScopeError, StoreError."""
        resolves = _is_enabled(self.request, "X-DashScope-OssResourceResolve")
        value = read_request(body, self.app.catalogue, resolves=resolves)
        bucket = self.app.settings.oss_bucket
        for _, message in foreign_objects(value.get("input"), self.caller, bucket):
            raise errors.outside_specification(message)
        job = self._id(body)
        last = self.app.ledger.records.last(job) if self.key is not None else None
        if last is not None and last.state != REJECTED:  # its files may lie elsewhere this time
            return self.app.acceptance.known(last)
        asked, caller = request_id(self.request), self.caller
        source = Source(DASHSCOPE_SOURCE, asked, prefix=caller.prefix, webhook=caller.webhook)
        return self.app.acceptance.value({**value, "job": {"id": job}}, source)

    def keep(self, job: str) -> bool:
        """Keep a job for the same call again; whether that will wait for it. Raises StoreError."""
        if self.key is not None:
            return True
        return self._unclaimed().keep(self.caller.mark, self.content, job)

    def _id(self, body: Mapping[str, Any]) -> str:
        """A new id; under an Idempotency-Key the one of the same request before."""
        job = self.caller.prefix + new_id(self.app.rng)
        if self.key is None:
            return job
        key = IdempotencyKey(self.caller.mark, self.key)
        if not key.is_allowed:
            raise errors.key_invalid(ALLOWED_KEYS)
        content = self.content or content_of(self.path, body, self.app.store)
        try:
            return IdempotencyKeys(self.app.store).claim(key, content, job)
        except KeyReused:
            raise errors.key_reused() from None

    def _unclaimed(self) -> UnclaimedJobs:
        return UnclaimedJobs(self.app.store, self.app.clock)


def _raw(request: falcon.Request) -> bytes:
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type != falcon.MEDIA_JSON:
        raise errors.body_invalid(f"Content-Type must be {falcon.MEDIA_JSON}")
    limit = app_of(request).settings.job_file_bytes
    raw: bytes = request.bounded_stream.read(limit + 1)
    if len(raw) > limit:
        raise errors.too_large(limit)
    return raw


def _is_enabled(request: falcon.Request, header: str) -> bool:
    return (request.get_header(header) or "").strip().lower() == "enable"
