"""The instances of one function: started on demand, reused while warm, ended when idle."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import IO, Any

from local.runtime.declaration import Function
from local.runtime.instance import Instance
from local.runtime.loglines import readable
from local.runtime.process import Outcome, PassOn, Process
from local.runtime.settings import Settings, instance_environment, worker_settings
from local.runtime.web_instance import WebInstance


class Throttled(Exception):
    """The function has as many instances running as its reservedConcurrency allows."""


class Pool:
    """At most `limit` instances, each with at most `capacity` events at once."""

    def __init__(self, function: Function, settings: Settings) -> None:
        self.function = function
        self.counts: Counter[str] = Counter()
        self._settings = settings
        reserved = function.reserved_concurrency
        self.limit = settings.instances if reserved is None else reserved
        self.capacity = function.web.concurrency if function.web else 1
        self._free = asyncio.Semaphore(self.limit * self.capacity)
        self._instances: list[Process] = []
        self._log: IO[bytes] = _log_file(settings.data, f"{function.name}.log")
        self._raw: IO[bytes] = _log_file(settings.data, f"{function.name}.jsonl")
        self._may_log = settings.rights.may_log(function)

    async def invoke(
        self, event: bytes, request_id: str, wait: bool = True, pass_on: PassOn | None = None
    ) -> Outcome:
        """Lets an instance take one event: a warm one with room, or else a new one.

        Without `wait` a function at its reservedConcurrency raises Throttled at once, as a
        synchronous call does in the cloud (429). The laptop's own cap on instances has no
        counterpart there, so it always makes a call wait.
        """
        reserved = self.function.reserved_concurrency is not None
        if self.limit == 0 or (reserved and not wait and self._free.locked()):
            self.counts["throttled"] += 1
            raise Throttled(f"{self.function.name} is at its reservedConcurrency of {self.limit}")
        async with self._free:
            outcome = await self._run(event, request_id, pass_on)
        self.counts["invocations"] += 1
        self.counts["errors"] += not outcome.ok
        return outcome

    async def _run(self, event: bytes, request_id: str, pass_on: PassOn | None) -> Outcome:
        instance = self._with_room() or self._new(request_id)
        assert instance.ready is not None
        instance.open += 1
        try:
            started = await asyncio.shield(instance.ready)
            if not started.ok:
                return started
            instance.thaw()
            return await instance.invoke(event, request_id, pass_on)
        finally:
            await self._release(instance)

    def _with_room(self) -> Process | None:
        """The busiest instance, or the one used last, so that the others can go idle."""
        having = [i for i in self._instances if i.fit and i.open < self.capacity]
        return max(having, key=lambda i: (i.open, i.idle_since), default=None)

    def _new(self, request_id: str) -> Process:
        kind = WebInstance if self.function.web else Instance
        instance = kind(self.function, f"c-{uuid.uuid4().hex[:12]}")
        self._instances.append(instance)
        instance.ready = asyncio.create_task(self._start(instance, request_id))
        return instance

    async def _start(self, instance: Process, request_id: str) -> Outcome:
        """Several events may wait for it; not ok: no other one takes this instance."""
        environ = instance_environment(self.function, self._settings, instance.instance_id)
        settings = worker_settings(self.function, self._settings, request_id)
        try:
            started = await instance.start(environ, settings, self.write_log)
        except BaseException:
            await self._end(instance)
            raise
        if not started.ok:
            await self._end(instance)
        return started

    async def _release(self, instance: Process) -> None:
        instance.open -= 1
        if instance.open:
            return
        instance.idle_since = time.monotonic()
        instance.freeze()
        if not instance.fit:
            await self._end(instance)

    async def _end(self, instance: Process) -> None:
        with contextlib.suppress(ValueError):
            self._instances.remove(instance)
        await instance.stop()
        scratch = self._settings.data / "scratch" / instance.instance_id
        shutil.rmtree(scratch, ignore_errors=True)

    async def reap(self) -> None:
        """Ends instances that died unseen, have old code, or were idle for too long."""
        before = time.monotonic() - self._settings.idle_seconds
        for instance in list(self._instances):
            if not instance.busy and (not instance.fit or instance.idle_since < before):
                await self._end(instance)

    async def close(self) -> None:
        for instance in list(self._instances):
            await self._end(instance)
        self._log.close()
        self._raw.close()

    def write_log(self, line: bytes) -> None:
        """Appends to the function's logs: `.jsonl` holds the lines as the logstore would, `.log`
        the same for people; that goes to the runtime's stderr too with --verbose."""
        if self._log.closed or not self._may_log:
            return
        text = readable(line.decode(errors="replace"))
        self._raw.write(line + b"\n")
        self._log.write(text.encode(errors="replace") + b"\n")
        if self._settings.verbose:
            for row in text.splitlines():
                print(f"{self.function.resource:>8} | {row}", file=sys.stderr, flush=True)

    def state(self) -> dict[str, Any]:
        """For /_runtime/state."""
        instances = [
            {"pid": i.pid, "busy": i.busy, "id": i.instance_id} for i in self._instances if i.pid
        ]
        names = ("invocations", "errors", "retries", "throttled", "given_up")
        return {
            "name": self.function.name,
            "runtime": self.function.runtime,
            "limit": self.limit,
            "instances": instances,
            **{name: self.counts[name] for name in names},
        }


def _log_file(data: Path, name: str) -> IO[bytes]:
    folder = data / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / name).open("ab", buffering=0)
