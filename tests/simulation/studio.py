"""The model service's side: tasks, limits, retention, the list, and the bill.

Behaviour after the wan2.5 API reference, the inpainting API reference and the task management page.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.catalogue.models import Limits
from tests.simulation.account import IMAGE, TASK, Account
from tests.simulation.arrivals import Arrival
from tests.simulation.kernel import Kernel
from tests.simulation.pictures import picture
from tests.simulation.synchronous import NONE
from tests.simulation.task_list import BEIJING, TaskList

RESULT_HOST = "https://dashscope-result-bj.oss-cn-beijing.aliyuncs.com"
STRANGE_HOST = "https://results.example.invalid"
"""No document lists it."""
LONG_UNKNOWN = 590.0
"""Seconds after which a task that queries do not know is taken for one that is over."""
RETENTION = 24 * 3600.0
INTERNAL = ("InternalError", "An internal error has occured, please try again later.")
INVALID = ("InvalidParameter", "The size is not match the allowed size.")
POLICY = ("DataInspectionFailed", "Output data may contain inappropriate content.")
FOREIGN = "foreign"
"""What the prompts of other programs' tasks begin with."""


def prompt_of(body: Mapping[str, Any]) -> str:
    """The prompt of a request, in either form."""
    given = body["input"]
    if "messages" not in given:
        return str(given["prompt"])
    (message,) = given["messages"]
    (text,) = [item["text"] for item in message["content"] if "text" in item]
    return str(text)


@dataclass
class SimTask:
    """A task. `prompt` says whose it is; `good`: for each image whether it came out, and
    `image_error` why one did not; `strange`: the first one lies on a host that no document
    lists; `call`: it is what a call makes, which no query and no list shows."""

    task_id: str
    prompt: str
    model: str
    created: float
    start: float
    end: float
    good: tuple[bool, ...]
    error: tuple[str, str] | None
    listed_from: float
    canceled: bool = False
    image_error: tuple[str, str] = INTERNAL
    strange: bool = False
    call: bool = False

    @property
    def foreign(self) -> bool:
        """Whether another program made it."""
        return self.prompt.startswith(FOREIGN)

    @property
    def images(self) -> int:
        """Images made, and so billed."""
        return 0 if self.error or self.canceled else sum(self.good)

    def status(self, now: float) -> str:
        if self.canceled:
            return "CANCELED"
        if now < self.end:
            return "PENDING" if now < self.start else "RUNNING"
        return "FAILED" if self.error else "SUCCEEDED"


