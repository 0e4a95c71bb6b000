"""The service's JSON, as the API references and the task management page print it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from aiohttp import web

from local.modelstudio.clock import beijing_text
from local.modelstudio.errors import ServiceError
from local.modelstudio.outcome import Address, Json, output, usage
from local.modelstudio.rules import ModelRules
from local.modelstudio.settings import Settings
from local.modelstudio.tasks import FAILED, SUCCEEDED, UNKNOWN, Task

_QUEUE = 500  # the page's sample: concurrency 5, queue 500


def new_request_id() -> str:
    """The id every answer carries."""
    return str(uuid.uuid4())


def json_answer(body: Json, status: int = 200) -> web.Response:
    """A JSON answer; Chinese text stays readable."""
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(status=status, text=text, content_type="application/json")


def refusal(error: ServiceError) -> Json:
    """A request error: no `output`."""
    return {"code": error.code, "message": error.message, "request_id": new_request_id()}


def accepted(task: Task) -> Json:
    """The answer to create."""
    output = {"task_status": "PENDING", "task_id": task.task_id}
    return {"output": output, "request_id": task.request_id}


def unknown(task_id: str) -> Json:
    """The answer for a task that never was or is no longer kept: HTTP 200."""
    return {
        "request_id": new_request_id(),
        "output": {"task_id": task_id, "task_status": UNKNOWN},
    }


def canceled() -> Json:
    """The answer to cancel: the request id alone (task management page)."""
    return {"request_id": new_request_id()}


def queried(task: Task, address: Address) -> Json:
    """The answer to query, in the form of the task's model."""
    told: Json = {"task_id": task.task_id, "task_status": task.told_status}
    if task.model.answer.get("times"):
        told.update(_times(task))
    if task.status == FAILED and task.error is not None:
        told.update(code=task.error.code, message=task.error.message)
    if task.status == SUCCEEDED:
        told.update(output(task, address))
    if task.model.answer["metrics"]:
        told["task_metrics"] = {"TOTAL": task.wanted, "SUCCEEDED": task.good, "FAILED": task.failed}
    answer: Json = {"request_id": new_request_id(), "output": told}
    if task.status == SUCCEEDED:
        answer["usage"] = usage(task)
    return answer


def called(task: Task, address: Address) -> Json:
    """The answer to a synchronous call that went well."""
    told = {"output": output(task, address), "usage": usage(task)}
    return {**told, "request_id": task.request_id}


def limits(models: Sequence[ModelRules], settings: Settings, page_no: int, page_size: int) -> Json:
    """The answer to `GET /models/limits` (list-quotas page): the limits that are in force."""
    first = (page_no - 1) * page_size
    page = [_quota(model, settings) for model in models[first : first + page_size]]
    told = {"total": len(models), "page_no": page_no, "page_size": page_size, "quotas": page}
    return {"request_id": new_request_id(), "output": told}


def _quota(model: ModelRules, settings: Settings) -> Json:
    submissions, seconds = settings.submissions(model)
    at_once = settings.concurrent_tasks(model)
    limit = {
        "request_limit": submissions,
        "request_limit_period": None if submissions is None else round(seconds),
        "usage_limit": None,
        "usage_limit_field": None,
        "usage_limit_period": None,
        "async_user_queue_limit": at_once and _QUEUE,
        "async_user_concurrency_limit": at_once,
    }
    ids = {"model": model.name, "workspace_id": "ws-laptop"}
    return {**ids, "model_limit": limit, "workspace_limit": None}


def _times(task: Task) -> Json:
    moments = {
        "submit_time": task.created,
        "scheduled_time": task.started,
        "end_time": task.ended,
    }
    if task.model.answer.get("starts") and task.is_over:
        moments["start_time"] = task.started
    return {name: beijing_text(at) for name, at in moments.items() if at is not None}


def listed(tasks: Sequence[Task], page_no: int, page_size: int) -> Json:
    """The answer to list: flat, no `output`."""
    first = (page_no - 1) * page_size
    return {
        "total": len(tasks),
        "total_page": -(-len(tasks) // page_size),
        "page_no": page_no,
        "page_size": page_size,
        "request_id": new_request_id(),
        "data": [_row(task) for task in tasks[first : first + page_size]],
    }


def _row(task: Task) -> Json:
    row: Json = {
        "api_key_id": task.key_id,
        "caller_parent_id": "1000000000000001",
        "caller_uid": "1000000000000001",
        "gmt_create": _milliseconds(task.created),
        "model_name": task.model.name,
        "region": task.model.row["region"],
        "request_id": task.request_id,
        "status": task.status,
        "task_id": task.task_id,
        "user_api_unique_key": task.model.api_key_name,
    }
    if task.started is not None:
        row["start_time"] = _milliseconds(task.started)
    if task.ended is not None:
        row["end_time"] = _milliseconds(task.ended)
    return row


def _milliseconds(at: float) -> int:
    return round(at * 1000)
