"""The runtime as a whole: pools, asynchronous delivery, timers and the bucket's watcher."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import uuid
from collections.abc import Coroutine
from typing import Any

from local.runtime.declaration import Function
from local.runtime.delivery import Delivery
from local.runtime.object_events import ObjectEvents
from local.runtime.pool import Pool
from local.runtime.process import Outcome, PassOn
from local.runtime.settings import Settings
from local.runtime.timers import run_timer

REAP_SECONDS = 5.0


class Runtime:
    """Runs the functions of one s.yaml. Use it as `async with Runtime(...)`."""

    def __init__(
        self, functions: list[Function], settings: Settings, watch_bucket: bool = False
    ) -> None:
        self.functions = functions
        self.settings = settings
        self.pools = {function.name: Pool(function, settings) for function in functions}
        self.delivery = Delivery(self.pools, settings)
        self.objects = ObjectEvents(
            functions, self.delivery, settings.duplicate_every, settings.rights
        )
        self.http_function = next((f for f in functions if f.http_trigger), None)
        self._names = {key: f.name for f in functions for key in (f.resource, f.name)}
        self._watch_bucket = watch_bucket
        self._background: list[asyncio.Task[None]] = []

    def resolve(self, name: str) -> str | None:
        """The function's full name, given that or the name of its resource in s.yaml."""
        return self._names.get(name)

    async def invoke(
        self,
        function: str,
        event: bytes,
        request_id: str = "",
        pass_on: PassOn | None = None,
    ) -> Outcome:
        """A synchronous invocation. Raises Throttled."""
        request_id = request_id or str(uuid.uuid4())
        return await self.pools[function].invoke(event, request_id, wait=False, pass_on=pass_on)

    def state(self) -> dict[str, Any]:
        """What runs and what waits, for /_runtime/state."""
        functions = {
            f.resource: {**self.pools[f.name].state(), "queued": self.delivery.waiting(f.name)}
            for f in self.functions
        }
        busy = any(i["busy"] for f in functions.values() for i in f["instances"])
        queue = len(self.delivery)
        return {"functions": functions, "queue": queue, "idle": not busy and not queue}

    async def __aenter__(self) -> Runtime:
        watcher = self._watcher() if self._watch_bucket else None
        # What instances of a runtime that was killed have left behind.
        shutil.rmtree(self.settings.data / "scratch", ignore_errors=True)
        self.delivery.resume()
        self._run_in_background(self._reap())
        for function in self.functions:
            for trigger in function.timer_triggers:
                timer = run_timer(function, trigger, self.delivery, self.settings.minute)
                self._run_in_background(timer)
        if watcher:
            self._run_in_background(watcher)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.delivery.close()
        for pool in self.pools.values():
            with contextlib.suppress(OSError):
                await pool.close()

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.append(asyncio.create_task(work))

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(min(REAP_SECONDS, self.settings.idle_seconds))
            for pool in self.pools.values():
                await pool.reap()

    def _watcher(self) -> Coroutine[Any, Any, None]:
        # Imported here: the OSS SDK is slow to import and seldom needed.
        from local.runtime.watch_bucket import BucketWatcher

        memory = self.settings.data / "watch-bucket.json"
        watcher = BucketWatcher(
            self.settings.environ, self.functions, self.objects, memory, self.settings.account
        )
        return watcher.run()
