"""A real HTTP server on 127.0.0.1 that answers as the test wrote down, one answer a request."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.kit.served import served


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; header names in lower case, `port` the client's."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    port: int


@dataclass(frozen=True)
class Answer:
    """What to send. `cut`: close after so many bytes of the body (-1: say nothing at all)."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


Step = Answer | Callable[[Seen], Answer]
NOTHING = Answer(cut=-1)
"""Read the request, then close the connection without a word."""


class HttpScript:
    """The server's script and what it has seen."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self.steps: deque[Step] = deque()
        self.surplus = 0
        self.over = threading.Event()
        self._arrivals = threading.Semaphore(0)

    def then(self, *steps: Step) -> HttpScript:
        self.steps.extend(steps)
        return self

    def never(self, _seen: Seen) -> Answer:
        """A step that answers only when the test is over."""
        self.over.wait(30)
        return NOTHING

    def await_request(self) -> None:
        """Wait until one more request has arrived. Raises AssertionError if none does."""
        assert self._arrivals.acquire(timeout=10), "no request arrived"

    def answer_to(self, seen: Seen) -> Answer:
        self.seen.append(seen)
        self._arrivals.release()
        if not self.steps:
            self.surplus += 1
            return Answer(501, b"the script is at its end")
        step = self.steps.popleft()
        return step(seen) if callable(step) else step


@contextmanager
def scripted_http() -> Iterator[HttpScript]:
    """Serve until the block ends; a request beyond the script, or a step too many, is an error."""
    script = HttpScript()
    with served(_handler(script)) as script.url:
        try:
            yield script
        finally:
            script.over.set()
    assert script.surplus == 0, f"{script.surplus} requests too many: {script.seen}"
    assert not script.steps, f"{len(script.steps)} answers were never asked for"


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which nobody listens, and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def _handler(script: HttpScript) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self._send(script.answer_to(self._seen()))

        def _seen(self) -> Seen:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            return Seen(self.command, self.path, headers, body, self.client_address[1])

        def _send(self, answer: Answer) -> None:
            if answer.cut == -1:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body[: answer.cut])
            self.wfile.flush()
            self.close_connection |= answer.cut is not None

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
