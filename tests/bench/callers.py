"""One instance of api: callers beside fifty that wait for a job, and the time of an answer.

The instance is the package's server with its start command, asked as Function Compute asks it: the
role's keys come with each request. It alone answers, however many wait.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from local.runtime.settings import CREDENTIAL_HEADERS, CREDENTIALS
from local.up_settings import packaged_pythons
from tests.bench.coldstart import BUILD, REQUEST
from tests.bench.laptop import NO_RUNTIME, TOKEN, laptop
from tests.bench.populate import REAL_MODEL, done_job, jobs, stocked, waiting_job
from tests.bench.results import Measure, line, quantile

RUNTIME = "custom.debian12"
WAITERS = 50
"""Of two tokens: one of them may not hold all places of an instance (`shared.instance.WAITING`)."""
OTHER = f"{TOKEN}-of-others"
WAIT = 10
"""Seconds that each waits for its job. The server keeps the place of one that has gone for as
long."""
TURNS = 2
REQUESTS = 60
"""Of each kind in each half of a turn."""
LONGEST_PAUSE = 0.02
"""Seconds between two requests, at most: they fall on every moment between two looks."""
MOST_RATIO = 1.5
READY_SECONDS = 30.0
ANSWERS, BATCHES = 400, 7
SETTINGS = {
    "OSS_ENDPOINT": "https://oss.invalid",
    "OSS_BUCKET": "bench",
    "DASHSCOPE_API_KEY": "sk-bench",
    "API_TOKEN_SHA256": hashlib.sha256(TOKEN.encode()).hexdigest(),
}
ROLE = {
    "HTTP_X_FC_ACCESS_KEY_ID": "STS.of-a-role",
    "HTTP_X_FC_ACCESS_KEY_SECRET": "a-secret",
    "HTTP_X_FC_SECURITY_TOKEN": base64.b64encode(bytes(range(256)) * 2).decode(),
}
MOST_CPU = 1.0
"""Milliseconds."""

COUNTED = """
import io, json, sys, time
sys.path.insert(0, sys.argv[1])
given = json.loads(sys.stdin.buffer.read())
import index
from shared.storage import objects, oss
kept = {key: text.encode() for key, text in given["objects"].items()}

def read(self, key, limit):
    if key not in kept:
        raise objects.ObjectMissing(key)
    return objects.Slice(kept[key], len(kept[key]), "etag")

def listed(self, prefix, after="", limit=None):
    keys = sorted(key for key in kept if key.startswith(prefix) and key > after)[:limit]
    now = time.time()
    return (objects.Entry(key, len(kept[key]), "etag", now, now) for key in keys)

def nothing(self, *_):
    pass

oss.OssStore.read, oss.OssStore.list = read, listed
oss.OssStore.put = oss.OssStore.refuse_versioned = nothing
application = index.web_function(index.answering)
seen = []

