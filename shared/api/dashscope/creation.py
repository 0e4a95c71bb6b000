"""Create: a task, or a call that waits for its result."""

from __future__ import annotations

from dataclasses import dataclass

import falcon

from shared.api.context import app_of, base_url, caller_of, free_room
from shared.api.dashscope import errors
from shared.api.dashscope.answers import answer, new_id, request_id
from shared.api.dashscope.body import read_body, read_request
from shared.api.dashscope.listing import DASHSCOPE_SOURCE
from shared.api.dashscope.paths import is_asynchronous
from shared.api.dashscope.view import PENDING, CallView
from shared.api.ownership import foreign_objects
from shared.api.waiting import record_when
from shared.jobs.idempotency import ALLOWED_KEYS, IdempotencyKey, IdempotencyKeys, KeyReused
from shared.jobs.intake import IntakeOutcome, Source

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
        if wants_task:
            taken = _Creator(request, path).made()
            output = {"task_status": PENDING, "task_id": taken.job}
            answer(request, response, {"output": output})
        else:
            _call(request, response, path)


def _call(request: falcon.Request, response: falcon.Response, path: str) -> None:
    """Answer with the result. A job is made only for a call that may wait for it."""
    app = app_of(request)
    with app.instance.waiting.place(caller_of(request).mark) as granted:
        if not granted:
            raise errors.too_many_waiting()
        taken = _Creator(request, path).made()
        free_room(request)
        patience = _patience(request)
        last = record_when(app, taken.record, patience, lambda now: now.is_final)
    status_url = f"{base_url(request)}/jobs/{last.job}"
    response.set_header("Location", status_url)
    if not last.is_final:
        raise errors.timed_out(last.job, patience, status_url)
    answer(request, response, CallView(app, path).show(last))


def _patience(request: falcon.Request) -> int:
    text = request.get_header(WAIT_TIMEOUT) or ""
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else LONGEST_CALL
    return min(asked, LONGEST_CALL)


@dataclass
class _Creator:
    """Makes the job that a request asks for."""

    request: falcon.Request
    path: str

    def made(self) -> IntakeOutcome:
        """Raises DashScopeError, StoreError."""
        app, caller = app_of(self.request), caller_of(self.request)
        raw = _raw(self.request)
        resolves = _is_enabled(self.request, "X-DashScope-OssResourceResolve")
        value = read_request(read_body(raw), app.catalogue, resolves=resolves)
        for _, message in foreign_objects(value.get("input"), caller, app.settings.oss_bucket):
            raise errors.outside_specification(message)
        job = self._id(raw)
        source = Source(DASHSCOPE_SOURCE, request_id(self.request), prefix=caller.prefix)
        return app.acceptance.value({**value, "job": {"id": job}}, source)

    def _id(self, raw: bytes) -> str:
        """A new id; under an Idempotency-Key the one of the same request before."""
        app, caller = app_of(self.request), caller_of(self.request)
        job, given = caller.prefix + new_id(app.rng), self.request.get_header("Idempotency-Key")
        if given is None:
            return job
        key = IdempotencyKey(caller.mark, given)
        if not key.is_allowed:
            raise errors.key_invalid(ALLOWED_KEYS)
        try:
            return IdempotencyKeys(app.store).claim(key, self.path.encode() + b"\n" + raw, job)
        except KeyReused:
            raise errors.key_reused() from None


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
