"""The laptop cloud for measurements: jobs in, and when what happened to them, without asking it.

Asking a server would disturb what is measured, so that moments are read afterwards: when a task was
made and when it ended from the Model Studio server's own list, when an object came into the bucket
from its file. Both are this machine's clock.
"""

from __future__ import annotations

import copy
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oss2
import requests
import yaml

from local.up import LaptopCloud
from shared.app import App, for_invocation
from shared.storage import layout

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PATIENCE = 120.0
LOOK = 0.01
LINES = 5
TIMER_OFF = 86400.0
"""Length of a timer's minute, in seconds, that lets it never fire."""


@dataclass
class Laptop:
    """A running laptop cloud, and a client of its bucket."""

    cloud: LaptopCloud
    bucket: Any

    def drop(self, document: dict[str, Any]) -> float:
        """Upload a job file that holds one job; returns when the upload began."""
        began = time.time()
        body = json.dumps(document).encode()
        self.bucket.put_object(f"{layout.JOB_FILES}{document['job']['id']}.json", body)
        return began

    def path(self, key: str) -> Path:
        """The file of an object."""
        assert self.cloud.bucket_folder is not None
        return self.cloud.bucket_folder / key

    def image(self, job: str) -> Path:
        """The file of a job's first image. Raises RuntimeError if the job has none."""
        found = sorted(self.path(f"{layout.RESULTS}{job}").glob("image-1.*"))
        if not found:
            raise RuntimeError(f"job {job} made no image; see the logs in {self.cloud.data}/logs")
        return found[0]

    def wait_for_result(self, job: str) -> None:
        """Until the job's manifest is there. Raises RuntimeError after two minutes."""
        try:
            wait_until(self.path(layout.result(job)).exists, f"the result of job {job}")
        except RuntimeError as error:
            raise RuntimeError(f"{error}; the last lines of the logs:\n{self._logs()}") from None

    def wait_for_rest(self) -> None:
        """Until nobody polls. Raises RuntimeError after two minutes."""
        heartbeat = self.path(layout.HEARTBEAT)
        wait_until(lambda: not heartbeat.exists(), "the end of polling")

    def tasks(self) -> dict[str, dict[str, Any]]:
        """All tasks the service has made, by their prompts; times in seconds since 1970."""
        made = self._admin("tasks")["tasks"]
        return {task["body"]["input"]["prompt"]: task for task in made}

    def settings(self, **values: Any) -> None:
        """Change settings of the Model Studio server."""
        self._admin("settings", values)

    def app(self) -> App:
        """The functions' own parts over this bucket, in this process."""
        return for_invocation(
            {**self.cloud.env, "OSS_PUBLIC_ENDPOINT": self.cloud.env["OSS_ENDPOINT"]}
        )

    def _logs(self) -> str:
        """The ends of all logs: their folder is gone with the laptop cloud."""
        texts = [
            (path.name, path.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES:])
            for path in sorted((self.cloud.data / "logs").iterdir())
        ]
        return "\n".join(f"{name}: {line}" for name, lines in texts for line in lines)

    def _admin(self, name: str, body: dict[str, Any] | None = None) -> Any:
        base = self.cloud.env["DASHSCOPE_HTTP_BASE_URL"].rsplit("/api/v1", 1)[0]
        verb = "GET" if body is None else "POST"
        answer = requests.request(verb, f"{base}/_admin/{name}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def laptop(task_seconds: float) -> Iterator[Laptop]:
    """A laptop cloud with the examples' photographs, its timers off."""
    with tempfile.TemporaryDirectory() as folder, _started(Path(folder), task_seconds) as cloud:
        env = cloud.env
        auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
        bucket = oss2.Bucket(
            auth,
            env["OSS_ENDPOINT"],
            env["OSS_BUCKET"],
            region=env["OSS_REGION"],
            enable_crc=False,  # without a C compiler its checksum would take most of the time
        )
        for path in sorted((EXAMPLES / "inputs").iterdir()):
            bucket.put_object_from_file(f"{layout.INPUTS}{path.name}", str(path))
        yield Laptop(cloud, bucket)


def _started(folder: Path, task_seconds: float) -> LaptopCloud:
    # Endpoints of the user's own would be used instead of started.
    own = ("OSS_", "DASHSCOPE_", "API_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return LaptopCloud(folder, 0, task_seconds, environ=environ, timer_minute=TIMER_OFF)


def example(name: str) -> dict[str, Any]:
    """The first job of an example file, for one image."""
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = next(iter(yaml.safe_load_all(text)))
    document["parameters"] = {**document.get("parameters", {}), "n": 1}
    return document


def named(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The same job under an id of its own, which is its prompt too."""
    made = copy.deepcopy(document)
    made["input"]["prompt"] = name
    made["job"] = {"id": name}
    return made


def arrived(path: Path) -> float:
    """When a file came to be where it is, in seconds since 1970: the server writes it elsewhere and
    moves it there, which its change time tells."""
    return path.stat().st_ctime


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Look until something holds. Raises RuntimeError after two minutes."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {PATIENCE:g} s in vain for {what}")
        time.sleep(LOOK)
