"""Query, list and cancel."""

from __future__ import annotations

import falcon

from shared.api.context import app_of, caller_of
from shared.api.dashscope import errors
from shared.api.dashscope.answers import answer
from shared.api.dashscope.listing import ListQuery, TaskList
from shared.api.dashscope.view import TaskView, unknown
from shared.jobs.cancel import NotCancelable
from shared.modelstudio.client import ServiceError


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


def _of_service(error: ServiceError) -> errors.DashScopeError:
    """Throttling is passed on; a refused key is ours and not the caller's."""
    if error.http == 429:
        return errors.DashScopeError(429, error.code, error.message)
    return errors.unavailable(f"The model service could not be asked ({error.code}).")
