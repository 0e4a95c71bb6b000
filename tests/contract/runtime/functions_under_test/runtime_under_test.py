"""Starts the runtime as a user does, and waits on what it says of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import requests

FUNCTIONS = Path(__file__).parent
ROOT = Path(__file__).resolve().parents[4]
PATIENCE = 20.0
Value = TypeVar("Value")


class RuntimeUnderTest:
    """`python -m local.runtime` on a folder of tiny functions; a context manager."""

    def __init__(self, folder: Path, *options: str, s_yaml: str = "s.yaml", **env: str) -> None:
        self.data = folder / "data"
        self.records = folder / "records"
        self.records.mkdir(exist_ok=True)
        self._options = (*("--s-yaml", str(FUNCTIONS / s_yaml), "--data", str(self.data)), *options)
        self._environ = {**os.environ, "RECORDS": str(self.records), **env}

    def __enter__(self) -> RuntimeUnderTest:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.runtime", *self._options],
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline().split()
        assert ready[:2] == ["runtime", "ready"], ready
        self.url = ready[2]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def invoke(self, name: str, event: object = "", **headers: str) -> requests.Response:
        url = f"{self.url}/2023-03-30/functions/{name}/invocations"
        names = {key.replace("_", "-"): value for key, value in headers.items()}
        return requests.post(url, data=json.dumps(event).encode(), headers=names, timeout=PATIENCE)

    def later(self, name: str, event: object) -> requests.Response:
        return self.invoke(name, event, X_Fc_Invocation_Type="Async")

    def put(self, key: str, bucket: str = "bucket", name: str = "PutObject") -> int:
        """Tells of an object as our OSS server does; answers how many invocations it caused."""
        event = {
            "eventName": f"ObjectCreated:{name}" if ":" not in name else name,
            "oss": {"bucket": {"name": bucket}, "object": {"key": key, "eTag": "E", "size": 1}},
        }
        answer = requests.post(
            f"{self.url}/_events/oss", json={"events": [event]}, timeout=PATIENCE
        )
        assert answer.status_code == 200, answer.text
        fired: int = answer.json()["invocations"]
        return fired

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = requests.get(f"{self.url}/_runtime/state", timeout=PATIENCE).json()
        return state

    def function(self, name: str) -> dict[str, Any]:
        function: dict[str, Any] = self.state()["functions"][name]
        return function

    def until_idle(self) -> None:
        until(lambda: self.state()["idle"])

    def recorded(self) -> list[dict[str, Any]]:
        path = self.records / "recorded.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def is_running(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    status = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return bool(status) and not status.startswith("Z")


def until(condition: Callable[[], Value]) -> Value:
    """The condition's first true value."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "the awaited condition never came true"
        time.sleep(0.01)
    return value
