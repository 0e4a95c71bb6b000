"""An instance of a built-in runtime: a worker that runs the handler, one event at a time."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from typing import Any

from local.runtime import frames
from local.runtime.process import Outcome, PassOn, Process, failed

LOADING_SECONDS = 300.0
"""Longest time an instance may take to import its code."""


class Instance(Process):
    """One process running one function's handler."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    async def start(
        self, environ: dict[str, str], settings: dict[str, Any], log: Callable[[bytes], None]
    ) -> Outcome:
        """Starts the process, loads the code and runs the initializer; not ok if that failed."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = _command(settings["python"], theirs.fileno())
            await self._spawn(command, environ, log, pass_fds=(theirs.fileno(),))
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        initializer = self.function.initializer
        timeout = initializer.timeout if initializer else LOADING_SECONDS
        return await self._exchange(settings, b"", timeout)

    async def invoke(self, event: bytes, request_id: str, pass_on: PassOn | None = None) -> Outcome:
        return await self._exchange({"request_id": request_id}, event, self.function.timeout)

    async def _exchange(self, head: dict[str, Any], body: bytes, timeout: float) -> Outcome:
        try:
            self._writer.write(frames.encode(head, body))
            return await asyncio.wait_for(self._answer(), timeout)
        except asyncio.TimeoutError:
            await self.stop()
            return failed(f"Function timed out after {timeout:g} seconds")
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.stop()
            return failed("Process exited unexpectedly before completing request")
        except asyncio.CancelledError:
            self.kill()
            raise

    async def _answer(self) -> Outcome:
        prefix = await self._reader.readexactly(frames.PREFIX.size)
        head_size, body_size = frames.PREFIX.unpack(prefix)
        head = json.loads(await self._reader.readexactly(head_size))
        return Outcome(head["ok"], await self._reader.readexactly(body_size))

    async def stop(self) -> None:
        await super().stop()
        if self.pid is not None:
            self._writer.close()


def _command(python: str | None, descriptor: int) -> list[str]:
    """A package brings all it imports, so its Python looks into no site-packages (-S)."""
    interpreter = [python, "-S", "-B"] if python else [sys.executable]
    return [*interpreter, "-u", "-m", "local.runtime.worker", str(descriptor)]
