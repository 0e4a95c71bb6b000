"""Routes of the OpenAI-compatible API, and how its errors are answered."""

from __future__ import annotations

import falcon

from shared.api.context import answer_json
from shared.api.openai.creation import Edits, Generations
from shared.api.openai.errors import OpenAIError
from shared.api.openai.models import Model, Models

PREFIX = "/v1"


def is_openai(path: str) -> bool:
    """Whether a path is answered in OpenAI's manner."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def add_openai_routes(wsgi: falcon.App[falcon.Request, falcon.Response]) -> None:
    """Add the endpoints; the app must strip trailing slashes and number its requests."""
    wsgi.add_route(f"{PREFIX}/images/generations", Generations())
    wsgi.add_route(f"{PREFIX}/images/edits", Edits())
    wsgi.add_route(f"{PREFIX}/models", Models())
    wsgi.add_route(f"{PREFIX}/models/{{name}}", Model())
    wsgi.add_error_handler(OpenAIError, _refuse)


def answer_error(
    request: falcon.Request, response: falcon.Response, status: int, message: str
) -> None:
    """An error that another part of the system found, in OpenAI's form."""
    _answer(request, response, OpenAIError(status, message))


def _refuse(
    request: falcon.Request, response: falcon.Response, error: OpenAIError, _params: object
) -> None:
    _answer(request, response, error)


def _answer(request: falcon.Request, response: falcon.Response, error: OpenAIError) -> None:
    response.set_headers({"x-request-id": str(request.context.request_id), **error.headers})
    answer_json(response, error.document(), error.status)
