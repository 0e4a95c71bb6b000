"""Operations: dead events, models that are paused, and what the runtime gives the function."""

from __future__ import annotations

import platform
import re

import falcon

from shared.api.context import answer_json, app_of
from shared.api.jobs_api.problems import Problem
from shared.jobs.dead_letters import DeadLetters
from shared.jobs.repair import UnknownModel
from shared.platform.fc.events import UnknownEvent
from shared.platform.web_function import HEADER_NAMES
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectTooLarge

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.json")
MOST_NAMES = 100


class Dead:
    """`/dead`"""

    needs = "admin"

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """The latest events that Function Compute gave up on, newest first."""
        shown, total = DeadLetters(app_of(request).store).latest()
        answer_json(response, {"dead": shown, "total": total})


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
        """End the pause of a model, if it pauses; `~key` means the API key, so all models."""
        try:
            resumed = app_of(request).repair.resume(name)
        except UnknownModel as error:
            raise Problem(404, "No such model", str(error)) from None
        answer_json(response, {"model": name, "resumed": resumed})


class Runtime:
    """`/runtime`"""

    needs = "admin"

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """What the function sees of its runtime: the names of the platform's headers, no value."""
        names = request.env.get(HEADER_NAMES, ())
        answer_json(response, {"python": platform.python_version(), "headers": names[:MOST_NAMES]})
