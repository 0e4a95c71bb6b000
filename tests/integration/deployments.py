"""Code that is deployed, replaced and rolled back, over a bucket and a service that stay."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import oss2
import requests
import yaml

from local.supervise import Child
from local.up import LaptopCloud
from shared.storage import layout

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("submit", "poll", "rescue", "api")
TIMES = {"CREATE_TIMEOUT": "2", "UNKNOWN_GRACE": "6", "LEASE_SECONDS": "4"}
"""Settings under which lost answers are looked up within seconds."""
PATIENCE = 60.0
MODELS = ("wanx-x-painting", "wanx-sketch-to-image-lite", "wan2.5-i2i-preview")
INPUTS: dict[str, dict[str, Any]] = {
    MODELS[0]: {
        "base_image_url": "oss:///inputs/cat.jpg",
        "mask_image_url": "oss:///inputs/cat-mask.png",
    },
    MODELS[1]: {"sketch_image_url": "oss:///inputs/house-sketch.png"},
    MODELS[2]: {"images": ["oss:///inputs/coffee.jpg"]},
}
T = TypeVar("T")


class NoHistory(Exception):
    """The repository here does not hold that commit."""


def checkout(commit: str, folder: Path) -> Path:
    """The tree of a commit. Raises NoHistory."""
    done = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True)
    if done.returncode:
        raise NoHistory(done.stderr.decode(errors="replace").strip())
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def build(folder: Path, code: str) -> Path:
    """Packages of this tree that say they were built from `code`; built again: deployed."""
    for name in FUNCTIONS:
        package = folder / name
        if not package.exists():
            package.mkdir(parents=True)
            (package / "index.py").symlink_to(ROOT / "functions" / name / "index.py")
            for part in ("shared", "schemas", "web"):
                (package / part).symlink_to(ROOT / part)
        stamp = package / "BUILD.json.new"
        stamp.write_text(json.dumps({"function": name, "code": code}))
        stamp.replace(package / "BUILD.json")
    return folder


@dataclass
class Deployments:
    """Bucket and Model Studio, and whatever runs over them. `data` is the runtime's folder."""

    data: Path
    environ: dict[str, str]
    bucket: Any
    jobs: dict[str, str] = field(default_factory=dict)
    _runtime: Child | None = None

    def start(self, tree: Path, code: Path, stack: Path | None = None) -> None:
        """Run the functions in `code` on the runtime of a checkout; `stack`: another s.yaml."""
        (self.data / "logs").mkdir(parents=True, exist_ok=True)
        lock = os.open(self.data / "lock", os.O_CREAT | os.O_RDWR)
        port = self.environ["API_URL"].rpartition(":")[2]
        options = ["--port", port, "--data", str(self.data)]
        options += ["--s-yaml", str(stack or tree / "s.yaml")]
        options += ["--watch-bucket", "--timer-minute", "4", "--layer", str(tree)]
        self._runtime = Child(
            "runtime",
            [sys.executable, "-m", "local.runtime", *options],
            self.environ | {"WANX_CODE": str(code)},
            tree,
            self.data / "logs" / "runtime.log",
            lambda: None,
            inherited=lock,
        )
        os.close(lock)
        self._runtime.wait_ready(30.0)
        # What is in the bucket before its first look causes no event.
        self.until("look at the bucket", (self.data / "watch-bucket.json").exists)

    def stop(self) -> None:
        """All instances are killed, whatever they do."""
        if self._runtime is not None:
            self._runtime.stop()
        self._runtime = None

    def command(self, tree: Path, *words: str) -> str:
        """A command of a checkout, as a person gives it."""
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tree,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # What a person does, and sees

    def drop(self, job: str, model: str) -> None:
        prompt = f"the picture of {job}"
        body = {"model": model, "input": {"prompt": prompt, **INPUTS[model]}}
        self.jobs[job] = prompt
        body |= {"parameters": {"n": 1}, "job": {"id": job}}
        self.bucket.put_object(f"jobs/{job}.yaml", yaml.safe_dump(body))

    def last(self, job: str) -> dict[str, Any]:
        """A job's last record; empty as long as it has none."""
        keys = self.keys(f"{layout.RECORDS}{job}/")
        return self.read(keys[-1]) if keys else {}

    def states(self, stem: str = "") -> dict[str, str]:
        """The state of each job whose id begins so; or `in doubt`."""
        last = {job: self.last(job) for job in self.jobs if job.startswith(stem)}
        return {
            job: "in doubt" if "unknown" in one else one["state"]
            for job, one in last.items()
            if one
        }

    def read(self, key: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.bucket.get_object(key).read())
        return document

    def keys(self, prefix: str) -> list[str]:
        return [one.key for one in oss2.ObjectIterator(self.bucket, prefix=prefix)]

    def delete(self, *prefixes: str) -> None:
        for prefix in prefixes:
            for key in self.keys(prefix):
                self.bucket.delete_object(key)

    def studio(self, path: str, **change: Any) -> Any:
        """An endpoint of the service's books, or a change of its settings."""
        url = self.environ["DASHSCOPE_HTTP_BASE_URL"].rsplit("/api/v1", 1)[0] + path
        if change:
            return requests.post(url, json=change, timeout=10).json()
        return requests.get(url, timeout=10).json()

    def until(self, what: str, look: Callable[[], T]) -> T:
        """What a look shows, as soon as that is something."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"no {what}: {self.states()}\n{self.log()}")

    def log(self) -> str:
        logs = sorted((self.data / "logs").glob("wanx-*.log"))
        return "\n".join(f"{one.name}:\n{one.read_text()[-2500:]}" for one in logs)

    def check(self) -> None:
        """All jobs have succeeded, were paid once, and have images made for them."""
        wanted = dict.fromkeys(self.jobs, "SUCCEEDED")
        self.until("end of all jobs", lambda: self.states() == wanted)
        made = {task["task_id"]: task for task in self.studio("/_admin/tasks")["tasks"]}
        own = {}
        for job, prompt in self.jobs.items():
            self.until(f"result of {job}", partial(self.keys, layout.result(job)))
            manifest = self.read(layout.result(job))
            own[job] = self.last(job)["task_id"]
            assert made[own[job]]["body"]["input"]["prompt"] == prompt
            assert len(manifest["images"]) == 1
            for image in manifest["images"]:
                body = self.bucket.get_object(image["key"]).read()
                assert hashlib.sha256(body).hexdigest() == image["sha256"]
        assert sorted(own.values()) == sorted(made), "a task that nobody asked for was paid"


@contextmanager
def deployments(folder: Path, task_seconds: float) -> Iterator[Deployments]:
    """Bucket and service of a laptop cloud, with the example photographs; nothing runs yet."""
    port = _free_port()
    own = {"API_URL": f"http://127.0.0.1:{port}", "API_TOKEN": "t" * 32}
    hidden = ("OSS_", "API_", "DASHSCOPE_", "ALIBABA_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    environ = {**inherited, **TIMES, **own}
    with LaptopCloud(folder / "base", 0, task_seconds, environ=environ) as cloud:
        env = cloud.env
        auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
        bucket = oss2.Bucket(auth, env["OSS_ENDPOINT"], env["OSS_BUCKET"], region=env["OSS_REGION"])
        for path in (ROOT / "examples/inputs").glob("*.*g"):
            bucket.put_object_from_file(f"inputs/{path.name}", str(path))
        token = hashlib.sha256(own["API_TOKEN"].encode()).hexdigest()
        shown = {"OSS_PUBLIC_ENDPOINT": env["OSS_ENDPOINT"], "API_TOKEN_SHA256": token}
        made = Deployments(folder / "runtime", {**environ, **env, **shown}, bucket)
        try:
            yield made
        finally:
            made.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
