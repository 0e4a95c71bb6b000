"""How long a function's first event takes: process, imports, handler. And in instructions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from deploy.packaging.stamp import read_stamp
from local.up_settings import packaged_pythons
from shared.storage import layout
from tests.bench.instructions import counter
from tests.bench.laptop import NO_RUNTIME, TOKEN, Laptop, laptop
from tests.bench.results import ROOT, Line, Measure, line

BUILD = ROOT / "build"
SDK_PYTHON = ROOT / ".venv-dashscope/bin/python"
GOALS = {"submit": 0.2, "poll": 0.5, "rescue": 0.5, "api": 0.5}
"""Seconds, for each function."""
RUNS, FEWER_RUNS = 7, 2
"""With bytecode, and without it, where no goal depends on the figure."""
SHARES = {"submit": 0.5, "poll": 0.55, "api": 0.65}
"""The instructions of a handler's import, of those that importing the libraries takes."""
SERVERS = {"api": ["shared.platform.web_server"]}
"""What a web function imports once it serves."""
LIBRARIES = ["oss2", "requests", "jsonschema", "yaml"]
WITHOUT = ", without bytecode"
BASE = f"import {', '.join(LIBRARIES)}"
KEY = "jobs/inpainting.yaml"
MODEL = "wanx-x-painting"
"""The model of examples/inpainting.yaml."""

HANDLE = """
import json, sys, time
from types import SimpleNamespace as Names
sys.path.insert(0, sys.argv[1])
event = sys.stdin.buffer.read()
import index
imported = time.monotonic()
function = Names(name=sys.argv[2], timeout=120, memory=512, handler="index.handler")
answer = index.handler(event, Names(request_id="bench", function=function))
done = time.monotonic()
if isinstance(answer, dict) and answer["statusCode"] != 200:
    sys.exit(str(answer)[:2000])
print()
print(json.dumps({"imported": imported, "done": done, "modules": len(sys.modules)}))
"""
"""Loads and calls a handler as the runtime does. Only the package's files are importable."""

ANSWER = """
import io, json, sys, time
sys.path.insert(0, sys.argv[1])
environ = json.loads(sys.stdin.buffer.read())
import index, shared.platform.web_server
index.prepare(index.INSTANCE)
imported = time.monotonic()
seen = []
application = index.web_function(index.answering)
environ |= {"wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr}
body = b"".join(application(environ, lambda *said: seen.append(said)))
done = time.monotonic()
if not seen[0][0].startswith("200"):
    sys.exit(str((seen, body))[:2000])
print()
print(json.dumps({"imported": imported, "done": done, "modules": len(sys.modules)}))
"""
"""A web function up to its first answer, without the socket: imports are done when it listens."""

IMPORT = """
import json, sys, time
sys.path[0:0] = json.loads(sys.argv[1])
for name in sys.argv[2].split(","):
    __import__(name)
imported = time.monotonic()
print(json.dumps({"imported": imported, "done": imported, "modules": len(sys.modules)}))
"""

BARE = """
import sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    __import__(name)
"""


@dataclass(frozen=True)
class Start:
    """One start: seconds from the process's creation on, and how many modules are imported."""

    imported: float
    done: float
    modules: int


Ways = dict[str, Callable[[], Start]]
"""What is started again and again."""


@dataclass(frozen=True)
class Counts:
    """Instructions by what was started; those of the libraries' import are under BASE.

    `tool` counted them; without one there are none.
    """

    tool: str | None
    seen: Mapping[str, int]


def measures(brief: bool = False) -> list[Measure]:
    """Each function with and without bytecode, beside bare imports.

    Raises UpError if there are no packages or not their Python, RuntimeError if a start fails.
    """
    pythons = _pythons()
    with _functions(pythons) as functions:
        ways = {**functions, **_imports(pythons["submit"])}
        seen: dict[str, list[Start]] = {name: [] for name in ways}
        for number in range(1 if brief else RUNS):
            for name, start in ways.items():
                if number < FEWER_RUNS or not name.endswith(WITHOUT):
                    seen[name].append(start())
    counts = _counts(pythons)
    return [timed(seen), counted(counts)]


