"""A client of OpenAI's wire."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from PIL import Image

from shared.api.jobs_api import create_app
from shared.app import App
from shared.instance import INSTANCE
from tests.kit.dashscope import poll
from tests.kit.world import TOKEN, World
from tests.simulation.wsgi import Answer, Request, call

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FIRST = {"x-stainless-retry-count": "0", "x-stainless-read-timeout": "600.0"}
"""What the official client sends with its first try, by its defaults."""
BOUNDARY = "a-boundary"
INSTANCES = count()
File = tuple[str, bytes]
"""A field of a form and the file in it."""


class Reply:
    """An answer; `body` is its JSON."""

    def __init__(self, answer: Answer) -> None:
        self.status, self.headers = answer.status, answer.headers
        self.body: dict[str, Any] = json.loads(answer.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error of a refusal, whose members OpenAI's clients read."""
        error: dict[str, Any] = self.body["error"]
        assert {"message", "type", "param", "code"} <= set(error), error
        return error

    @property
    def urls(self) -> list[str]:
        assert self.status == 200, self.body
        return [one["url"] for one in self.body["data"]]

    @property
    def job(self) -> str:
        """The job that the answer is about."""
        return self.headers["location"].rsplit("/", 1)[1]


def world_of(*names: str) -> World:
    """A world with these models of the catalogue."""
    world = World()
    world.models = tuple(model for model in INSTANCE.yaml[0].models() if model.name in names)
    return world


def ask(
    to: World | App,
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] = BEARER,
) -> Reply:
    """One request to one instance of the api function."""
    app = to.app(f"api {next(INSTANCES)}") if isinstance(to, World) else to
    return Reply(call(create_app(app), Request(method, target, headers, body)))


def generate(to: World | App, headers: Mapping[str, str] | None = None, **fields: Any) -> Reply:
    """Images for a prompt, as the official client asks for them."""
    sent = BEARER | FIRST | {"Content-Type": "application/json"} | dict(headers or {})
    return ask(to, "POST", GENERATIONS, json.dumps(fields).encode(), sent)


def edit(
    to: World | App,
    files: Sequence[File],
    headers: Mapping[str, str] | None = None,
    **fields: str,
) -> Reply:
    """Images made of others, as a form."""
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    sent = BEARER | FIRST | {"Content-Type": kind} | dict(headers or {})
    return ask(to, "POST", EDITS, form(files, fields), sent)


def form(files: Sequence[File], fields: Mapping[str, str]) -> bytes:
    """The body of a form, fields first (openai's client)."""
    parts = [(f'name="{name}"', "", text.encode()) for name, text in fields.items()]
    parts += [
        (f'name="{name}"; filename="upload"', "Content-Type: application/octet-stream\r\n", body)
        for name, body in files
    ]
    made = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n{kind}\r\n".encode()
        + body
        + b"\r\n"
        for head, kind, body in parts
    )
    return made + f"--{BOUNDARY}--\r\n".encode()


def later(world: World, seconds: float = 3.0) -> None:
    """Let the poller run while a call waits."""
    world.timeline.after(seconds, lambda: poll(world, 30.0))


def png(size: tuple[int, int] = (600, 600), mode: str = "RGB", colour: Any = "white") -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, colour).save(made, "PNG")
    return made.getvalue()


def mask(
    size: tuple[int, int] = (600, 600), hole: tuple[int, int, int, int] = (0, 0, 300, 300)
) -> bytes:
    """A mask in OpenAI's form: opaque, with a transparent hole."""
    image = Image.new("RGBA", size, (10, 20, 30, 255))
    image.paste((10, 20, 30, 0), hole)
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()
