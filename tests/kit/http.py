"""A caller of the HTTP endpoints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from shared.api.jobs_api import create_app
from shared.app import App
from shared.platform.settings import Token
from tests.kit.world import TOKEN, World, run
from tests.simulation.wsgi import Answer, Request, call

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
    """What the caller reads."""

    def __init__(self, answer: Answer) -> None:
        self.status, self.headers, self.raw = answer.status, answer.headers, answer.body

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
    return Reply(call(create_app(app), Request(method, target, sent, raw)))


def failed(world: World, job: str, **own: Any) -> None:
    """A job that ended without an image: its time ran out before it was sent."""
    world.queued(job, expires_after="1m", **own)
    world.timeline.wait(120)
    run(world)
    assert world.state(job) == "EXPIRED", world.state(job)
