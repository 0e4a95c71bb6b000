"""The process of an instance: started apart, its output read line by line, killed whole."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.runtime.declaration import Function

ROOT = Path(__file__).resolve().parents[2]
LINE_BYTES = 32 * 1024
"""Longest log line; longer ones are cut into several ("limits" page)."""
PR_SET_PDEATHSIG = 1


PassOn = Callable[[dict[str, Any], AsyncIterator[bytes]], Awaitable[None]]
"""Takes the head of an answer and then its body, as it comes."""


@dataclass(frozen=True)
class Outcome:
    """The end of one invocation: the function's result, or the error in Function Compute's JSON."""

    ok: bool
    payload: bytes

    @property
    def error_message(self) -> str:
        return "" if self.ok else str(json.loads(self.payload).get("errorMessage", ""))


def build_of(function: Function) -> int:
    """When a function's package was built, in nanoseconds; 0 where functions/ runs.

    Not from what: a roll-back is a deployment too, and what ran before it must not run again.
    """
    try:
        return (function.code / "BUILD.json").stat().st_mtime_ns
    except OSError:
        return 0


class Process:
    """A process that runs one function. `open` counts the events that it works on; `built` is when
    its package had been built as it started."""

    def __init__(self, function: Function, instance_id: str) -> None:
        self.function = function
        self.instance_id = instance_id
        self.built = build_of(function)
        self.idle_since = 0.0
        self.open = 0
        self.ready: asyncio.Task[Outcome] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def busy(self) -> bool:
        return self.open > 0

    @property
    def usable(self) -> bool:
        """Whether it runs, or is about to."""
        return self._process is None or self._process.returncode is None

    @property
    def fit(self) -> bool:
        """Whether it may take an event: not one of a package that was built again since."""
        return self.usable and self.built == build_of(self.function)

    async def start(
        self, environ: dict[str, str], settings: dict[str, Any], log: Callable[[bytes], None]
    ) -> Outcome:
        """Starts the process and waits until it takes events; not ok if it never does."""
        raise NotImplementedError

    async def invoke(self, event: bytes, request_id: str, pass_on: PassOn | None = None) -> Outcome:
        """One event. A time-out or a death of the process is an error like any other.

        `pass_on` takes the answer of a web function if that comes in chunks.
        """
        raise NotImplementedError

    def freeze(self) -> None:
        """Nothing is under way: a process may lose the processor until `thaw`."""

    def thaw(self) -> None:
        """An event comes."""

    async def _spawn(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        log: Callable[[bytes], None],
        *,
        cwd: Path = ROOT,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=environ,
            pass_fds=pass_fds,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        assert self._process.stdout is not None
        self._drain = asyncio.create_task(_lines(self._process.stdout, log))

    def signal(self, number: int) -> None:
        """To the process and whatever it started."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """Ends the process and whatever it started."""
        self.signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Kills the process, and waits until its last log line is written."""
        self.kill()
        if self._process is None or self._drain is None:
            return
        await self._process.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._drain), 1)


def failed(message: str) -> Outcome:
    """An invocation that the function itself did not end."""
    error = {"errorMessage": message, "errorType": "UnhandledInvocationError"}
    return Outcome(False, json.dumps(error).encode())


def _die_with_parent() -> None:
    """A frozen instance would not notice that a killed runtime is gone, and stay for ever."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


async def _lines(stream: asyncio.StreamReader, log: Callable[[bytes], None]) -> None:
    """Hands on whole lines, without the limit readline() has."""
    rest = b""
    while chunk := await stream.read(LINE_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            log(line)
        if len(rest) >= LINE_BYTES:
            log(rest)
            rest = b""
    if rest:
        log(rest)
