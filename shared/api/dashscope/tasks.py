"""Create, query, list and cancel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from shared.api.context import app_of, caller_of
from shared.api.dashscope import errors
from shared.api.dashscope.answers import answer, new_id, request_id
from shared.api.dashscope.body import read_body, read_request
from shared.api.dashscope.listing import DASHSCOPE_SOURCE, ListQuery, TaskList
from shared.api.dashscope.view import PENDING, TaskView, unknown
from shared.api.ownership import foreign_objects
from shared.api.tokens import Caller
from shared.jobs.cancel import NotCancelable
from shared.jobs.intake import Source
from shared.modelstudio.client import ServiceError

PATH_TASKS = ("image2image", "text2image")
"""The SDK sends models it does not know to text2image unless told otherwise (SDK source)."""


class Creation:
    """`/api/v1/services/aigc/{task}/image-synthesis`"""

    def on_post(self, request: falcon.Request, response: falcon.Response, task: str) -> None:
        """A new job, or the reason why not."""
        if not _is_enabled(request, "X-DashScope-Async"):
            raise errors.synchronous()
        if task not in PATH_TASKS:
            raise errors.wrong_path()
        app, caller = app_of(request), caller_of(request)
        body = read_body(_raw(request))
        resolves = _is_enabled(request, "X-DashScope-OssResourceResolve")
        value = read_request(body, app.catalogue, resolves=resolves)
        _refuse_foreign(value, caller, app.settings.oss_bucket)
        job = caller.prefix + new_id(app.rng)
        source = Source(DASHSCOPE_SOURCE, request_id(request), prefix=caller.prefix)
        taken = app.acceptance.value({**value, "job": {"id": job}}, source)
        answer(request, response, {"output": {"task_status": PENDING, "task_id": taken.job}})


class Task:
    """`/api/v1/tasks/{job}`"""

    def on_get(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """The state of a job; an unknown id is UNKNOWN, with HTTP 200."""
        caller = caller_of(request)
        view = TaskView(app_of(request))
        answer(request, response, view.show(job) if caller.sees(job) else unknown(job))


class Tasks:
    """`/api/v1/tasks`"""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """The jobs of 24 hours, the newest first."""
        query = {name: request.get_param(name) or "" for name in request.params}
        app = app_of(request)
        asked = ListQuery.of(query, app.clock.now())
        answer(request, response, TaskList(app).show(asked, caller_of(request)))


class Cancellation:
    """`/api/v1/tasks/{job}/cancel`"""

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Cancel a job that waits, here or at the service."""
        if not caller_of(request).sees(job):
            raise errors.not_pending()
        try:
            app_of(request).cancellation.cancel(job)
        except NotCancelable:
            raise errors.not_pending() from None
        except ServiceError as error:
            raise _of_service(error) from None
        answer(request, response, {})


def _raw(request: falcon.Request) -> bytes:
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type != falcon.MEDIA_JSON:
        raise errors.body_invalid(f"Content-Type must be {falcon.MEDIA_JSON}")
    limit = app_of(request).settings.job_file_bytes
    raw: bytes = request.bounded_stream.read(limit + 1)
    if len(raw) > limit:
        raise errors.too_large(limit)
    return raw


def _refuse_foreign(value: Mapping[str, Any], caller: Caller, bucket: str) -> None:
    for _, message in foreign_objects(value.get("input"), caller, bucket):
        raise errors.outside_specification(message)


def _of_service(error: ServiceError) -> errors.DashScopeError:
    """Throttling is passed on; a refused key is ours and not the caller's."""
    if error.http == 429:
        return errors.DashScopeError(429, error.code, error.message)
    return errors.unavailable(f"The model service could not be asked ({error.code}).")


def _is_enabled(request: falcon.Request, header: str) -> bool:
    return (request.get_header(header) or "").strip().lower() == "enable"
