"""The HTTP server of a web function: waitress, which only such a function's package has."""

from __future__ import annotations

from collections.abc import Mapping

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask

from shared.platform.web_function import PORT, THREADS, WsgiApp, problem

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
LONGEST_REASON = 200


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """waitress 3.0.2 asks for the body of a request that has none (Expect: 100-continue without
    Content-Length), and then waits for it as long as the connection lasts."""

    def received(self, data: bytes) -> int:
        taken: int = super().received(data)
        if self.completed:
            self.expect_continue = False
        return taken


class _Refusal(ErrorTask):  # type: ignore[misc]
    """What is no request is answered in the form of the other errors."""

    def execute(self) -> None:
        error = self.request.error
        body = problem(error.code, error.reason, error.body[:LONGEST_REASON])
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/problem+json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Parser
    error_task_class = _Refusal


def serve(application: WsgiApp, environ: Mapping[str, str]) -> None:
    """Answer requests until the process is ended. Raises OSError if the port is taken.

    Listens on all interfaces, unless LISTEN_HOST names one: the platform's requests come from
    outside the instance.
    """
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
        channel_request_lookahead=1,  # reading on is what shows that a caller has hung up
        asyncore_use_poll=True,  # select() ends at 1024 descriptors
    )
    server.channel_class = _Channel
    server.run()
