"""A client of the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from shared.api.jobs_api import create_app
from shared.app import App
from tests.kit.world import TOKEN, World, job_file
from tests.simulation.wsgi import Answer, Request, call

CREATE = "/api/v1/services/aigc/image2image/image-synthesis"
INSTANCES = count()
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json; charset=utf-8", "X-DashScope-Async": "enable"}
BODY: dict[str, Any] = json.loads(job_file())
"""A request that is in order."""


class Reply:
    """An answer; `body` is its JSON."""

    def __init__(self, answer: Answer) -> None:
        self.status, self.headers = answer.status, answer.headers
        self.body: dict[str, Any] = json.loads(answer.body)

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code of a refusal, which has the service's three fields and no more."""
        assert set(self.body) == {"code", "message", "request_id"}, self.body
        return self.status, str(self.body["code"])


def send(
    to: World | App,
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] = BEARER,
) -> Reply:
    """One request to one instance of the api function."""
    app = to.app(f"api {next(INSTANCES)}") if isinstance(to, World) else to
    return Reply(call(create_app(app), Request(method, target, headers, body)))


def create(world: World, body: Any = None, path: str = CREATE, **headers: str) -> Reply:
    """A create; `headers` replace or, when empty, remove those a client sends."""
    raw = body if isinstance(body, bytes) else json.dumps(BODY if body is None else body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in (BEARER | JSON | named).items() if value}
    return send(world, "POST", path, raw, sent)


def created(world: World, body: Any = None, **headers: str) -> str:
    """The id of a task that was accepted."""
    reply = create(world, body, **headers)
    assert reply.status == 200, reply.body
    return str(reply.body["output"]["task_id"])


def changed(**places: Any) -> dict[str, Any]:
    """The request with other values, by place: input__prompt=…; None is null."""
    body: dict[str, Any] = {"parameters": {}, **json.loads(json.dumps(BODY))}
    for place, value in places.items():
        *path, last = place.split("__")
        target = body
        for step in path:
            target = target[step]
        target[last] = value
    return body


def query(world: World, job: str) -> dict[str, Any]:
    """The answer to a query, always HTTP 200."""
    reply = send(world, "GET", f"/api/v1/tasks/{job}")
    assert reply.status == 200, reply.body
    return reply.body


def status(world: World, job: str) -> str:
    return str(query(world, job)["output"]["task_status"])


def poll(world: World, seconds: float = 60.0) -> None:
    """One run of the poller."""
    app = world.app("poll")
    app.poller.run(app.clock.monotonic() + seconds)