class SimStudio:
    """The account. `log`: all create requests; `forgets`: spans in which it knows no task;
    `given_up`: whether the job of a prompt ended without knowing of its task."""

    def __init__(self, kernel: Kernel, rng: random.Random, limits: Mapping[str, Limits]) -> None:
        self.kernel = kernel
        self.limits = limits
        self.skew = rng.uniform(-0.4, 0.4)
        self.queues = rng.random() < 0.7
        self.tells_times = rng.random() < 0.5
        self.list_lag = rng.choice((0.0, 2.0, 8.0))
        self.pace = rng.choice((0.4, 1.0, 4.0, 15.0))
        self.flaws = rng.choice((0.0, 0.1, 0.3, 0.6))
        self.tasks: dict[str, SimTask] = {}
        self.requests: Counter[str] = Counter()
        self.log: list[Arrival] = []
        self.account = Account()
        self.task_list = TaskList()
        self.strange_hosts = False
        self.forgets: tuple[tuple[float, float], ...] = ()
        self.complain: Callable[[str, str], object] = lambda _name, _what: None
        self.watch: Callable[[str], object] = lambda _prompt: None
        self.given_up: Callable[[str], bool] = lambda _prompt: False
        self.fetched: Callable[[SimTask], object] = lambda _task: None
        self.synchronous = NONE
        self._rng = rng
        self._arrivals: dict[str, list[float]] = defaultdict(list)
        self._lanes: dict[str, list[float]] = {}
        self._open: dict[str, list[SimTask]] = defaultdict(list)

    def is_call(self, model: str) -> bool:
        """Whether a model answers on the connection of the request."""
        return model in self.synchronous.models

    def _open_tasks(self, model: str) -> list[SimTask]:
        """Those of a model that have not ended: of thousands, only these are looked at again."""
        now = self.kernel.now
        tasks = [task for task in self._open[model] if now < task.end and not task.canceled]
        self._open[model] = tasks
        return tasks

    def _own_open_tasks(self, model: str) -> int:
        return sum(
            not self.is_over(task.task_id) and not task.foreign and not self.given_up(task.prompt)
            for task in self._open_tasks(model)
        )

    def could_be_listed(self, task_id: str, at: float) -> bool:
        """Whether the list could show a task at a moment."""
        return self.tasks[task_id].listed_from + self.task_list.lag <= at

    def is_over(self, task_id: str) -> bool:
        """Whether a task keeps nothing busy any more, as far as anybody can know: one that is not
        known to queries when it is old counts as over."""
        task, now = self.tasks.get(task_id), self.kernel.now
        if task is None or task.status(now) not in ("PENDING", "RUNNING"):
            return task is not None
        old = task.created + LONG_UNKNOWN
        return any(max(start, old) < min(end, now) for start, end in self.forgets)

    def arrive(self, body: Mapping[str, Any]) -> tuple[str, str] | None:
        """A create request is here: count it. Returns the throttling it meets, if any."""
        model, now = str(body["model"]), self.kernel.now
        prompt = prompt_of(body)
        self.requests[prompt] += 1
        self.watch(prompt)
        limit, seen = self.limits[model], self._arrivals[model]
        seen.append(now)
        recent = sum(moment > now - limit.per_seconds for moment in seen[-50:])
        if recent > limit.submissions:
            what = f"{recent} submissions for {model} in {limit.per_seconds} s"
            self.complain("rate limit kept", what)
            return "Throttling.RateQuota", "Requests rate limit exceeded, please try again later."
        bound = limit.concurrent
        if not self.queues and bound is not None and len(self._open_tasks(model)) >= bound:
            return "Throttling", "Requests throttling triggered."
        return None

    def note(self, body: Mapping[str, Any], caller: str, held: float) -> Arrival:
        """Write down a create request that has come."""
        prompt, n = prompt_of(body), int(body.get("parameters", {}).get("n", 1))
        self.log.append(Arrival(self.kernel.now, prompt, str(body["model"]), n, caller, held))
        return self.log[-1]

    def accept(self, body: Mapping[str, Any]) -> SimTask:
        """Make a task; from here on it costs."""
        model, limit = str(body["model"]), self.limits[str(body["model"])]
        task = self.create_task(body)
        if limit.concurrent is None:
            return task
        window = limit.concurrent + limit.queue_ahead
        if self._own_open_tasks(model) > window:
            self.complain("window kept at the service", f"more than {window} tasks of {model}")
        return task

    def create_task(self, body: Mapping[str, Any]) -> SimTask:
        """Make a task for whoever asks."""
        model, rng = str(body["model"]), self._rng
        now, limit = self.kernel.now, self.limits[model]
        lanes = self._lanes.setdefault(model, [0.0] * limit.lanes)
        start = max(now, heapq.heappop(lanes))
        if self.is_call(model):
            start = now
        end = start + (self.call_duration() if self.is_call(model) else self.duration())
        heapq.heappush(lanes, end)
        n = int(body["parameters"].get("n", 1))
        error = None
        if rng.random() < self.flaws:
            error = rng.choice((INTERNAL, INTERNAL, INVALID, POLICY))
            if error == INTERNAL and self.is_call(model):
                error = rng.choice((INTERNAL, POLICY))  # after this one nothing more happens
        good = tuple(rng.random() >= self.flaws / 2 for _ in range(n))
        if not any(good):
            error = INTERNAL
        task = SimTask(
            f"task-{len(self.tasks) + 1}",
            prompt_of(body),
            model,
            now,
            start,
            end,
            good,
            error,
            now + self.list_lag * rng.random(),
        )
        task.call = self.is_call(model)
        task.strange = self.strange_hosts and len(self.tasks) % 3 == 0
        self._refuse_account(task)
        self.tasks[task.task_id] = task
        self._open[model].append(task)
        return task

    def _refuse_account(self, task: SimTask) -> None:
        """An account in trouble when the task ends: the task fails, or its first image does."""
        whole = self.account.word(TASK, task.model, task.end)
        part = self.account.word(IMAGE, task.model, task.end)
        if whole is not None:
            task.error = whole[1:]
        elif part is not None and len(task.good) > 1 and task.error is None:
            task.good, task.image_error = (False, *task.good[1:]), part[1:]
            if not any(task.good):
                task.error = part[1:]

    def duration(self) -> float:
        """Seconds the next task takes."""
        return self.pace * (0.5 + self._rng.random())

    def call_duration(self) -> float:
        """Seconds the next call takes."""
        return self.synchronous.duration(self._rng)

    def draw(self) -> float:
        """Chance, from 0 to 1."""
        return self._rng.random()

    def keeps(self, task_id: str) -> bool:
        """Whether task and images are still there."""
        task = self.tasks.get(task_id)
        return task is not None and self.kernel.now <= task.created + RETENTION

    def show(self, task_id: str) -> dict[str, Any]:
        """The answer to a query."""
        now, task = self.kernel.now, self.tasks.get(task_id)
        if task is not None and task.call:
            self.complain("a call is never looked up", task_id)
        forgotten = any(start <= now < end for start, end in self.forgets)
        if task is None or forgotten or not self.keeps(task_id):
            return {"request_id": "q", "output": {"task_id": task_id, "task_status": "UNKNOWN"}}
        status = task.status(now)
        output: dict[str, Any] = {"task_id": task_id, "task_status": status}
        answer = {"request_id": f"q-{task_id}", "output": output}
        if status in ("PENDING", "RUNNING", "CANCELED"):
            return answer
        if self.tells_times:
            output["submit_time"] = self._time(task.created)
            output["scheduled_time"] = self._time(task.start)
            output["end_time"] = self._time(task.end)
        if task.error:
            output["code"], output["message"] = task.error
            return answer
        return self.results(task, answer)

    def results(self, task: SimTask, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer with what a task that succeeded has made."""
        answer["output"]["results"] = [
            {"url": result_url(task.task_id, number, STRANGE_HOST if strange else RESULT_HOST)}
            if good
            else {"code": task.image_error[0], "message": task.image_error[1]}
            for number, good, strange in _results(task)
        ]
        return answer | {"usage": {"image_count": task.images}}

    def list(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a list request: the newest tasks may still be missing."""
        tasks = [task for task in self.tasks.values() if not task.call]
        return self.task_list.answer(query, tasks, self.kernel.now, self.skew)

    def image(self, url: str) -> bytes | None:
        """What lies behind a result URL."""
        name, task_id = url.split("?")[0], url.split("/")[3]
        if not self.keeps(task_id):
            return None
        self.fetched(self.tasks[task_id])
        return picture(name)

    def _time(self, at: float) -> str:
        moment = datetime.fromtimestamp(at + self.skew, BEIJING)
        return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def _results(task: SimTask) -> Iterator[tuple[int, bool, bool]]:
    """Number, whether it came out, and whether it lies somewhere strange."""
    for number, good in enumerate(task.good, start=1):
        yield number, good, task.strange and number == 1


def result_url(task_id: str, number: int, host: str = RESULT_HOST) -> str:
    """Where image `number` (from 1) of a task lies."""
    return f"{host}/{task_id}/{number}.png?Expires=1"
