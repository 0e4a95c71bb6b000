"""A web function: an HTTP server of its own on a custom runtime, many requests at once.

Function Compute adds x-fc-* headers to each request, among them its id and the role's temporary
credentials ("Context and log format" page of custom runtimes). They end here: the application
sees none of them, so no answer and no log line can show one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.platform.logs import about

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

PLATFORM = "HTTP_X_FC_"
"""What the names of Function Compute's own headers begin with in a WSGI environment."""
HEADER_NAMES = "wanx.platform_headers"
"""Where the application finds the names of the platform's headers: the names alone."""
PORT = 9000
"""Where Function Compute expects the server if s.yaml names no port (custom runtime page)."""
THREADS = 60
"""At least instanceConcurrency of s.yaml and ten: a request never waits for a thread."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RoleKeys:
    """The role's temporary credentials, valid for this request. Never printed."""

    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    security_token: str = field(repr=False)


@dataclass(frozen=True)
class RequestContext:
    """What a handler's context holds, for one request. `credentials` is None without a role.

    `headers`: the names of the x-fc-* headers that came, without that beginning and in lower case.
    """

    request_id: str
    credentials: RoleKeys | None
    headers: tuple[str, ...] = ()


def web_function(answering: Callable[[RequestContext], WsgiApp]) -> WsgiApp:
    """The application to serve: `answering` makes the one that answers a request.

    What `answering` raises is one line in the log and an answer 500 without details.
    """

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        context = _taken(environ)
        try:
            chosen = answering(context)
        except Exception as error:
            log.exception("the invocation failed: %s", error, extra=about("function.failed"))
            return _failed(start_response, context.request_id)
        environ[HEADER_NAMES] = context.headers
        return chosen(environ, start_response)

    return application


def _taken(environ: dict[str, Any]) -> RequestContext:
    """The platform's headers, which are gone from `environ` afterwards."""
    held = {name: environ.pop(name) for name in list(environ) if name.startswith(PLATFORM)}

    def of(name: str) -> str:
        return str(held.get(f"{PLATFORM}{name}", ""))

    keys = RoleKeys(of("ACCESS_KEY_ID"), of("ACCESS_KEY_SECRET"), of("SECURITY_TOKEN"))
    whole = keys.access_key_id and keys.access_key_secret
    names = tuple(sorted(name[len(PLATFORM) :].replace("_", "-").lower() for name in held))
    return RequestContext(of("REQUEST_ID"), keys if whole else None, names)


def _failed(start_response: Callable[..., Any], request_id: str) -> list[bytes]:
    why = f"The function's log says why (request {request_id or 'without an id'})."
    body = problem(500, "Internal error", why)
    fields = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
    start_response("500 Internal Server Error", fields)
    return [body]


def problem(status: int, title: str, detail: str) -> bytes:
    """An error as the HTTP API shows it (RFC 9457)."""
    return json.dumps({"title": title, "status": status, "detail": detail}).encode()
