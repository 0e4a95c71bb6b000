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
    """Each path below `url` is a receiver of its own. `secrets`: by path those it verifies with,
    any of which will do; `answers`: by path status and headers of the next answers, 204 when there
    are none left."""

    url: str = ""
    secrets: dict[str, list[str]] = field(default_factory=dict)
    answers: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    def at(self, path: str) -> list[Heard]:
        """What was told there."""
        return [one for one in self.heard if one.path == path]


def verifies(secrets: Sequence[str], headers: dict[str, str], body: bytes) -> bool:
    """Whether one of the secrets signed this."""
    for secret in secrets:
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
            genuine = verifies(receiver.secrets.get(self.path, ()), headers, body)
            receiver.heard.append(Heard(headers, body, self.path, genuine))
            answers = receiver.answers.get(self.path)
            status, more = answers.pop(0) if answers else (204, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **more}.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with served(Handler) as address:
        receiver.url = address
        yield receiver
