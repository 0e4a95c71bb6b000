"""The laptop's own endpoints beside the service's: watch it, set it, move its clock."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from local.modelstudio.api import SERVICE
from local.modelstudio.money import amount
from local.modelstudio.settings import SettingsError
from local.modelstudio.tasks import Task, without_payloads
from local.modelstudio.wire import json_answer

_ABOUT = """Model Studio on a laptop: a stand-in for the image task API (DashScope).
It answers as the API documents say and draws with classical methods, not with a model.

POST /api/v1/services/aigc/…   a task, or with multimodal-generation/generation a synchronous call
GET  /api/v1/tasks/{id}        GET /api/v1/tasks   POST /api/v1/tasks/{id}/cancel
GET  /api/v1/models/limits
GET  /_admin/stats   GET /_admin/tasks   GET or POST /_admin/settings
POST /_admin/clock {"advance_seconds": N}

Models: """


def add_routes(app: web.Application) -> None:
    """Everything under /_admin, and the front door."""
    app.router.add_get("/", about)
    app.router.add_get("/_admin/stats", stats)
    app.router.add_get("/_admin/tasks", tasks)
    app.router.add_get("/_admin/settings", settings)
    app.router.add_post("/_admin/settings", change_settings)
    app.router.add_post("/_admin/clock", move_clock)


async def about(request: web.Request) -> web.Response:
    """What this server is."""
    return web.Response(text=_ABOUT + ", ".join(request.app[SERVICE].models) + "\n")


async def stats(request: web.Request) -> web.Response:
    """Counts and peaks of each model, and how often each fault struck."""
    service = request.app[SERVICE]
    service.life.time_out()
    return json_answer({"models": service.life.report(), "faults": service.faults.counts()})


async def tasks(request: web.Request) -> web.Response:
    """Every task and call since the start with its body, inline images left out."""
    service = request.app[SERVICE]
    service.life.time_out()
    return json_answer({"tasks": [_seen(task) for task in service.book.all()]})


def _seen(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "request_id": task.request_id,
        "model": task.model.name,
        "is_call": task.is_call,
        "status": task.status,
        "created": task.created,
        "started": task.started,
        "ended": task.ended,
        "wanted": task.wanted,
        "good": task.good,
        "billed": amount(task.billed),
        "code": task.error.code if task.error else None,
        "message": task.error.message if task.error else None,
        "texts_used": dict(task.texts),
        "body": without_payloads(task.sent),
    }


async def settings(request: web.Request) -> web.Response:
    """The settings in force."""
    return json_answer(request.app[SERVICE].settings.as_dict())


async def change_settings(request: web.Request) -> web.Response:
    """Merge settings into those in force."""
    service = request.app[SERVICE]
    try:
        service.change_settings(await _json(request))
    except SettingsError as problem:
        return _wrong(str(problem))
    return json_answer(service.settings.as_dict())


async def move_clock(request: web.Request) -> web.Response:
    """Move the server's clock on by `advance_seconds`."""
    service = request.app[SERVICE]
    try:
        body = await _json(request)
    except SettingsError as problem:
        return _wrong(str(problem))
    seconds = body.get("advance_seconds") if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return _wrong('clock: expected {"advance_seconds": <number of seconds>}')
    service.clock.advance(seconds)
    return json_answer({"now": service.clock.now(), "offset_seconds": service.clock.offset})


async def _json(request: web.Request) -> object:
    try:
        body: object = json.loads(await request.read())
    except ValueError as problem:
        raise SettingsError(f"the body is not JSON: {problem}") from problem
    return body


def _wrong(text: str) -> web.Response:
    return json_answer({"error": text}, 400)
