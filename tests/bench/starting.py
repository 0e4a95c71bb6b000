"""A fresh process that handles one event with a package's handler, and what it needs around it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oss2
import requests

from local.up import LaptopCloud

ROOT = Path(__file__).resolve().parents[2]
MODEL = "wanx-x-painting"
"""Of examples/inpainting.yaml."""
ENDPOINTS = ("OSS_ENDPOINT", "DASHSCOPE_HTTP_BASE_URL")

HANDLE = """
import sys, time
up = time.monotonic()
import json
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
print(json.dumps({"times": [up, imported, done], "modules": sorted(sys.modules)}))
"""
"""Loads and calls a handler as the runtime does. Only what lies in the package is importable."""

IMPORT = """
import json, sys, time
up = time.monotonic()
sys.path[0:0] = json.loads(sys.argv[1])
for name in sys.argv[2].split(","):
    __import__(name)
imported = time.monotonic()
print(json.dumps({"times": [up, imported, imported], "modules": sorted(sys.modules)}))
"""


@dataclass(frozen=True)
class Start:
    """One start: seconds from the process's creation on, and what was imported."""

    up: float
    imported: float
    done: float
    modules: tuple[str, ...]


class StartFailed(Exception):
    """The process did not do what it was started for; the text is the end of what it said."""


@contextmanager
def servers(data: Path) -> Iterator[dict[str, str]]:
    """OSS and Model Studio, without a runtime; yields the functions' environment.

    Tasks are accepted at any rate and never end: nothing is drawn while something is measured.
    """
    environ = {name: value for name, value in os.environ.items() if name not in ENDPOINTS}
    runtime = {"API_URL": "http://127.0.0.1:9", "API_TOKEN": "bench-token"}  # said to run elsewhere
    with LaptopCloud(data, ports=0, task_seconds=3600, environ=environ | runtime) as cloud:
        unlimited = {"limits": {MODEL: {"submissions_per_second": None}}}
        admin = cloud.env["DASHSCOPE_HTTP_BASE_URL"].replace("/api/v1", "/_admin/settings")
        requests.post(admin, json=unlimited, timeout=10).raise_for_status()
        token = hashlib.sha256(cloud.env["API_TOKEN"].encode()).hexdigest()
        yield cloud.env | {
            "OSS_PUBLIC_ENDPOINT": cloud.env["OSS_ENDPOINT"],
            "API_TOKEN_SHA256": token,
            "PATH": os.environ["PATH"],
        }


def bucket_of(env: Mapping[str, str]) -> Any:
    """A client of the bucket, with the keys of the laptop's owner."""
    auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
    return oss2.Bucket(auth, env["OSS_ENDPOINT"], env["OSS_BUCKET"], region=env["OSS_REGION"])


def handled(python: Path, package: Path, event: bytes, env: Mapping[str, str], name: str) -> Start:
    """Start a process that handles this event. Raises StartFailed."""
    return _started([str(python), "-I", "-B", "-c", HANDLE, str(package), name], event, env)


def imported(python: Path, folders: list[Path], modules: list[str]) -> Start:
    """Start a process that imports these modules, found in these folders. Raises StartFailed."""
    where = json.dumps([str(folder) for folder in folders])
    return _started([str(python), "-I", "-B", "-c", IMPORT, where, ",".join(modules)], b"", {})


def _started(command: list[str], event: bytes, env: Mapping[str, str]) -> Start:
    begun = time.monotonic()  # the system's, so that the process's own readings compare with it
    done = subprocess.run(command, input=event, env=dict(env), capture_output=True, check=False)
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode or not lines:
        raise StartFailed(done.stderr.decode(errors="replace")[-2000:])
    told = json.loads(lines[-1])
    up, ready, end = (moment - begun for moment in told["times"])
    return Start(up, ready, end, tuple(told["modules"]))
