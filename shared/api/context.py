"""What a request carries besides HTTP: the system that answers it, and the caller.

The falcon application is built once for an instance and knows no deployment; each request brings
the `App` of its invocation along.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import falcon

from shared.api.tokens import Caller
from shared.app import App

ENVIRON_KEY = "wanx.app"


def app_of(request: falcon.Request) -> App:
    """The system that answers this request."""
    app: App = request.env[ENVIRON_KEY]
    return app


def caller_of(request: falcon.Request) -> Caller:
    """The caller whom the token check let pass."""
    caller: Caller = request.context.caller
    return caller


def base_url(request: falcon.Request) -> str:
    """The base of the URLs in answers, without a slash at the end."""
    return app_of(request).settings.api_url or f"https://{request.host}"


def free_room(request: falcon.Request) -> None:
    """Give back the room of a large body that has been read (`jobs_api.carried`)."""
    if taken := request.context.pop("room", None):
        app_of(request).instance.bodies.give(taken)


def answer_json(
    response: falcon.Response,
    document: Any,
    status: int = 200,
    parts: Callable[[Any], Mapping[str, Any]] | None = None,
) -> None:
    """Answer with JSON; `parts` says what is shown of an object that JSON has no form for."""
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.text = json.dumps(document, ensure_ascii=False, default=parts)
