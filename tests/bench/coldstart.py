"""How long a function's first event takes: process, imports, handler."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.packaging.interpreters import Interpreter, find_interpreter
from tests.bench.results import REAL, Line, Measure, sample
from tests.bench.starting import ROOT, Start, StartFailed, bucket_of, handled, imported, servers

BUILD = ROOT / "build"
GOALS = {"submit": 0.2, "poll": 0.5, "rescue": 0.5, "api": 0.5}
"""Seconds, for each function."""
RUNS = 15
LIBRARIES = ["oss2", "requests", "jsonschema", "yaml"]
KEY = "jobs/inpainting.yaml"

TEXT = """{runs} fresh processes for each line, in turns: from the creation of the process until the
handler has returned. The code is the package as it is deployed, the interpreter the runtime's
(Python {release}); OSS and Model Studio are the laptop's servers. `submit` takes in a job file
whose two images lie in the bucket and creates its task; `poll` finds nothing to do; `rescue` files
an event that was given up; `api` answers `GET /models`. *Without bytecode*: the same
package without its `__pycache__`. The last lines only import libraries. In the cloud an instance
must be placed and its package loaded first, and with 0.35 vCPU the CPU time takes three times as
long."""
BOUND = """{what}. What remains are Python itself, `requests` with urllib3 and ssl (a third of it),
the package's own modules, Pillow's header parsers, and the requests to OSS."""


@dataclass(frozen=True)
class Way:
    """One thing that is started over and over; `goal` in seconds, if it has one."""

    name: str
    start: Callable[[], Start]
    ours: bool = False
    goal: float | None = None


def measures(brief: bool = False) -> list[Measure]:
    """Each function with and without bytecode, beside bare imports."""
    runs, python = 2 if brief else RUNS, _interpreter()
    with tempfile.TemporaryDirectory() as scratch, _ways(Path(scratch), python) as ways:
        seen: list[list[Start]] = [[] for _ in ways]
        for _ in range(runs):
            for way, starts in zip(ways, seen, strict=True):
                starts.append(way.start())
    slow = slower(zip(ways, seen, strict=True))
    return [
        Measure(
            id="coldstart",
            title="Cold start",
            clock=REAL,
            goal="median with bytecode: submit ≤ 0.2 s, the others ≤ 0.5 s",
            reached=not slow,
            lines=tuple(line(way, starts) for way, starts in zip(ways, seen, strict=True)),
            text=TEXT.format(runs=runs, release=python.release),
            bound=BOUND.format(what=" and ".join(slow)) if slow else "",
        )
    ]


def slower(found: Iterator[tuple[Way, list[Start]]]) -> list[str]:
    """What takes longer than its goal, by how much."""
    medians = [(way, statistics.median(one.done for one in starts)) for way, starts in found]
    return [
        f"`{way.name}` takes {median:.2f} s instead of {way.goal:g} s"
        for way, median in medians
        if way.goal is not None and median > way.goal
    ]


def line(way: Way, starts: list[Start]) -> Line:
    """One way's figures, with the median of the part that is imports."""
    imports = statistics.median(one.imported for one in starts)
    note = f"imports done after {imports:.2f} s, {len(starts[0].modules)} modules"
    return sample([one.done for one in starts]).line(way.name, "s", ours=way.ours, note=note)


def _interpreter() -> Interpreter:
    """The Python the packages are built for. Raises StartFailed."""
    try:
        stamp = json.loads((BUILD / "submit/BUILD.json").read_text(encoding="utf-8"))
    except OSError:
        raise StartFailed("there is no package under build/; run `make package`") from None
    found = find_interpreter(stamp["runtime"], os.environ)
    if found is None:
        raise StartFailed(f"{stamp['runtime']} is not here; `make package` says how to get it")
    return found


@contextmanager
def _ways(scratch: Path, python: Interpreter) -> Iterator[list[Way]]:
    with servers(scratch / "cloud") as env:
        bucket = bucket_of(env)
        for path in sorted((ROOT / "examples/inputs").iterdir()):
            bucket.put_object_from_file(f"inputs/{path.name}", str(path))
        ways = []
        for name, goal in GOALS.items():
            start = _start(python.path, BUILD / name, bucket, env)
            ways.append(Way(name, start, ours=True, goal=goal))
        for name in GOALS:
            bare = shutil.ignore_patterns("__pycache__")
            package = shutil.copytree(BUILD / name, scratch / name, ignore=bare)
            start = _start(python.path, package, bucket, env)
            ways.append(Way(f"{name}, without bytecode", start, ours=True))
        yield ways + _imports(python.path)


def _start(python: Path, package: Path, bucket: Any, env: Mapping[str, str]) -> Callable[[], Start]:
    function = package.name

    def start() -> Start:
        clear(bucket)
        found = handled(python, package, EVENTS[function](bucket), env, function)
        if function == "submit" and not _keys(bucket, "state/slots/"):
            raise StartFailed("submit has not created the job's task")
        return found

    return start


def clear(bucket: Any) -> None:
    """As if no job had ever been: each start finds the same."""
    for prefix in ("state/", "jobs/", "results/"):
        keys = _keys(bucket, prefix)
        if keys:
            bucket.batch_delete_objects(keys)


def _keys(bucket: Any, prefix: str) -> list[str]:
    return [one.key for one in bucket.list_objects_v2(prefix=prefix, max_keys=1000).object_list]


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
    "version": "v1",
    "rawPath": "/models",
    "body": "",
    "isBase64Encoded": False,
    "headers": {"Host": "bench", "Authorization": "Bearer bench-token"},
    "queryParameters": {},
    "requestContext": {"requestId": "bench", "http": {"method": "GET", "path": "/models"}},
}
EVENTS: dict[str, Callable[[Any], bytes]] = {
    "submit": _job_file,
    "poll": lambda _: json.dumps(TIMER).encode(),
    "rescue": lambda _: json.dumps(GIVEN_UP).encode(),
    "api": lambda _: json.dumps(REQUEST).encode(),
}
"""For each function a real event, given the bucket it is about."""


def _imports(python: Path) -> list[Way]:
    """Importing the libraries plainly, and beside the official SDK of the service where it is."""
    name, package = f"import {', '.join(LIBRARIES)}", [BUILD / "submit"]
    ways = [Way(name, lambda: imported(python, package, LIBRARIES))]
    sdk, both = ROOT / ".venv-dashscope/bin/python", [*LIBRARIES, "dashscope"]
    ours = sorted((ROOT / ".venv/lib").glob("python3*/site-packages"))
    if sdk.exists():
        ways.append(Way("the same and dashscope 2.0.2", lambda: imported(sdk, ours, both)))
    return ways
