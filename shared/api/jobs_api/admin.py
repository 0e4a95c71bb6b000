"""What keeps the system going: dead events, and models that were left alone."""

from __future__ import annotations

import json
import re
from typing import Any

import falcon

from shared.api.jobs_api.problems import Problem
from shared.api.jobs_api.views import answer
from shared.app import App
from shared.jobs.repair import DEAD_BYTES, redrive
from shared.ledger.model_state import KEY
from shared.platform.fc.events import UnknownEvent
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectTooLarge

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.json")
SHOWN = ("function", "at", "request_id", "condition", "tries", "error", "job_files", "what_to_do")
MOST_SHOWN = 100


class Dead:
    """`/dead`"""

    needs = "admin"

    def __init__(self, app: App) -> None:
        self._app = app

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        """The latest events that Function Compute gave up on, newest first."""
        names = [entry.key[len(layout.DEAD) :] for entry in self._app.store.list(layout.DEAD)]
        shown = [self._shown(name) for name in reversed(names[-MOST_SHOWN:])]
        answer(response, {"dead": shown, "total": len(names)})

    def _shown(self, name: str) -> dict[str, Any]:
        try:
            body = self._app.store.read(layout.dead_event(name), DEAD_BYTES).body
            document = json.loads(body)
        except (ObjectMissing, ObjectTooLarge, ValueError):
            document = None
        if not isinstance(document, dict):
            return {"name": name, "error": "This file cannot be read; look at it in the bucket."}
        return {"name": name, **{field: document.get(field) for field in SHOWN}}


class Redrive:
    """`/dead/{name}/redrive`"""

    needs = "admin"

    def __init__(self, app: App) -> None:
        self._app = app

    def on_post(self, _request: falcon.Request, response: falcon.Response, name: str) -> None:
        """Give a dead event to the system once more."""
        missing = Problem(404, "No such event", f"There is no dead event {name[:80]!r}.")
        if not NAME.fullmatch(name):
            raise missing
        try:
            done = redrive(self._app, layout.dead_event(name))
        except ObjectMissing:
            raise missing from None
        except (UnknownEvent, ObjectTooLarge) as error:
            raise Problem(409, "Not a dead event", str(error)) from None
        answer(response, {"name": name, "done": done})


class Resume:
    """`/models/{name}/resume`"""

    needs = "admin"

    def __init__(self, app: App) -> None:
        self._app = app

    def on_post(self, _request: falcon.Request, response: falcon.Response, name: str) -> None:
        """Submit to a model again that was left alone; `~key` stands for the whole API key."""
        known = self._app.catalogue.names()
        if name not in (KEY, *known):
            detail = f"There is no model {name[:80]!r}; the models are {', '.join(known)}."
            raise Problem(404, "No such model", detail)
        self._app.states.resume(name)
        self._app.heartbeat.wake_if_nobody()
        answer(response, {"model": name, "resumed": True})
