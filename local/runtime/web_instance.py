"""An instance of a custom runtime: the function's own HTTP server, with many requests at once.

As the pages of custom runtimes have it: the start command, the port, a check that the port takes
connections, then requests with x-fc-* headers; `/invoke` is asked by InvokeFunction.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import string
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from local.runtime import frames
from local.runtime.process import ROOT, Outcome, PassOn, Process, failed

READY_SECONDS = 120.0
"""Longest time until the server must take connections (custom runtime page)."""
CHECK_SECONDS = 0.01
HOST = "127.0.0.1"
FROM_PLATFORM = "x-fc-"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"}
ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What the client here would add to a request that lacks it."""
PLAIN = string.punctuation.replace("#", "")
"""What a path may hold beside letters and digits; the client has encoded the rest, or we do."""
PACKAGED = """
import os, runpy, sys
from local.runtime.packaged import refuse_writes
code, script = sys.argv[1:3]
os.chdir(code)
sys.path[0], sys.argv = code, sys.argv[2:]
refuse_writes(code)
runpy.run_path(script, run_name="__main__")
"""


class WebInstance(Process):
    """One process running one function's server."""

    _client: aiohttp.ClientSession | None = None
    _url = ""
    _headers: dict[str, str]

    async def start(
        self, environ: dict[str, str], settings: dict[str, Any], log: Callable[[bytes], None]
    ) -> Outcome:
        port = _free_port()
        self._url, self._headers = f"http://{HOST}:{port}", settings["headers"]
        environ = environ | {"FC_CUSTOM_LISTEN_PORT": str(port), "LISTEN_HOST": HOST}
        command, packaged = self._command(settings), settings["python"] is not None
        cwd = ROOT if packaged else self.function.code
        if settings["layer"]:
            environ["PYTHONPATH"] = settings["layer"]
        await self._spawn(command, environ, log, cwd=cwd)
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self.function.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=ADDED,
            auto_decompress=False,
        )
        try:
            return await asyncio.wait_for(self._listens(port), READY_SECONDS)
        except asyncio.TimeoutError:
            return failed(f"Nothing listens at the port after {READY_SECONDS:g} seconds")

    async def invoke(self, event: bytes, request_id: str, pass_on: PassOn | None = None) -> Outcome:
        """Passes on a request; `event` and the result are frames, see `request_frame`.

        Whatever the server answers is a result, a 500 too. An answer in chunks is a stream to
        Function Compute ("Does Function Compute support SSE streaming responses" page).
        """
        assert self._client is not None
        head, body = frames.decode(event)
        headers = [
            *head["headers"],
            *self._headers.items(),
            (f"{FROM_PLATFORM}request-id", request_id),
        ]
        url = URL(self._url + head["path"], encoded=True)
        try:
            async with self._client.request(
                head["method"], url, headers=headers, data=body or None, allow_redirects=False
            ) as answer:
                kept = [
                    (name, value)
                    for name, value in answer.headers.items()
                    if name.lower() not in HOP_BY_HOP
                ]
                shown = {"status": answer.status, "headers": kept}
                if pass_on is None or "Transfer-Encoding" not in answer.headers:
                    return Outcome(True, frames.encode(shown, await answer.read()))
                await pass_on(shown, answer.content.iter_any())
                return Outcome(True, frames.encode(shown))
        except asyncio.TimeoutError:
            return failed(f"Function timed out after {self.function.timeout:g} seconds")
        except aiohttp.ClientError:
            return failed("Process exited unexpectedly before completing request")

    def freeze(self) -> None:
        if sys.platform == "linux":  # elsewhere a killed runtime would leave it frozen for ever
            self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    async def stop(self) -> None:
        await super().stop()
        if self._client is not None:
            await self._client.close()

    def _command(self, settings: dict[str, Any]) -> list[str]:
        """The start command, with the Python that stands for the runtime's own."""
        assert self.function.web is not None
        _, *words = self.function.web.command
        if settings["python"] is None:
            return [sys.executable, "-u", *words]
        own = [settings["python"], "-S", "-B", "-u", "-c", PACKAGED]
        return [*own, str(self.function.code), *words]

    async def _listens(self, port: int) -> Outcome:
        while self.usable:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(CHECK_SECONDS)
                continue
            writer.close()
            return Outcome(True, b"")
        return failed("Process exited before it listened at the port")


def request_frame(method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """A request for an instance; `path` is as the client encoded it.

    The platform's own headers are the platform's: those a caller sent are left out.
    """
    kept = [
        (name, value.encode("utf-8", "replace").decode())
        for name, value in headers
        if name.lower() not in HOP_BY_HOP
        and not name.lower().replace("_", "-").startswith(FROM_PLATFORM)
    ]
    encoded = quote(path.encode("utf-8", "surrogateescape"), safe=PLAIN)
    head = {"method": method, "path": encoded, "headers": kept}
    return frames.encode(head, body)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port
