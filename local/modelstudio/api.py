"""The public endpoints: create, query, list, cancel, uploads, results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import BodyPartReader, web

from local.modelstudio import wire
from local.modelstudio.clock import from_compact
from local.modelstudio.errors import service_error
from local.modelstudio.faults import answer_despite
from local.modelstudio.rules import ModelRules
from local.modelstudio.service import Service
from local.modelstudio.tasks import PENDING, STATUSES, Task
from local.modelstudio.uploads import MAX_MEGABYTES

SERVICE = web.AppKey("service", Service)
_DAY = 24 * 3600.0
_SERVICES = "/api/v1/services/aigc/"


def add_routes(app: web.Application) -> None:
    """Every public path, each with and without a trailing slash.

    The documents write some paths one way and some the other, and so does the SDK: its
    asynchronous `cancel` sends the slash, its synchronous one does not.
    """
    get, post = app.router.add_get, app.router.add_post
    service = app[SERVICE]
    for add, path, handler in (
        *((post, _SERVICES + path, create) for path in sorted(service.task_paths)),
        *((post, _SERVICES + path, call) for path in sorted(service.call_paths)),
        (get, "/api/v1/models/limits", limits),
        (get, "/api/v1/tasks", list_tasks),
        (get, "/api/v1/tasks/{task_id}", query),
        (post, "/api/v1/tasks/{task_id}/cancel", cancel),
        (get, "/api/v1/uploads", upload_policy),
        (post, "/uploads", upload),
    ):
        add(path, handler)
        add(path + "/", handler)
    app.router.add_route("*", r"/results/{date:\d{8}}/{name:[0-9a-f-]+\.(png|jpg)}", result)


def _key_id(request: web.Request) -> str:
    return request.app[SERVICE].check_key(request.headers.get("Authorization", ""))


async def create(request: web.Request) -> web.StreamResponse:
    """POST to a path of tasks: a new task, or the reason why not."""
    service, key_id = request.app[SERVICE], _key_id(request)
    if not _is_on(request, "X-DashScope-Async"):
        raise service_error("synchronous")
    body = await _json_body(request)
    model = service.model_for(body, _path(request))
    resolves = _is_on(request, "X-DashScope-OssResourceResolve")

    async def work() -> web.StreamResponse:
        with service.noting_refusal(model):
            task = service.create(model, body, key_id, resolves)
        return wire.json_answer(wire.accepted(task))

    return await answer_despite(service.faults.take("create", model.name), request, work)


async def call(request: web.Request) -> web.StreamResponse:
    """POST to a path of calls: the images, once they are made, or the reason why not."""
    service, key_id = request.app[SERVICE], _key_id(request)
    if _is_on(request, "X-DashScope-Async"):
        raise service_error("asynchronous_path")
    body = await _json_body(request)
    model = service.model_for(body, _path(request))
    resolves = _is_on(request, "X-DashScope-OssResourceResolve")

    async def work() -> web.StreamResponse:
        with service.noting_refusal(model):
            task = await service.call(model, body, key_id, resolves)
        return wire.json_answer(wire.called(task, service.result_address))

    return await answer_despite(service.faults.take("create", model.name), request, work)


def _path(request: web.Request) -> str:
    return request.path.removeprefix(_SERVICES).rstrip("/")


def _is_on(request: web.Request, header: str) -> bool:
    return request.headers.get(header, "").strip().lower() == "enable"


async def limits(request: web.Request) -> web.StreamResponse:
    """GET /models/limits: what the account may ask of each model."""
    service = request.app[SERVICE]
    _key_id(request)
    asked = request.query
    name = asked.get("model") or asked.get("name") or ""
    models = [model for model in service.models.values() if name in ("", model.name)]
    page_no, page_size = _positive(asked.get("page_no"), 1), _positive(asked.get("page_size"), 20)
    return wire.json_answer(wire.limits(models, service.settings, page_no, page_size))


async def _json_body(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":  # the media type alone, without charset
        raise service_error("body_invalid")
    try:
        body = json.loads((await request.read()).decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as problem:
        raise service_error("body_invalid") from problem
    if not isinstance(body, dict):
        raise service_error("body_invalid")
    return body


async def query(request: web.Request) -> web.StreamResponse:
    """GET /tasks/{id}: always HTTP 200; UNKNOWN for what never was or is no longer kept."""
    service = request.app[SERVICE]
    _key_id(request)
    service.count_task_call("query")
    task_id = request.match_info["task_id"]
    task = service.find(task_id)
    if task is not None:
        service.life.stats[task.model.name].queries += 1

    async def work() -> web.StreamResponse:
        if task is None:
            return wire.json_answer(wire.unknown(task_id))
        return wire.json_answer(wire.queried(task, service.result_address))

    fault = service.faults.take("query", task.model.name if task else "")
    return await answer_despite(fault, request, work)


async def list_tasks(request: web.Request) -> web.StreamResponse:
    """GET /tasks: the account's tasks, filtered, the newest first."""
    service = request.app[SERVICE]
    _key_id(request)
    service.count_task_call("list")

    async def work() -> web.StreamResponse:
        asked = request.query
        page_no, page_size = (
            _positive(asked.get("page_no"), 1),
            _positive(asked.get("page_size"), 10),
        )
        now = service.clock.now()
        shown = now - service.settings.seconds("list_delay_seconds")
        found = [task for task in _filtered(service.kept(), asked, now) if task.created <= shown]
        return wire.json_answer(wire.listed(found, page_no, page_size))

    fault = service.faults.take("list", request.query.get("model_name", ""))
    return await answer_despite(fault, request, work)


