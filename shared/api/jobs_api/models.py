"""`/models`: the catalogue as a form or a program needs it."""

from __future__ import annotations

from typing import Any

import falcon

from shared.api.context import answer_json, app_of
from shared.api.jobs_api.problems import Problem
from shared.api.jobs_api.taking import owned, read_request_body, refused
from shared.app import App
from shared.catalogue.groups import group_of
from shared.catalogue.models import Model
from shared.catalogue.status import Status
from shared.catalogue.tasks import load_tasks
from shared.jobfile import Unreadable
from shared.jobs.repair import UnknownModel


class Models:
    """`/models`"""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Every model of the catalogue."""
        app = app_of(request)
        response.set_header("Cache-Control", "private, max-age=60")
        app.ledger.durations.look_for(app.catalogue.names())
        shown = [_shown(app, model) for model in app.catalogue.models()]
        answer_json(response, {"models": shown, "tasks": load_tasks()}, parts=vars)


class Convert:
    """`/models/{name}/convert`"""

    def on_post(self, request: falcon.Request, response: falcon.Response, name: str) -> None:
        """A job file, written for this model; nothing is submitted or stored."""
        from shared.jobfile.convert import convert_all  # it brings much along, and few ask for it

        app = app_of(request)
        if app.catalogue.get(name) is None:
            raise Problem(404, "No such model", str(UnknownModel(name, app.catalogue.names())))
        limit = app.settings.job_file_bytes
        documents = owned(request, read_request_body(request, limit).documents(limit))
        try:
            done = convert_all(documents, name, app.catalogue, app.acceptance.intake.place())
        except Unreadable as error:
            raise refused((("", one) for one in error.violations), len(documents)) from None
        jobs = [{"job_file": one.value, "notes": one.notes} for one in done]
        answer_json(response, {"model": name, "jobs": jobs})


def _shown(app: App, model: Model) -> dict[str, Any]:
    region = app.settings.model_region
    price = model.price.in_region(region)
    return {
        "name": model.name,
        "title": {"en": model.title, "zh": model.title_zh},
        "description": model.description,
        "guidance": {"en": model.guidance, "zh": model.guidance_zh},
        "group": group_of(model),
        "tasks": model.tasks,
        "snapshot_of": model.snapshot_of,
        "lifecycle": model.readings["lifecycle"],
        "status": _status(model.status),
        "offered": region in model.regions,
        "regions": model.regions,
        "input": model.input_schema,
        "parameters": model.parameters_schema,
        "rules": model.rules,
        "images": model.images,
        "number": model.number,
        "limits": {**vars(model.limits), "checked": model.readings["limits"].checked},
        "price": {**vars(model.price), **vars(price)},
        "notices": model.remarks(),
        "typical_seconds": model.typical_seconds,
        "expected_seconds": round(app.estimates().seconds_each(model), 1),
        "sources": model.sources,
        "mode": model.mode,
    }


def _status(status: Status | None) -> dict[str, Any] | None:
    """What becomes of a model; `convertible`: whether its jobs can be written for the successor."""
    if status is None:
        return None
    return {
        "state": status.state,
        "since": status.since,
        "reason": {"en": status.reason, "zh": status.reason_zh},
        "successor": status.successor,
        "convertible": bool(status.conversion),
    }
