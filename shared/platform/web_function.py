"""A web function: an HTTP server of its own on a custom runtime, many requests at once.

Function Compute adds x-fc-* headers to each request, among them its id and the role's temporary
credentials ("Context and log format" page of custom runtimes). They end here: the application
sees none of them, so no answer and no log line can show one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
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
CONNECTIONS = 400
"""Open connections; the platform keeps idle ones beside those in use."""
IDLE_SECONDS = 3600
"""A connection must outlive the platform's own idle time-out of 15 minutes: a server that closes
first turns a POST that is on its way into a 502."""
BODY_BYTES = 32 * 1024 * 1024
"""Largest body of a synchronous request ("limits" page)."""
HEADER_BYTES = 64 * 1024
SPOOL_BYTES = 512 * 1024
"""A larger body goes to the scratch disk, not into memory, until it has come whole."""

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
    problem = {
        "title": "Internal error",
        "status": 500,
        "detail": f"The function's log says why (request {request_id or 'without an id'}).",
    }
    body = json.dumps(problem).encode()
    fields = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
    start_response("500 Internal Server Error", fields)
    return [body]


def serve(application: WsgiApp, environ: Mapping[str, str]) -> None:
    """Answer requests until the process is ended. Raises OSError if the port is taken.

    Listens on all interfaces, unless LISTEN_HOST names one: the platform's requests come from
    outside the instance.
    """
    # Imported late: only this function's package has it.
    from waitress.server import create_server

    server = create_server(
        application,
        host=environ.get("LISTEN_HOST") or "0.0.0.0",
        port=int(environ.get("FC_CUSTOM_LISTEN_PORT") or PORT),
        threads=THREADS,
        connection_limit=CONNECTIONS,
        channel_timeout=IDLE_SECONDS,
        max_request_body_size=BODY_BYTES,
        max_request_header_size=HEADER_BYTES,
        inbuf_overflow=SPOOL_BYTES,
        url_scheme="https",
        ident=None,
        asyncore_use_poll=True,  # select() ends at 1024 descriptors
    )
    server.run()