def timed(seen: Mapping[str, Sequence[Start]]) -> Measure:
    """The measure of the starts of each way, in seconds of this machine."""
    lines = [_line(name, starts) for name, starts in seen.items()]
    reached = all(one.value <= GOALS.get(one.name, one.value) for one in lines)
    goal = "median with bytecode: submit ≤ 0.2 s, the others ≤ 0.5 s"
    return Measure("coldstart", goal, reached, lines)


def counted(counts: Counts) -> Measure:
    """The measure of instructions. What was not counted has not reached its goal."""
    shares = [_share(name, counts) for name in SHARES]
    reached = counts.tool is not None
    reached &= all(one.value <= goal for one, goal in zip(shares, SHARES.values(), strict=True))
    goal = ", ".join(f"{name} ≤ {share:g} ×" for name, share in SHARES.items())
    found = ", ".join(f"{one.value:.3g} ×" for one in shares) if counts.tool else "not measured"
    return Measure("coldstart-instructions", f"{goal} the libraries", reached, shares, found)


def _share(name: str, counts: Counts) -> Line:
    """A function's import beside that of the libraries."""
    called = f"{name}, instructions of its import"
    goal = f"goal ≤ {SHARES[name]} × {BASE}"
    if counts.tool is None:
        said = f"{goal}; install valgrind, or use a machine where perf counts instructions"
        return Line(called, 0, "NOT MEASURED", n=0, ours=True, note=said)
    count, whole = counts.seen[name], counts.seen[_base(name)]
    word = "reached" if count / whole <= SHARES[name] else "NOT reached"
    note = f"{goal}: {word}; {count / 1e6:.0f} of {whole / 1e6:.0f} million, {counts.tool}"
    return Line(called, count / whole, "×", ours=True, note=note)


def _base(name: str) -> str:
    """What a function's import is compared with: the libraries in its own package and Python."""
    return f"{BASE}, for {name}"


def _pythons() -> dict[str, Path]:
    """The Python of each function. Raises UpError."""
    found = packaged_pythons(BUILD, os.environ)
    return {name: found[str(read_stamp(BUILD / name)["runtime"])] for name in GOALS}


def _line(name: str, starts: Sequence[Start]) -> Line:
    imports, ours = median(one.imported for one in starts), name.split(",")[0] in GOALS
    note = f"imports done after {imports:.2f} s, {starts[0].modules} modules"
    return line(name, [one.done for one in starts], "s", ours=ours, note=note)


@contextmanager
def _functions(pythons: Mapping[str, Path]) -> Iterator[Ways]:
    """Tasks are accepted at any rate and never end: no picture is made during a measurement."""
    bare = shutil.ignore_patterns("__pycache__")
    with tempfile.TemporaryDirectory() as scratch, laptop(3600, NO_RUNTIME) as running:
        running.settings(limits={MODEL: {"submissions_per_second": None}})
        ways: Ways = {}
        for name in GOALS:
            ways[name] = partial(_handled, running, BUILD / name, pythons[name])
        for name in GOALS:
            package = shutil.copytree(BUILD / name, Path(scratch) / name, ignore=bare)
            ways[f"{name}{WITHOUT}"] = partial(_handled, running, package, pythons[name])
        yield ways


def _counts(pythons: Mapping[str, Path]) -> Counts:
    """One count each: it varies by less than a hundredth, with the order of hashes."""
    tool = counter()
    if tool is None:
        return Counts(None, {})
    name, count = tool
    commands: dict[str, list[str]] = {}
    for one in SHARES:
        modules = {_base(one): LIBRARIES, one: ["index", *SERVERS.get(one, [])]}
        for way, imported in modules.items():
            commands[way] = _command(pythons[one], BARE, [str(BUILD / one), *imported])
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # load does not move a count
        counts = pool.map(lambda command: count(command, b"", {}), commands.values())
        return Counts(name, dict(zip(commands, counts, strict=True)))


