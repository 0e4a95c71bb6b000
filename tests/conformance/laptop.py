"""The laptop cloud as another program's clients see it: a process, its env file, its addresses.

Standard library alone, for it runs in environments that hold nothing of this project's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = REPOSITORY / ".venv/bin/python"
START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Side:
    """One of the two servers that speak the same wire: its base URL and a key it accepts."""

    name: str
    url: str
    key: str


class Laptop:
    """`python -m local.up` on a folder, as a context manager: up on entry, stopped on exit.

    Raises RuntimeError with the server's own words when it does not come up.
    """

    def __init__(self, data: Path, task_seconds: float = 0.5) -> None:
        self._data = data
        self._task_seconds = task_seconds
        self._process: subprocess.Popen[str] | None = None
        self.env: dict[str, str] = {}

    def __enter__(self) -> Laptop:
        options = ["--data", str(self._data), "--ports", "0", "--quiet"]
        command = [str(PYTHON), "-m", "local.up", *options]
        command += ["--task-seconds", str(self._task_seconds)]
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, env=_clean(os.environ), stderr=subprocess.PIPE, text=True
        )
        try:
            self.env = self._wait_for_env()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask the process to end, by its own id, and wait for it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._process = None

    @property
    def sides(self) -> tuple[Side, Side]:
        """The model service itself, and our `api` in front of it."""
        env = self.env
        return (
            Side("service", env["DASHSCOPE_HTTP_BASE_URL"], env["DASHSCOPE_API_KEY"]),
            Side("api", env["API_URL"] + "/api/v1", env["API_TOKEN"]),
        )

    def settings(self, **values: Any) -> None:
        """Change the Model Studio server's settings; None takes one back to its default."""
        self.admin("settings", values)

    def admin(self, name: str, body: Mapping[str, Any] | None = None) -> Any:
        """What `/_admin/<name>` of the Model Studio server answers; a body is posted."""
        base = self.env["DASHSCOPE_HTTP_BASE_URL"].rsplit("/api/v1", 1)[0]
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{base}/_admin/{name}", data), timeout=30) as answer:
            return json.load(answer)

    def service(self, path: str) -> Any:
        """What the Model Studio server answers to a GET below its base URL."""
        headers = {"Authorization": f"Bearer {self.env['DASHSCOPE_API_KEY']}"}
        asked = Request(f"{self.env['DASHSCOPE_HTTP_BASE_URL']}/{path}", headers=headers)
        with urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def _wait_for_env(self) -> dict[str, str]:
        assert self._process is not None
        path = self._data / "env"
        end = time.monotonic() + START_SECONDS
        while not path.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the laptop cloud did not come up: {self._last_words()}")
            time.sleep(0.02)
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def _last_words(self) -> str:
        assert self._process is not None
        self._process.terminate()
        return self._process.communicate(timeout=STOP_SECONDS)[1].strip() or "it said nothing"


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Without endpoints and keys: what is set there would be used instead of started."""
    ours = ("OSS_", "DASHSCOPE_", "API_", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in environ.items() if not name.startswith(ours)}
