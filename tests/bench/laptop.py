"""The laptop cloud for measurements: jobs in, and when what happened to them.

Asking a server would disturb what is measured, so moments are read afterwards: when a task was made
and when it ended from the Model Studio server's own list, when an object came into the bucket from
its file. Both are this machine's clock.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oss2
import requests

from local.up import LaptopCloud
from shared.storage import layout
from tests.bench.results import ROOT

PATIENCE = 120.0
LOOK = 0.01
READY = re.compile(r"(?:ready|Running on) (http\S+)")
NEVER = 86400.0
"""Seconds until a timer fires or an instance is too long idle."""
TOKEN = "bench-token"
NO_RUNTIME = {"API_URL": "http://127.0.0.1:9", "API_TOKEN": TOKEN}
"""The runtime is said to run elsewhere: no function starts, and OSS notifies nobody."""
INPUTS = ROOT / "examples/inputs"


@dataclass
class Laptop:
    """A running laptop cloud, and a client of its bucket."""

    cloud: LaptopCloud
    bucket: Any

    @property
    def env(self) -> dict[str, str]:
        """The environment of a function."""
        env = self.cloud.env
        token = hashlib.sha256(env["API_TOKEN"].encode()).hexdigest()
        own = {"OSS_PUBLIC_ENDPOINT": env["OSS_ENDPOINT"], "API_TOKEN_SHA256": token}
        return {**env, **own, "PATH": os.environ["PATH"], "LOG_LEVEL": "WARNING"}

    def drop(self, document: dict[str, Any]) -> float:
        """Upload a job file that holds one job; returns when the upload began."""
        began = time.time()
        body = json.dumps(document).encode()
        self.bucket.put_object(f"{layout.JOB_FILES}{document['job']['id']}.json", body)
        return began

    def signed(self, verb: str, key: str) -> str:
        """An address that allows this for an hour."""
        return str(self.bucket.sign_url(verb, key, 3600, slash_safe=True))

    def path(self, key: str) -> Path:
        """The file of an object."""
        assert self.cloud.bucket_folder is not None
        return self.cloud.bucket_folder / key

    def image(self, job: str) -> Path:
        """The file of a job's first image. Raises StopIteration if the job has none."""
        return next(self.path(f"{layout.RESULTS}{job}").glob("image-1.*"))

    def wait_for_result(self, job: str, state: str = "SUCCEEDED") -> None:
        """Until the job has ended. Raises RuntimeError if it is late or its state differs."""
        file = self.path(layout.result(job))
        self.wait_until(file.exists, f"the result of job {job}")
        result = json.loads(file.read_bytes())
        if result["state"] != state:
            raise RuntimeError(f"job {job} is {result['state']}, not {state}: {result}")

    def wait_for_rest(self) -> None:
        """Until nobody polls. Raises RuntimeError after two minutes."""
        self.wait_until(self._lease_is_free, "the end of polling")

    def _lease_is_free(self) -> bool:
        newest_first = sorted(self.path(layout.LEASE).glob("[0-9]" * 12))
        return not newest_first or b'"released": true' in newest_first[0].read_bytes()

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Look until something holds. Raises RuntimeError with the logs after two minutes."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                logs = [path.read_text("utf-8") for path in self.cloud.data.glob("logs/*")]
                ends = "\n".join(log[-1000:] for log in logs)
                raise RuntimeError(f"no {what} after {PATIENCE:g} s; the logs end with:\n{ends}")
            time.sleep(LOOK)

    def tasks(self) -> dict[str, dict[str, Any]]:
        """All tasks of the service by their prompts; times in seconds since 1970."""
        answer = requests.get(self._admin("tasks"), timeout=30).json()
        return {task["body"]["input"]["prompt"]: task for task in answer["tasks"]}

    def settings(self, **values: Any) -> None:
        """Change settings of the Model Studio server."""
        requests.post(self._admin("settings"), json=values, timeout=30).raise_for_status()

    def _admin(self, name: str) -> str:
        base = self.cloud.env["DASHSCOPE_HTTP_BASE_URL"].removesuffix("/api/v1")
        return f"{base}/_admin/{name}"


@contextmanager
def laptop(
    task_seconds: float = 0.2,
    environ: Mapping[str, str] | None = None,
    data: Path | None = None,
    packages: Path | None = None,
) -> Iterator[Laptop]:
    """A laptop cloud with the examples' photographs, its timers off.

    A server whose endpoint `environ` names is used instead of started; the user's own endpoints are
    not. `data`: its folder, by default a new one; `packages`: what runs instead of functions/.
    """
    own = ("OSS_", "DASHSCOPE_", "API_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    kept |= environ or {}
    with (
        tempfile.TemporaryDirectory() as folder,
        LaptopCloud(
            data or Path(folder),
            0,
            task_seconds,
            environ=kept,
            timer_minute=NEVER,
            packages=packages,
        ) as cloud,
    ):
        bucket = bucket_of(cloud.env)
        for path in sorted(INPUTS.iterdir()):
            bucket.put_object_from_file(f"{layout.INPUTS}{path.name}", str(path))
        yield Laptop(cloud, bucket)


def bucket_of(env: Mapping[str, str]) -> Any:
    """A client of the bucket, with the keys of its owner.

    It computes no checksums: without a C compiler they would take most of the time.
    """
    auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
    name, region = env["OSS_BUCKET"], env["OSS_REGION"]
    return oss2.Bucket(auth, env["OSS_ENDPOINT"], name, region=region, enable_crc=False)


@contextmanager
def server(module: str, *options: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run `python -m module`; yields the address that its output names.

    Raises RuntimeError with that output if the server does not start.
    """
    with subprocess.Popen(
        [sys.executable, "-u", "-m", module, *options],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if found := READY.search(line):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return found[1]
    raise RuntimeError(f"{process.args!r} did not start; it said: {said[-1000:]}")


def arrived(path: Path) -> float:
    """When a file came to its place, in seconds since 1970.

    The server writes it elsewhere and moves it, which sets its change time.
    """
    return path.stat().st_ctime