def answer(path):
    own = {"PATH_INFO": path, "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr}
    environ = {**given["environ"], **own}
    chunks = application(environ, lambda status, fields: seen.append(status))
    return b"".join(chunks)

found = {}
for path in given["paths"]:
    json.loads(answer(path))
    found[path] = []
    for _ in range(given["batches"]):
        began = time.process_time()
        for _ in range(given["answers"]):
            answer(path)
        found[path].append((time.process_time() - began) / given["answers"])
if set(seen) != {"200 OK"}:
    sys.exit(str(set(seen)))
print()
print(json.dumps(found))
"""
"""The application in the package's Python, over objects in memory instead of OSS."""

Found = dict[str, dict[bool, list[float]]]
"""Seconds of the answers by what was asked for, without and with callers that wait."""


def measures(brief: bool = False) -> list[Measure]:
    """Raises UpError if there are no packages, RuntimeError for an answer that is not 200."""
    turns, requests, answers = (1, 20, 20) if brief else (TURNS, REQUESTS, ANSWERS)
    python = packaged_pythons(BUILD, os.environ)[RUNTIME]
    found: Found = {}
    with ExitStack() as running:
        data = running.enter_context(stocked(WAITERS, 1))
        env = running.enter_context(laptop(environ=NO_RUNTIME, data=data)).env
        tokens = [{"sha256": hashlib.sha256(OTHER.encode()).hexdigest(), "scope": "read"}]
        own = {**env, "API_TOKENS": json.dumps(tokens)}
        address = running.enter_context(instance(python, BUILD / "api", own))
        for turn in range(turns):
            asyncio.run(_turn(address, keys(env), requests, turn, found))
    return [beside(found), processor(_counted(python, answers))]


def keys(env: Mapping[str, str]) -> dict[str, str]:
    """The headers with the keys of a role, and the caller's token."""
    given = {header: env.get(CREDENTIALS[name], "") for name, header in CREDENTIAL_HEADERS.items()}
    own = {header: value for header, value in given.items() if value}
    return {**own, "x-fc-request-id": "bench", "Authorization": f"Bearer {TOKEN}"}


@contextmanager
def instance(python: Path, package: Path, env: Mapping[str, str]) -> Iterator[str]:
    """Run the server of a package; yields its address. Raises RuntimeError if it does not start."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in env.items() if name not in CREDENTIALS.values()}
    own = {"LISTEN_HOST": "127.0.0.1", "FC_CUSTOM_LISTEN_PORT": str(port)}
    command = [str(python), "-S", "-B", "-u", "index.py"]
    with subprocess.Popen(command, cwd=package, env={**kept, **own}) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} does not listen at port {port}")


async def _turn(
    address: str, headers: Mapping[str, str], requests: int, turn: int, found: Found
) -> None:
    """The same requests without and with callers that wait; which is first, alternates."""
    rng = random.Random(turn)
    async with aiohttp.ClientSession(
        address,
        headers=headers,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=120),
    ) as session:
        for waiting in (False, True) if turn % 2 == 0 else (True, False):
            async with Callers(session, WAITERS if waiting else 0):
                for _ in range(requests):
                    for path in ("/models", f"/jobs/{done_job(0)}", f"/jobs/{waiting_job(0)}"):
                        await asyncio.sleep(LONGEST_PAUSE * rng.random())
                        took = await _timed(session, path)
                        found.setdefault(path, {False: [], True: []})[waiting].append(took)
            await asyncio.sleep(WAIT if waiting else 0.0)


class Callers:
    """Callers that wait, each for a job of its own, and ask again once they have an answer."""

    def __init__(self, session: aiohttp.ClientSession, number: int) -> None:
        self._session, self._number = session, number
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        self._tasks = [asyncio.create_task(self._wait(n)) for n in range(self._number)]
        await _timed(self._session, "/models")  # requests are taken in order: all of them wait

    async def _wait(self, number: int) -> None:
        headers = {"Authorization": f"Bearer {(TOKEN, OTHER)[number % 2]}"}
        while True:
            await _timed(self._session, f"/jobs/{waiting_job(number)}?wait={WAIT}", headers)

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _timed(
    session: aiohttp.ClientSession, path: str, headers: Mapping[str, str] | None = None
) -> float:
    before = time.perf_counter()
    async with session.get(path, headers=headers) as answer:
        body = await answer.read()
        took = time.perf_counter() - before
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:200]!r}")
    return took


def beside(found: Found) -> Measure:
    """The measure of answers beside callers that wait, by what was asked for."""
    lines, ratios = [], []
    for path, by_waiting in found.items():
        quiet, busy = by_waiting[False], by_waiting[True]
        ratios.append(quantile(busy, 0.95) / quantile(quiet, 0.95))
        for waiting, values in by_waiting.items():
            note = f"p95 × {ratios[-1]:.2f}" if waiting else ""
            name = f"GET {path}, {f'{WAITERS} wait' if waiting else 'nobody waits'}"
            lines.append(line(name, [1000 * one for one in values], "ms", ours=True, note=note))
    goal = f"p95 of each ≤ {MOST_RATIO:g} times that without them"
    result = f"{max(ratios):.3g} × at worst"
    return Measure("waiting-callers", goal, max(ratios) <= MOST_RATIO, lines, result)


def _counted(python: Path, answers: int) -> dict[str, list[float]]:
    """Seconds of the processor for an answer, by path, in batches. Raises RuntimeError."""
    objects = dict(jobs(REAL_MODEL, int(time.time() * 1000), queued=1, finished=1))
    texts = {key: body.decode() for key, body in objects.items() if key.startswith("state/")}
    given: dict[str, Any] = {
        "environ": REQUEST | ROLE,
        "objects": texts,
        "paths": [f"/jobs/{waiting_job(0)}", f"/jobs/{done_job(0)}"],
        "answers": answers,
        "batches": BATCHES,
    }
    command = [str(python), "-I", "-B", "-c", COUNTED, str(BUILD / "api")]
    done = subprocess.run(
        command, input=json.dumps(given), env=SETTINGS, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"the application failed: {done.stderr[-2000:]}")
    counted: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return counted


def processor(counted: Mapping[str, list[float]]) -> Measure:
    """The measure of processor time, by path."""
    lines = [
        line(f"GET {path}", [1000 * one for one in values], "ms", ours=True)
        for path, values in counted.items()
    ]
    most = max(one.value for one in lines)
    return Measure(
        "answer-cpu", f"< {MOST_CPU:g} ms each", most < MOST_CPU, lines, f"{most:.3g} ms"
    )
