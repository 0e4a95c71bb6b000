"""A receiver of webhooks on this computer, which verifies with the official library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.kit.served import served

KEY = "a master key that is for tests alone"
OLD_KEY = "the master key that was before that one in these tests"


@dataclass
class Heard:
    """A request, and whether it is genuine."""

    headers: dict[str, str]
    body: bytes
    path: str
    genuine: bool

    @property
    def event(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


@dataclass
class LocalReceiver:
    """`secrets`: those it verifies with, any of which will do; `answers`: status and headers of the
    next answers, 204 when there are none left."""

    url: str = ""
    secrets: Sequence[str] = ()
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    def of(self, job: str) -> list[Heard]:
        """What it was told of a job."""
        return [one for one in self.heard if one.event.get("subject") == job]

    def verifies(self, headers: dict[str, str], body: bytes) -> bool:
        """Whether one of its secrets signed this."""
        for secret in self.secrets:
            try:
                Webhook(secret).verify(body, headers)
            except WebhookVerificationError:
                continue
            return True
        return False


@contextmanager
def local_receiver() -> Iterator[LocalReceiver]:
    """It listens until the block ends."""
    receiver = LocalReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            genuine = receiver.verifies(headers, body)
            receiver.heard.append(Heard(headers, body, self.path, genuine))
            status, more = receiver.answers.pop(0) if receiver.answers else (204, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **more}.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with served(Handler) as address:
        receiver.url = f"{address}/hook"
        yield receiver
