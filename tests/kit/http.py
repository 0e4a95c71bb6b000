"""A caller of the HTTP endpoints, by way of Function Compute's events."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from shared.api.jobs_api import create_app
from shared.app import App
from shared.platform.fc.http import HttpEvent, call
from shared.platform.settings import Token
from tests.kit.fc_events import http_event
from tests.kit.world import TOKEN, World, run

INSTANCES = count()
SCOPES = ("read", "submit", "admin")
PREFIX = "team-a-"
JSON = "application/json"


def token(scope: str, prefix: str = "") -> str:
    """The token of a scope, and of a prefix if it has one."""
    return f"{scope} of {prefix or 'all'}".replace(" ", "-")


TOKENS = tuple(
    Token(hashlib.sha256(token(scope, prefix).encode()).hexdigest(), scope, prefix)
    for scope in SCOPES
    for prefix in ("", PREFIX)
)


class Reply:
    """What Function Compute would send on."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.status = int(whole["statusCode"])
        self.headers = {name.lower(): str(value) for name, value in whole["headers"].items()}
        body = str(whole["body"])
        self.raw = base64.b64decode(body) if whole["isBase64Encoded"] else body.encode()

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


def ask(
    to: World | App,
    method: str,
    target: str,
    body: bytes | Mapping[str, Any] = b"",
    given: str = TOKEN,
    **headers: str,
) -> Reply:
    """One request; `given` is the token, headers are written with underscores."""
    app = to.app(f"http {next(INSTANCES)}", tokens=TOKENS) if isinstance(to, World) else to
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": JSON}
    if given:
        sent["Authorization"] = f"Bearer {given}"
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    event = HttpEvent.of(http_event(method, target, raw, sent))
    return Reply(call(create_app(app), event))


def failed(world: World, job: str, **own: Any) -> None:
    """A job that ended without an image: its time ran out before it was sent."""
    world.queued(job, expires_after="1m", **own)
    world.timeline.wait(120)
    run(world)
    assert world.state(job) == "EXPIRED", world.state(job)
