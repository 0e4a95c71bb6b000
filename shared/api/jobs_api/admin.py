"""What keeps the system going: dead events, and models that were left alone."""

from __future__ import annotations

import json
import re
from typing import Any

import falcon

from shared.api.context import answer_json, app_of
from shared.api.jobs_api.problems import Problem
from shared.app import App
from shared.jobs.repair import DEAD_BYTES, UnknownModel
from shared.platform.fc.events import UnknownEvent
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectTooLarge

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.json")
SHOWN = ("function", "at", "request_id", "condition", "tries", "error", "job_files", "what_to_do")
MOST_SHOWN = 100


class Dead:
    """`/dead`"""

    needs = "admin"

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """The latest events that Function Compute gave up on, newest first."""
        names = [entry.key[len(layout.DEAD) :] for entry in app_of(request).store.list(layout.DEAD)]
        shown = [_shown(app_of(request), name) for name in reversed(names[-MOST_SHOWN:])]
        answer_json(response, {"dead": shown, "total": len(names)})


class Redrive:
    """`/dead/{name}/redrive`"""

    needs = "admin"

    def on_post(self, request: falcon.Request, response: falcon.Response, name: str) -> None:
        """Give a dead event to the system once more."""
        missing = Problem(404, "No such event", f"There is no dead event {name[:80]!r}.")
        if not NAME.fullmatch(name):
            raise missing
        try:
            done = app_of(request).repair.redrive(layout.dead_event(name))
        except ObjectMissing:
            raise missing from None
        except (UnknownEvent, ObjectTooLarge) as error:
            raise Problem(409, "Not a dead event", str(error)) from None
        answer_json(response, {"name": name, "done": done})


class Resume:
    """`/models/{name}/resume`"""

    needs = "admin"

    def on_post(self, request: falcon.Request, response: falcon.Response, name: str) -> None:
        """Submit to a model again that was left alone; `~key` stands for the whole API key."""
        try:
            app_of(request).repair.resume(name)
        except UnknownModel as error:
            raise Problem(404, "No such model", str(error)) from None
        answer_json(response, {"model": name, "resumed": True})


def _shown(app: App, name: str) -> dict[str, Any]:
    try:
        body = app.store.read(layout.dead_event(name), DEAD_BYTES).body
        document = json.loads(body)
    except (ObjectMissing, ObjectTooLarge, ValueError):
        document = None
    if not isinstance(document, dict):
        return {"name": name, "error": "This file cannot be read; look at it in the bucket."}
    return {"name": name, **{field: document.get(field) for field in SHOWN}}
