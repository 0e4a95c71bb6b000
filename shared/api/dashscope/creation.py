"""Create: a task, or a call that waits for its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import falcon

from shared.api.calls import LONGEST_CALL, Asked, Call
from shared.api.context import app_of, base_url, caller_of, free_room
from shared.api.dashscope import errors
from shared.api.dashscope.answers import answer, new_id, request_id
from shared.api.dashscope.body import read_body, read_request
from shared.api.dashscope.listing import DASHSCOPE_SOURCE
from shared.api.dashscope.paths import is_asynchronous
from shared.api.dashscope.sameness import content_of
from shared.api.dashscope.view import PENDING, CallView
from shared.api.delivery import tried_before
from shared.api.ownership import foreign_objects
from shared.api.tokens import Caller
from shared.app import App
from shared.jobs.idempotency import ALLOWED_KEYS, IdempotencyKey, KeyReused
from shared.jobs.intake import Source
from shared.ledger.record import Record

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
            call = asked.call(read_body(_raw(request)))
            made = asked.begun(call)
            output = {"task_status": PENDING, "task_id": made.job}
            _send(call, request, response, {"output": output})
        else:
            _call(asked, response)


def _call(asked: _Asked, response: falcon.Response) -> None:
    """Answer with the result. A job is made only for a call that may wait for it."""
    request, app = asked.request, asked.app
    with app.instance.waiting.place(asked.caller.mark) as granted:
        if not granted:
            raise errors.too_many_waiting()
        call, patience = asked.call(read_body(_raw(request))), _patience(request)
        begun = asked.begun(call)
        free_room(request)
        last = call.wait(begun, patience, request)
    status_url = f"{base_url(request)}/jobs/{last.job}"
    response.set_header("Location", status_url)
    if not last.is_final:
        call.leave()
        raise errors.timed_out(last.job, patience, status_url)
    _answer(asked, call, last, response)


def _answer(asked: _Asked, call: Call, last: Record, response: falcon.Response) -> None:
    try:
        shown = CallView(asked.app, asked.path).show(last)
    except errors.DashScopeError:
        call.delivered()
        raise
    _send(call, asked.request, response, shown)


def _send(
    call: Call, request: falcon.Request, response: falcon.Response, body: Mapping[str, Any]
) -> None:
    answer(request, response, body)
    whole = (response.text or "").encode()
    response.text = None
    call.answer(response, iter((whole,)), len(whole))


def _patience(request: falcon.Request) -> int:
    text = request.get_header(WAIT_TIMEOUT) or ""
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else LONGEST_CALL
    return min(asked, LONGEST_CALL)


@dataclass
class _Asked:
    """A request for a job."""

    request: falcon.Request
    path: str

    @property
    def app(self) -> App:
        return app_of(self.request)

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    def call(self, body: Mapping[str, Any]) -> Call:
        """What is asked for, as a call. The SDK does not say when it repeats a request, so a
        synchronous call may be one; creates of tasks at the same time are meant as several.

        Raises DashScopeError for what is refused at once, StoreError.
        """
        resolves = _is_enabled(self.request, "X-DashScope-OssResourceResolve")
        value = read_request(body, self.app.catalogue, resolves=resolves)
        bucket = self.app.settings.oss_bucket
        for _, message in foreign_objects(value.get("input"), self.caller, bucket):
            raise errors.outside_specification(message)
        content, key = content_of(self.path, body, self.app.store), self._key()
        repeated, make = tried_before(self.request), partial(self._made, value)
        if is_asynchronous(self.path, self.app.catalogue):
            repeated = bool(repeated)
        return Call(self.app, Asked(self.caller, content, key, repeated, make))

    def begun(self, call: Call) -> Record:
        """The record of the call's job. Raises DashScopeError, StoreError."""
        try:
            call.begin(self.caller.prefix + new_id(self.app.rng))
        except KeyReused:
            raise errors.key_reused() from None
        record = call.start()
        if record.erased is not None:
            call.delivered()
            raise errors.erased(record.job)
        return record

    def _made(self, value: Mapping[str, Any], job: str) -> Record:
        asked, caller = request_id(self.request), self.caller
        source = Source(DASHSCOPE_SOURCE, asked, prefix=caller.prefix, webhook=caller.webhook)
        return self.app.acceptance.value({**value, "job": {"id": job}}, source).record

    def _key(self) -> IdempotencyKey | None:
        given = self.request.get_header("Idempotency-Key")
        if given is None:
            return None
        key = IdempotencyKey(self.caller.mark, given)
        if not key.is_allowed:
            raise errors.key_invalid(ALLOWED_KEYS)
        return key


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
