"""The life of tasks: waiting in the model's lane, running within its concurrency, ending."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any

from local.modelstudio.clock import ServerClock
from local.modelstudio.errors import ServiceError, service_error
from local.modelstudio.rules import ModelRules
from local.modelstudio.settings import Settings
from local.modelstudio.stats import ModelStats
from local.modelstudio.tasks import Task

_LOG = logging.getLogger("modelstudio")


class _Lane:
    def __init__(self) -> None:
        self.waiting: deque[Task] = deque()
        self.running: dict[str, tuple[Task, asyncio.Task[None]]] = {}
        self.calls: dict[str, tuple[Task, asyncio.Task[None]]] = {}


class TaskLife:
    """Runs tasks, each model's in the order of submission. Used inside the event loop alone."""

    def __init__(
        self,
        settings: Settings,
        clock: ServerClock,
        carry_out: Callable[[Task], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._carry_out = carry_out
        self._lanes: dict[str, _Lane] = defaultdict(_Lane)
        self.stats: dict[str, ModelStats] = defaultdict(ModelStats)

    def submit(self, task: Task) -> None:
        """Let the task wait for its turn, which may come at once."""
        self.stats[task.model.name].made(task, self._clock.monotonic())
        self._lanes[task.model.name].waiting.append(task)
        self.pump(task.model)

    def pump(self, model: ModelRules) -> None:
        """Start what may start."""
        lane = self._lanes[model.name]
        limit = self._settings.concurrent_tasks(model)
        while lane.waiting and (limit is None or len(lane.running) < limit):
            task = lane.waiting.popleft()
            task.start(self._clock.now())
            lane.running[task.task_id] = (task, asyncio.create_task(self._run(task)))
            self.stats[model.name].started(len(lane.running))

    async def call(self, task: Task) -> None:
        """Carry a synchronous call out at once, to its end even if nobody waits any more."""
        self.stats[task.model.name].made(task, self._clock.monotonic())
        task.start(self._clock.now())
        work = asyncio.create_task(self._run(task))
        self._lanes[task.model.name].calls[task.task_id] = (task, work)
        await asyncio.wait([work])  # which goes on if the waiting is cancelled

    def calls(self, model: ModelRules) -> int:
        """How many calls of the model are under way."""
        return len(self._lanes[model.name].calls)

    async def _run(self, task: Task) -> None:
        try:
            await self._carry_out(task)
            task.finish(self._clock.now())
        except ServiceError as problem:
            task.pictures.clear()
            task.fail(problem, self._clock.now())
        except Exception as problem:  # a mistake of ours must not leave the task running for ever
            _LOG.error("modelstudio: task failed: %s: %s", type(problem).__name__, problem)
            task.pictures.clear()
            task.fail(service_error("internal"), self._clock.now())
        self._leave(task)

    def _leave(self, task: Task) -> None:
        self._lanes[task.model.name].running.pop(task.task_id, None)
        self._lanes[task.model.name].calls.pop(task.task_id, None)
        task.forget_payloads()
        self.stats[task.model.name].ended(task)
        self.pump(task.model)

    def cancel(self, task: Task) -> None:
        """Take a waiting task out. Raises ServiceError if it is not PENDING."""
        task.cancel(self._clock.now())
        self._lanes[task.model.name].waiting.remove(task)
        self._leave(task)

    def time_out(self) -> None:
        """Fail what has had no result for 3 hours (error code page, InternalError.Timeout)."""
        oldest = self._clock.now() - self._settings.seconds("task_timeout_seconds")
        for lane in self._lanes.values():
            for task in [task for task in lane.waiting if task.created <= oldest]:
                lane.waiting.remove(task)
                self._give_up(task)
            for task, running in [*lane.running.values(), *lane.calls.values()]:
                if task.created <= oldest:
                    running.cancel()
                    self._give_up(task)

    def _give_up(self, task: Task) -> None:
        task.pictures.clear()
        task.fail(service_error("internal_timeout"), self._clock.now())
        self._leave(task)

    def report(self) -> dict[str, Any]:
        """Every model's counts and peaks."""
        return {name: stats.report() for name, stats in self.stats.items()}

    async def close(self) -> None:
        """Stop all running work."""
        lanes = self._lanes.values()
        running = [work for lane in lanes for _, work in lane.running.values()]
        running += [work for lane in lanes for _, work in lane.calls.values()]
        for work in running:
            work.cancel()
        await asyncio.gather(*running, return_exceptions=True)
