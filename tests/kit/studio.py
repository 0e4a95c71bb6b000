"""The simulation's account without its chance: what it answers is written by the test."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from shared.catalogue.models import Limits
from shared.modelstudio.client import ServiceError
from tests.simulation.arrivals import Arrival
from tests.simulation.kernel import Kernel
from tests.simulation.network import Transport
from tests.simulation.pictures import picture
from tests.simulation.studio import SimStudio, SimTask
from tests.simulation.wire import SimAnswer, SimSession, refusal

BASE_URL = "https://service.invalid/api/v1"
ONE_BY_ONE = Limits(submissions=5, per_seconds=1, concurrent=1, queue_ahead=0)
UNREACHABLE = ServiceError("Unreachable", "ConnectionError", 0)

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Post:
    """One create request as it arrived."""

    at: float
    endpoint: str
    body: Body


class ScriptedStudio(SimStudio):
    """Answers each create by the next step of `script` (default: accept); runs each model's tasks
    one by one, each for `seconds`.

    `shown` overrides, by task, what a query shows of a task that is over; `answered`, by task, is
    the whole answer to a query (under "" to a list), whatever became of the task. Under
    `prompt_key`, if it is set, each result shows the prompt. Queries, lists and cancels meet
    `refusal`, if there is one. Steps, `on_create`, `on_listed` and `on_query` may raise
    ServiceError (the request is refused so) or what requests raises.
    """

    def __init__(self, kernel: Kernel, seconds: float = 5.0) -> None:
        super().__init__(kernel, random.Random(1), defaultdict(lambda: ONE_BY_ONE))
        self.skew = self.list_lag = self.flaws = 0.0
        self.tells_times = True
        self.prompt_key = ""
        self.seconds = seconds
        self.script: deque[Step] = deque()
        self.posts: list[Post] = []
        self.queries: list[tuple[float, str]] = []
        self.shown: dict[str, dict[str, Any]] = {}
        self.answered: dict[str, SimAnswer] = {}
        self.refusal: ServiceError | None = None
        self.on_create: Callable[[], object] = lambda: None
        self.on_listed: Callable[[], object] = lambda: None
        self.on_query: Callable[[], object] = lambda: None

    def make(self, model: str, prompt: str = "", **ends: Any) -> SimTask:
        """A task that nobody's request made; it ends as `accept_with` says."""
        return accept_with(**ends)(self, {"model": model, "input": {"prompt": prompt}})

    def begin(self, body: Body) -> SimTask:
        """A task for a request."""
        return super().accept({"parameters": {}, **body})

    def arrive(self, body: Body) -> None:
        self.on_create()

    def accept(self, body: Body) -> SimTask:
        return (self.script.popleft() if self.script else ScriptedStudio.begin)(self, body)

    def duration(self) -> float:
        return self.seconds

    def call_duration(self) -> float:
        return self.seconds

    def show(self, task_id: str) -> dict[str, Any]:
        self.on_query()
        self.queries.append((self.kernel.now, task_id))
        over = self.shown.get(task_id, {}) if self.is_over(task_id) else {}
        answer = super().show(task_id) | over
        if self.prompt_key:
            for result in answer["output"].get("results", ()):
                result[self.prompt_key] = self.tasks[task_id].prompt
        return answer

    def answer_for(self, task_id: str) -> SimAnswer:
        """What a test wrote as the answer to a query."""
        self.on_query()
        self.queries.append((self.kernel.now, task_id))
        return self.answered[task_id]

    def results(self, task: SimTask, answer: dict[str, Any]) -> dict[str, Any]:
        told = super().results(task, answer)
        return told | self.shown.get(task.task_id, {}) if task.call else told

    def list(self, query: Mapping[str, str]) -> dict[str, Any]:
        self.on_listed()
        return super().list(query)

    def image(self, url: str) -> bytes:
        """A picture lies behind every URL."""
        return super().image(url) or picture(url)


Step = Callable[[ScriptedStudio, Body], SimTask]
"""Gets the account and a request; returns the task made for it, or raises (see ScriptedStudio)."""


def accept_with(
    status: str = "SUCCEEDED",
    *,
    code: str = "",
    message: str = "",
    images: int = 0,
    output: Mapping[str, Any] | None = None,
    usage: Any = None,
) -> Step:
    """A task is made that ends with this status; `output` and `usage` as a query shows them, or
    the answer to a call."""

    def step(studio: ScriptedStudio, body: Body) -> SimTask:
        task = studio.begin(body)
        task.good = (True,) * images or task.good
        task.error = (code, message) if status == "FAILED" else None
        task.canceled = status == "CANCELED"
        shown = {"output": output, "usage": usage}
        studio.shown[task.task_id] = {name: one for name, one in shown.items() if one is not None}
        return task

    return step


def lose_answer(studio: ScriptedStudio, body: Body) -> SimTask:
    """A task is made, and nobody hears of it."""
    studio.begin(body)
    raise requests.ReadTimeout


def lose_request(_studio: ScriptedStudio, _body: Body) -> SimTask:
    """No task is made, and nobody knows."""
    raise requests.ReadTimeout


def refuse(code: str, http: int, message: str = "no") -> Step:
    """No task is made; the service says why, or cannot be reached (`http` 0)."""

    def step(_studio: ScriptedStudio, _body: Body) -> SimTask:
        raise ServiceError(code, message, http)

    return step


@dataclass
class ImageHost:
    """Where results lie: `answers` overrides the status by URL, `fetched` is what was asked for."""

    answers: dict[str, int] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)


class ScriptedSession(SimSession):
    """One instance's session with a scripted account."""

    studio: ScriptedStudio

    def __init__(self, network: Transport, studio: ScriptedStudio, images: ImageHost) -> None:
        super().__init__(network, studio)
        self.images = images

    def _create(self, url: str, body: Body, timeout: tuple[float, float], fault: str) -> SimAnswer:
        self.studio.posts.append(Post(self.network.kernel.now, url.removeprefix(BASE_URL), body))
        try:
            return super()._create(url, body, timeout, fault)
        except ServiceError as error:
            return self._refused(error)

    def _call(
        self,
        url: str,
        body: Body,
        timeout: tuple[float, float],
        rest: Any,
        arrivals: list[Arrival],
        fault: str,
    ) -> SimAnswer:
        self.studio.posts.append(Post(self.network.kernel.now, url.removeprefix(BASE_URL), body))
        try:
            return super()._call(url, body, timeout, rest, arrivals, fault)
        except ServiceError as error:
            return self._refused(error)

    def _ask(self, method: str, path: str, params: Mapping[str, str], fault: str) -> SimAnswer:
        try:
            if self.studio.refusal:
                raise self.studio.refusal
            if method == "GET" and path in self.studio.answered:
                return self.studio.answer_for(path)
            return super()._ask(method, path, params, fault)
        except ServiceError as error:
            return self._refused(error)

    def _image(self, url: str, fault: str) -> SimAnswer:
        self.images.fetched.append(url)
        status = self.images.answers.get(url)
        return SimAnswer(status, b"") if status else super()._image(url, fault)

    def _refused(self, error: ServiceError) -> SimAnswer:
        if error.http == 0:
            raise self._unreachable("", 0.0)
        return refusal((error.http, error.code, error.message))