def _filtered(tasks: list[Task], asked: Mapping[str, str], now: float) -> list[Task]:
    first, last = _span(asked.get("start_time"), asked.get("end_time"), now)
    if asked.get("status", PENDING) not in STATUSES:
        raise service_error("specification", detail=f"status must be one of {', '.join(STATUSES)}")
    return [
        task
        for task in tasks
        if first <= task.created <= last
        and asked.get("task_id", task.task_id) == task.task_id
        and asked.get("model_name", task.model.name) == task.model.name
        and asked.get("status", task.status) == task.status
    ]


def _span(start: str | None, end: str | None, now: float) -> tuple[float, float]:
    """First and last moment asked for; at most 24 hours (task management page)."""
    try:
        first = from_compact(start) if start else None
        last = from_compact(end) if end else None
    except ValueError as problem:
        raise service_error("specification", detail="times are YYYYMMDDhhmmss") from problem
    if first is None:
        last = now if last is None else last
        first = last - _DAY
    elif last is None:
        last = first + _DAY
    if not 0 <= last - first <= _DAY:
        raise service_error(
            "specification", detail="end_time must follow start_time within 24 hours"
        )
    return first, last


def _positive(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or int(text[:9]) < 1:
        raise service_error(
            "specification", detail="page_no and page_size must be positive integers"
        )
    return int(text[:9])


async def cancel(request: web.Request) -> web.StreamResponse:
    """POST /tasks/{id}/cancel: works on PENDING alone."""
    service = request.app[SERVICE]
    _key_id(request)
    service.count_task_call("cancel")
    task = service.find(request.match_info["task_id"])

    async def work() -> web.StreamResponse:
        if task is None:
            raise service_error("cancel_refused")
        service.life.cancel(task)
        return wire.json_answer(wire.canceled())

    fault = service.faults.take("cancel", task.model.name if task else "")
    return await answer_despite(fault, request, work)


async def upload_policy(request: web.Request) -> web.StreamResponse:
    """GET /uploads?action=getPolicy&model=…: leave to post a temporary file."""
    service = request.app[SERVICE]
    _key_id(request)
    if request.query.get("action") != "getPolicy":
        raise service_error("field_invalid", field="action")
    model: ModelRules | None = service.models.get(request.query.get("model", ""))
    if model is None:
        raise service_error("model_unknown")
    name = model.name

    async def work() -> web.StreamResponse:
        return wire.json_answer(service.uploads.policy(name, service.address + "/uploads"))

    return await answer_despite(service.faults.take("policy", name), request, work)


async def upload(request: web.Request) -> web.StreamResponse:
    """POST of a temporary file as multipart/form-data, the file being the last field."""
    if request.content_type != "multipart/form-data":
        raise service_error("body_invalid")
    service = request.app[SERVICE]
    form, data = await _form_and_file(request)

    async def work() -> web.StreamResponse:
        service.uploads.put(form, data)
        return web.Response(status=200)

    return await answer_despite(service.faults.take("upload", ""), request, work)


async def _form_and_file(request: web.Request) -> tuple[dict[str, str], bytes]:
    """The fields before the file, and the file; what comes after it is not read."""
    reader = await request.multipart()
    form: dict[str, str] = {}
    while isinstance(part := await reader.next(), BodyPartReader):
        data = await _bounded(part)
        if part.name == "file":
            return form, data
        form[part.name or ""] = data.decode("utf-8", "replace")
    raise service_error("field_invalid", field="file")


async def _bounded(part: BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > MAX_MEGABYTES * 2**20:
            raise service_error("body_too_large")
    return bytes(data)


async def result(request: web.Request) -> web.StreamResponse:
    """A finished image at its signed address."""
    service = request.app[SERVICE]

    async def work() -> web.StreamResponse:
        return service.results.answer(request)

    return await answer_despite(service.faults.take("download", ""), request, work)
