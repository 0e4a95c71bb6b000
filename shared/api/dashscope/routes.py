"""Routes of the DashScope-compatible API, and how its errors are answered."""

from __future__ import annotations

import falcon

from shared.api.context import app_of
from shared.api.dashscope.answers import answer, new_id
from shared.api.dashscope.creation import Creation
from shared.api.dashscope.errors import DashScopeError
from shared.api.dashscope.tasks import Cancellation, Task, Tasks
from shared.api.dashscope.uploads import FORM, Form, Policies

PREFIX = "/api/v1"
CODES = {404: "NotFound", 405: "MethodNotAllowed", 429: "Throttling", 503: "ServiceUnavailable"}


class RequestIds:
    """Gives every request the id its answer will carry."""

    def process_request(self, request: falcon.Request, _response: falcon.Response) -> None:
        request.context.request_id = new_id(app_of(request).rng)


def is_dashscope(path: str) -> bool:
    """Whether a path is answered in the service's manner."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def is_open(path: str) -> bool:
    """Whether a path needs no token: the form's signed policy is its authorisation."""
    return path == FORM


def add_dashscope_routes(wsgi: falcon.App[falcon.Request, falcon.Response]) -> None:
    """Add the endpoints; the app must strip trailing slashes and number its requests."""
    wsgi.add_route(f"{PREFIX}/services/{{path:path}}", Creation())
    wsgi.add_route(f"{PREFIX}/tasks", Tasks())
    wsgi.add_route(f"{PREFIX}/tasks/{{job}}", Task())
    wsgi.add_route(f"{PREFIX}/tasks/{{job}}/cancel", Cancellation())
    wsgi.add_route(f"{PREFIX}/uploads", Policies())
    wsgi.add_route(FORM, Form())
    wsgi.add_error_handler(DashScopeError, _refuse)


def _refuse(
    request: falcon.Request, response: falcon.Response, error: DashScopeError, _params: object
) -> None:
    response.set_headers(dict(error.headers))
    answer_error(request, response, error.status, error.message, error.code)


def answer_error(
    request: falcon.Request, response: falcon.Response, status: int, message: str, code: str = ""
) -> None:
    """An error in the service's shape; without a code, one that fits the HTTP status."""
    usual = CODES.get(status) or ("InvalidParameter" if status < 500 else "InternalError")
    answer(request, response, {"code": code or usual, "message": message}, status)
