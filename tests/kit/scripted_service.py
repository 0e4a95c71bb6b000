"""Model Studio's methods over a scripted account: what it answers is written by the test."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from PIL import Image
from requests.adapters import BaseAdapter

from shared.modelstudio.client import (
    ListedTask,
    ModelStudio,
    OutcomeUnknown,
    ServiceError,
    Task,
    TaskCreated,
)
from tests.kit.clock import Timeline

RESULT_HOST = "dashscope-result-bj.oss-cn-beijing.aliyuncs.com"
Outcome = TaskCreated | ServiceError | OutcomeUnknown


@dataclass
class MadeTask:
    """A task the service made; it runs from `start` to `end`, then has `status`."""

    task_id: str
    model: str
    created: float
    start: float
    end: float
    images: int = 1
    status: str = "SUCCEEDED"
    code: str = ""
    message: str = ""
    output: Mapping[str, Any] | None = None
    usage: Any = None


@dataclass(frozen=True)
class Post:
    """One create request as it arrived."""

    at: float
    endpoint: str
    body: Mapping[str, Any]


class ScriptedService(ModelStudio):
    """Answers create by `script` (default: accept), and runs each model's tasks one by one.

    An entry of the script gets the service and the request's body and returns the outcome.
    """

    def __init__(self, timeline: Timeline, seconds: float = 5.0) -> None:
        super().__init__("https://service.invalid/api/v1", "", requests.Session())
        self.timeline = timeline
        self.seconds = seconds
        self.script: deque[Callable[[ScriptedService, Mapping[str, Any]], Outcome]] = deque()
        self.posts: list[Post] = []
        self.tasks: dict[str, MadeTask] = {}
        self.queries: list[tuple[float, str]] = []
        self.on_create: Callable[[], object] = lambda: None
        self.on_listed: Callable[[], object] = lambda: None
        self.on_query: Callable[[], object] = lambda: None
        self.unreachable = False

    def create(self, endpoint: str, body: Mapping[str, Any]) -> Outcome:
        self.posts.append(Post(self.timeline.at, endpoint, body))
        self.on_create()
        return (self.script.popleft() if self.script else accept)(self, body)

    def query(self, task_id: str) -> Task:
        self._reach()
        self.on_query()
        self.queries.append((self.timeline.at, task_id))
        task = self.tasks.get(task_id)
        if task is None:
            return Task(task_id, "UNKNOWN")
        status = self._status(task)
        if status not in ("SUCCEEDED", "FAILED"):
            return Task(task_id, status)
        output = task.output if task.output is not None else _output(task)
        answer = {"output": output, "usage": task.usage, "request_id": f"q-{task_id}"}
        given = {"image_count": task.images} if task.usage is None else task.usage
        usage = given if isinstance(given, dict) else {}
        times = {"submit_time": task.created, "scheduled_time": task.start, "end_time": task.end}
        return Task(task_id, status, f"q-{task_id}", answer, task.code, task.message, usage, times)

    def listed(self, model: str, start: float, end: float) -> list[ListedTask]:
        self._reach()
        self.on_listed()
        return [
            ListedTask(task.task_id, self._status(task), task.created, f"r-{task.task_id}")
            for task in self.tasks.values()
            if task.model == model and start <= task.created <= end
        ]

    def make(self, model: str, **changes: Any) -> MadeTask:
        """Make a task, as an accepted request does."""
        now = self.timeline.at
        busy_until = max((t.end for t in self.tasks.values() if t.model == model), default=now)
        start = max(now, busy_until)
        task = MadeTask(f"task-{len(self.tasks) + 1}", model, now, start, start + self.seconds)
        for name, value in changes.items():
            setattr(task, name, value)
        self.tasks[task.task_id] = task
        return task

    def _reach(self) -> None:
        if self.unreachable:
            raise ServiceError("Unreachable", "ConnectionError", 0)

    def _status(self, task: MadeTask) -> str:
        if self.timeline.at < task.start:
            return "PENDING"
        return "RUNNING" if self.timeline.at < task.end else task.status


def accept(service: ScriptedService, body: Mapping[str, Any]) -> Outcome:
    """A task is made and its id answered."""
    task = service.make(str(body["model"]), images=int(body["parameters"].get("n", 1)))
    return TaskCreated(task.task_id, f"r-{task.task_id}")


def accept_with(**changes: Any) -> Callable[[ScriptedService, Mapping[str, Any]], Outcome]:
    """A task is made that ends as `changes` of MadeTask say."""

    def outcome(service: ScriptedService, body: Mapping[str, Any]) -> Outcome:
        task = service.make(str(body["model"]), **changes)
        return TaskCreated(task.task_id, f"r-{task.task_id}")

    return outcome


def lose_answer(service: ScriptedService, body: Mapping[str, Any]) -> Outcome:
    """A task is made, and nobody hears of it."""
    service.make(str(body["model"]))
    return OutcomeUnknown("ReadTimeout after the request was sent")


def lose_request(_service: ScriptedService, _body: Mapping[str, Any]) -> Outcome:
    """No task is made, and nobody knows."""
    return OutcomeUnknown("ReadTimeout after the request was sent")


def refuse(
    code: str, http: int, message: str = "no"
) -> Callable[[ScriptedService, Mapping[str, Any]], Outcome]:
    """No task is made; the service says why."""
    return lambda _service, _body: ServiceError(code, message, http, "r-refused")


def _output(task: MadeTask) -> dict[str, Any]:
    if task.status == "FAILED":
        return {"task_id": task.task_id, "task_status": "FAILED"}
    results = [{"url": result_url(task.task_id, n)} for n in range(1, task.images + 1)]
    return {"task_id": task.task_id, "task_status": "SUCCEEDED", "results": results}


def result_url(task_id: str, number: int) -> str:
    return f"https://{RESULT_HOST}/{task_id}-{number}.png"


def png(shade: int = 0, side: int = 8) -> bytes:
    """A small picture; the same shade gives the same bytes."""
    made = io.BytesIO()
    Image.new("RGB", (side, side), (shade % 256, 99, 66)).save(made, "PNG")
    return made.getvalue()


class ImageHost(BaseAdapter):
    """Where results lie, mounted in a requests session: a picture behind every URL.

    `answers` overrides the status by URL; `fetched` is what was asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, int] = {}
        self.fetched: list[str] = []

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        url = request.url or ""
        self.fetched.append(url)
        answer = requests.Response()
        answer.status_code = self.answers.get(url, 200)
        body = png(sum(url.encode()))
        answer.headers["Content-Length"] = str(len(body))
        answer.raw = io.BytesIO(body)
        answer.url = url
        answer.request = request
        return answer

    def close(self) -> None:
        """Nothing is open."""
