"""An HTTP proxy that changes some answers on their way: a server that behaves otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.kit.served import served

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Request:
    """What was asked; `path` with its query, as the client encoded it."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def with_json(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
        """The same with another document."""
        return replace(self, body=json.dumps(change(json.loads(self.body))).encode())


Twist = Callable[[Request, Answer], Answer | None]
"""The answer to give instead; None: the one that came."""


@dataclass
class Proxy:
    """A proxy before the server at `target`. `twists` may be changed while it runs."""

    target: str
    url: str = ""
    twists: list[Twist] = field(default_factory=list)

    def answer(self, request: Request, body: bytes) -> Answer:
        parts = urlsplit(self.target)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            connection.putrequest(request.method, request.path, True, True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            came = connection.getresponse()
            kept = {n: v for n, v in came.getheaders() if n.lower() not in HOP_BY_HOP}
            answer = Answer(came.status, kept, came.read())
        finally:
            connection.close()
        for twist in self.twists:
            answer = twist(request, answer) or answer
        return answer


@contextmanager
def twisted(target: str) -> Iterator[Proxy]:
    """Run a proxy before a server (scheme, host and port) until the end of the block."""
    proxy = Proxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {n: v for n, v in self.headers.items() if n.lower() != "connection"}
            answer = proxy.answer(Request(self.command, self.path, headers), body)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

        def log_message(self, format: str, *args: object) -> None:
            return

    with served(Handler) as proxy.url:
        yield proxy