def _handled(running: Laptop, package: Path, python: Path) -> Start:
    """How a process starts that loads a package and handles its event."""
    for prefix in ("state/", "jobs/", "results/"):  # each start finds the same
        if keys := _keys(running.bucket, prefix):
            running.bucket.batch_delete_objects(keys)
    event = EVENTS[package.name](running.bucket)
    code = ANSWER if package.name in SERVERS else HANDLE
    found = started(python, code, [str(package), package.name], event, running.env)
    if package.name == "submit" and not _keys(running.bucket, layout.SLOTS):
        raise RuntimeError("submit has not created the job's task")
    return found


def _keys(bucket: Any, prefix: str) -> list[str]:
    return [one.key for one in bucket.list_objects_v2(prefix=prefix, max_keys=1000).object_list]


def _imports(python: Path) -> Ways:
    """Bare imports of the libraries, and with the official SDK of the service if it is here."""
    ours = sorted((ROOT / ".venv/lib").glob("python3*/site-packages"))
    ways: Ways = {BASE: partial(_imported, python, [BUILD / "submit"], LIBRARIES)}
    if SDK_PYTHON.exists():
        both = partial(_imported, SDK_PYTHON, ours, [*LIBRARIES, "dashscope"])
        ways["the same and dashscope 2.0.2"] = both
    return ways


def _imported(python: Path, folders: Sequence[Path], modules: Sequence[str]) -> Start:
    where = json.dumps([str(folder) for folder in folders])
    return started(python, IMPORT, [where, ",".join(modules)])


def started(
    python: Path,
    code: str,
    arguments: Sequence[str],
    event: bytes = b"",
    env: Mapping[str, str] | None = None,
) -> Start:
    """Start a process that runs `code`, which prints its times. Raises RuntimeError."""
    command = _command(python, code, arguments)
    begun = time.monotonic()  # the system's, so that the process's own readings compare with it
    done = subprocess.run(command, input=event, env=env or {}, capture_output=True, check=False)
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode or not lines:
        raise RuntimeError(f"a start failed: {done.stderr.decode(errors='replace')[-2000:]}")
    printed = json.loads(lines[-1])
    return Start(printed["imported"] - begun, printed["done"] - begun, printed["modules"])


def _command(python: Path, code: str, arguments: Sequence[str]) -> list[str]:
    return [str(python), "-I", "-B", "-c", code, *arguments]


def _job_file(bucket: Any) -> bytes:
    bucket.put_object_from_file(KEY, str(ROOT / "examples/inpainting.yaml"))
    changed = {"bucket": {"name": bucket.bucket_name}, "object": {"key": KEY}}
    event = {"eventName": "ObjectCreated:PutObject", "oss": changed}
    return json.dumps({"events": [event]}).encode()


TIMER = {"triggerTime": "2026-11-20T05:12:00Z", "triggerName": "every-minute", "payload": "{}"}
GIVEN_UP = {
    "timestamp": 1660120276975,
    "requestContext": {
        "requestId": "bench",
        "functionArn": "acs:fc:cn-beijing:1:functions/wanx-submit",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 4,
    },
    "requestPayload": json.dumps({"events": []}),
    "responseContext": {"statusCode": 200, "functionError": "UnhandledInvocationError"},
    "responsePayload": "",
}
REQUEST = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/models",
    "QUERY_STRING": "",
    "SERVER_NAME": "bench",
    "SERVER_PORT": "443",
    "HTTP_HOST": "bench",
    "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
    "HTTP_X_FC_REQUEST_ID": "bench",
    "wsgi.url_scheme": "https",
}
EVENTS: dict[str, Callable[[Any], bytes]] = {
    "submit": _job_file,
    "poll": lambda _: json.dumps(TIMER).encode(),
    "rescue": lambda _: json.dumps(GIVEN_UP).encode(),
    "api": lambda _: json.dumps(REQUEST).encode(),
}
"""For each function a real event, given the bucket it is about."""
