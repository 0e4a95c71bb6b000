"""The service as a whole: its parts put together, and what a create goes through."""

from __future__ import annotations

import asyncio
import hmac
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from local.modelstudio.clock import ServerClock
from local.modelstudio.errors import ServiceError, service_error
from local.modelstudio.faults import FaultBook
from local.modelstudio.inputs import InputLoader
from local.modelstudio.life import TaskLife
from local.modelstudio.limits import SlidingWindow
from local.modelstudio.results import ResultStore
from local.modelstudio.rules import ModelRules, load_models
from local.modelstudio.settings import Settings
from local.modelstudio.stats import ModelStats
from local.modelstudio.tasks import Task, TaskBook
from local.modelstudio.uploads import UploadStore
from local.modelstudio.wire import new_request_id
from local.modelstudio.work import Studio

_DRAWING_THREADS = 2


class Service:
    """One main account's Model Studio. Made inside a running event loop."""

    def __init__(self, keys: tuple[str, ...], settings: Settings, folder: Path) -> None:
        self.keys = keys
        self.settings = settings
        self.models = load_models()
        self.clock = ServerClock()
        self.book = TaskBook()
        self.faults = FaultBook(settings.faults, settings.seed)
        self.results = ResultStore(folder, self.clock)
        self.uploads = UploadStore(self.clock, settings)
        self.address = ""
        self._session = aiohttp.ClientSession()
        self._executor = ThreadPoolExecutor(_DRAWING_THREADS, thread_name_prefix="drawing")
        loader = InputLoader(self._session, settings, self.uploads)
        self.studio = Studio(
            settings, self.clock, loader, self.results, self._executor, lambda: self.faults
        )
        self.life = TaskLife(settings, self.clock, self.studio.carry_out)
        self.life.stats.update({name: ModelStats() for name in self.models})
        self._submissions: dict[tuple[str, float], SlidingWindow] = {}
        self._task_calls: dict[str, SlidingWindow] = defaultdict(SlidingWindow)

    def check_key(self, authorization: str) -> str:
        """The id of the key the request carries. Raises ServiceError 401."""
        scheme, _, key = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise service_error("api_key_missing")
        for position, accepted in enumerate(self.keys):
            if hmac.compare_digest(key.strip().encode(), accepted.encode()):
                return str(position + 1)
        raise service_error("api_key_wrong")

    def count_task_call(self, api: str) -> None:
        """Count a query, list or cancel. Raises ServiceError 429 beyond the account's limit."""
        if not self._task_calls[api].admit(self.clock.monotonic(), self.settings.task_api_qps):
            raise service_error("throttling_rate")

    def model_for(self, body: Mapping[str, Any], path: str) -> ModelRules:
        """The model the body names, if it is to be had at the path. Raises ServiceError."""
        name = body.get("model")
        if not isinstance(name, str) or not name:
            raise service_error("field_invalid", field="model")
        if name not in self.models:
            raise service_error("model_unknown")
        model = self.models[name]
        self.life.stats[name].creates_received += 1
        if path not in (model.tasks, model.calls) and (
            self.settings.strict_task_path or path in self.call_paths
        ):
            raise service_error("url_error")
        return model.called or model if path == model.calls else model

    @property
    def task_paths(self) -> set[str]:
        """The paths at which tasks are made."""
        return {model.tasks for model in self.models.values() if model.tasks}

    @property
    def call_paths(self) -> set[str]:
        """The paths that answer at once."""
        return {model.calls for model in self.models.values() if model.calls}

    def create(
        self, model: ModelRules, body: Mapping[str, Any], key_id: str, resolves: bool
    ) -> Task:
        """A new task. Raises ServiceError for wrong fields, a spent quota or a limit."""
        task = self._entered(model, body, key_id, resolves, False)
        self.life.submit(task)
        return task

    async def call(
        self, model: ModelRules, body: Mapping[str, Any], key_id: str, resolves: bool
    ) -> Task:
        """A synchronous call that went well. Raises ServiceError for whatever stopped it."""
        task = self._entered(model, body, key_id, resolves, True)
        await self.life.call(task)
        if task.error is not None:
            raise task.error
        return task

    def _entered(
        self,
        model: ModelRules,
        body: Mapping[str, Any],
        key_id: str,
        resolves: bool,
        is_call: bool,
    ) -> Task:
        task = Task(model, body, new_request_id(), key_id, self.clock.now(), resolves, is_call)
        self._check_quota(model)
        self._check_limits(model, is_call)
        self.book.add(task)
        return task

    def _check_quota(self, model: ModelRules) -> None:
        free = self.settings.free_images(model)
        if free is not None and self.life.stats[model.name].images >= free:
            raise service_error("free_tier_only")

    def _check_limits(self, model: ModelRules, is_call: bool) -> None:
        if is_call:
            most, under_way = self.settings.concurrent_calls(model), self.life.calls(model)
        else:
            most = self.settings.concurrent_tasks(model)
            under_way = self.life.stats[model.name].in_flight
        refuses = is_call or self.settings.refuses_over_limit
        if refuses and most is not None and under_way >= most:
            raise service_error("throttling")
        limit, seconds = self.settings.submissions(model)
        window = self._submissions.setdefault((model.name, seconds), SlidingWindow(seconds))
        if not window.admit(self.clock.monotonic(), limit):
            raise service_error("throttling_rate")

    @contextmanager
    def noting_refusal(self, model: ModelRules) -> Iterator[None]:
        """Count a create or call that is refused in the block."""
        try:
            yield
        except ServiceError as refused:
            self.life.stats[model.name].refused[refused.code] += 1
            raise

    def find(self, task_id: str) -> Task | None:
        """The task, or None if it is unknown or no longer kept."""
        self.life.time_out()
        return self.book.find(task_id, self.clock.now(), self.settings.seconds("retention_seconds"))

    def kept(self) -> list[Task]:
        """All tasks still kept, the newest first."""
        self.life.time_out()
        return self.book.kept(self.clock.now(), self.settings.seconds("retention_seconds"))

    def change_settings(self, values: object) -> None:
        """Merge settings; new faults start counting anew. Raises SettingsError."""
        changed = self.settings.change(values)
        if changed & {"faults", "seed"}:
            self.faults = FaultBook(self.settings.faults, self.settings.seed)
        if "seed" in changed:
            self.studio.dice.seed(self.settings.seed)
        for model in self.models.values():
            self.life.pump(model)

    def result_address(self, name: str, task: Task) -> str:
        """The signed address of an image, valid as long as the task is kept."""
        expires = task.created + self.settings.seconds("retention_seconds")
        return self.address + self.results.path_and_query(name, expires)

    async def close(self) -> None:
        """Stop all work and let go of connections and threads."""
        await self.life.close()
        await self._session.close()
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
