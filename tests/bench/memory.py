"""How much memory an instance of each function takes at its peak."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml

from local.up import LaptopCloud
from tests.bench.coldstart import GIVEN_UP
from tests.bench.padding import Padding, padded, padding_proxy
from tests.bench.results import REAL, Line, Measure
from tests.bench.starting import ROOT, bucket_of

BUILD = ROOT / "build"
MODEL = "wan2.5-i2i-preview"
MB = 1_000_000
IMAGE = 10 * MB
LARGEST_RESULT = 60 * MB
"""The functions fetch up to 64 MiB."""
EVENT_BYTES = 128 * 1024
"""Of an asynchronous event, at most ("limits" page)."""
LISTED = range(1, 121)
JSON = {"Content-Type": "application/json"}
LARGEST_FILE = 16 * 1024 * 1024
LARGEST_INLINE = 7_800_000
"""Bytes of an image whose base64 is still under the 10 MiB that the service takes."""
CONFIGURED = 512 * 1024 * 1024
"""Bytes: memorySize of every function (s.yaml)."""
GOAL = 0.6
PATIENCE = 120.0
FOREIGN = ("OSS_ENDPOINT", "DASHSCOPE_HTTP_BASE_URL", "API_URL")

TEXT = """The largest resident set (`VmHWM`) of any instance of a function; for each load the
laptop's runtime starts new instances from the packages. MB are 10⁶ bytes; configured are 512 MiB,
which is 537 MB. Result images are the laptop's pictures padded to 10 MB by a proxy in front of
Model Studio. A job file of 16 MiB is the largest that is taken in; it holds two inline images. In
the cloud the runtime's own server needs some memory too."""


@dataclass
class Laptop:
    """The laptop cloud with the packages, and how to use it."""

    cloud: LaptopCloud
    bucket: Any
    padding: Padding

    def fresh(self) -> None:
        """End all instances."""
        self.cloud.restart("runtime")

    def peak(self, function: str) -> float:
        """MB of the function's largest instance so far. Raises LookupError if it has none."""
        state = requests.get(self.cloud.env["API_URL"] + "/_runtime/state", timeout=10).json()
        pids = [one["pid"] for one in state["functions"][function]["instances"]]
        if not pids:
            raise LookupError(f"{function} has no instance: it was not called, or it died")
        return max(peak_of(Path(f"/proc/{pid}/status").read_text("ascii")) for pid in pids) / MB

    def drop(self, name: str, document: dict[str, Any]) -> None:
        self.bucket.put_object(f"jobs/{name}.json", json.dumps(document))

    def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> requests.Response:
        token = {"Authorization": f"Bearer {self.cloud.env['API_TOKEN']}"}
        url = self.cloud.env["API_URL"] + path
        answer = requests.request(
            method, url, data=body, headers=token | (headers or {}), timeout=60
        )
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    def await_results(self, *jobs: str, state: str = "SUCCEEDED") -> None:
        """Until these jobs have ended. Raises RuntimeError if one is late or ends otherwise."""
        end = time.monotonic() + PATIENCE
        for job in jobs:
            while not (found := self._state(job)).startswith(state):
                if found or time.monotonic() > end:
                    raise RuntimeError(f"job {job}: {found or 'not done'}")
                time.sleep(0.1)

    def _state(self, job: str) -> str:
        key = f"results/{job}/result.json"
        if not self.bucket.object_exists(key):
            return ""
        result = json.loads(self.bucket.get_object(key).read())
        state, why = str(result["state"]), result.get("error")
        return f"{state}: {why['message']}" if why else state


def peak_of(status: str) -> int:
    """Bytes of VmHWM in the text of /proc/PID/status."""
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def measures(brief: bool = False) -> list[Measure]:
    """One line for each load and function; in brief only the first three loads."""
    with _laptop() as laptop:
        lines = [line for load in LOADS[: 3 if brief else None] for line in _peaks(laptop, load)]
    reached = all(line.value <= GOAL * CONFIGURED / MB for line in lines)
    goal = f"≤ {GOAL:.0%} of the memory configured ({GOAL * CONFIGURED / MB:.0f} MB)"
    lines.sort(key=lambda line: -line.value)
    return [Measure("memory", "Memory at its peak", REAL, goal, reached, tuple(lines), TEXT)]


def _peaks(laptop: Laptop, load: Load) -> list[Line]:
    laptop.fresh()
    load.run(laptop)
    return [_line(function, load.name, laptop.peak(function)) for function in load.functions]


def _line(function: str, what: str, peak: float) -> Line:
    share = f"{peak * MB / CONFIGURED:.0%} of what is configured"
    return Line(f"{function}: {what}", round(peak, 1), "MB", ours=True, note=share)


@contextmanager
def _laptop() -> Iterator[Laptop]:
    environ = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    elsewhere = {"OSS_ENDPOINT": "http://127.0.0.1:9", "OSS_ACCESS_KEY_ID": "x"}
    elsewhere |= {"OSS_ACCESS_KEY_SECRET": "x", "API_URL": "http://127.0.0.1:9", "API_TOKEN": "x"}
    with (
        tempfile.TemporaryDirectory() as folder,
        LaptopCloud(
            Path(folder) / "service", ports=0, task_seconds=0.2, environ=environ | elsewhere
        ) as service,
        padding_proxy(service.env["DASHSCOPE_HTTP_BASE_URL"], IMAGE) as padding,
    ):
        key = service.env["DASHSCOPE_API_KEY"]
        through = {"DASHSCOPE_HTTP_BASE_URL": padding.url, "DASHSCOPE_API_KEY": key}
        cloud = LaptopCloud(
            Path(folder) / "cloud", ports=0, environ=environ | through, packages=BUILD
        )
        with cloud:
            bucket = bucket_of(cloud.env)
            photograph = ROOT / "examples/inputs/rocket.jpg"
            bucket.put_object_from_file("inputs/rocket.jpg", str(photograph))
            yield Laptop(cloud, bucket, padding)


def job(name: str, images: list[str], n: int = 1) -> dict[str, Any]:
    """A job file's content."""
    return {
        "model": MODEL,
        "input": {"prompt": "warm light", "images": images},
        "parameters": {"n": n},
        "job": {"id": name},
    }


def inline_images() -> list[str]:
    """Two images that fill a job file."""
    png = (ROOT / "examples/inputs/cat-mask.png").read_bytes()
    room = LARGEST_FILE - 1000
    sizes = (LARGEST_INLINE, room * 3 // 4 - LARGEST_INLINE)
    bodies = [base64.b64encode(padded(png, size)).decode() for size in sizes]
    return [f"data:image/png;base64,{body}" for body in bodies]


def _one_job(laptop: Laptop) -> None:
    laptop.drop("small", job("small", ["oss:///inputs/rocket.jpg"]))
    laptop.await_results("small")


def _images(laptop: Laptop) -> None:
    names = ["many-1", "many-2", "many-3"]
    for name in names:
        laptop.drop(name, job(name, ["oss:///inputs/rocket.jpg"], n=4))
    laptop.await_results(*names)


def _json_file(laptop: Laptop) -> None:
    laptop.drop("inline", job("inline", inline_images()))
    laptop.await_results("inline")


def _yaml_file(laptop: Laptop) -> None:
    body = yaml.safe_dump(job("yaml", inline_images()), width=LARGEST_FILE)
    laptop.bucket.put_object("jobs/yaml.yaml", body)
    laptop.await_results("yaml")


def _largest_image(laptop: Laptop) -> None:
    laptop.padding.size = LARGEST_RESULT
    laptop.drop("large", job("large", ["oss:///inputs/rocket.jpg"], n=2))
    laptop.await_results("large")
    laptop.padding.size = IMAGE


def _posted(laptop: Laptop) -> None:
    laptop.call("POST", "/jobs", json.dumps(job("posted", inline_images())).encode(), JSON)
    laptop.await_results("posted")


def _wire(laptop: Laptop) -> None:
    document = job("", inline_images())
    del document["job"]
    path = "/api/v1/services/aigc/image2image/image-synthesis"
    body = json.dumps(document).encode()
    answer = laptop.call("POST", path, body, JSON | {"X-DashScope-Async": "enable"})
    laptop.await_results(answer.json()["output"]["task_id"])


def _upload(laptop: Laptop) -> None:
    asked = laptop.call("GET", f"/api/v1/uploads?action=getPolicy&model={MODEL}").json()["data"]
    fields = {
        "OSSAccessKeyId": asked["oss_access_key_id"],
        "policy": asked["policy"],
        "Signature": asked["signature"],
        "key": asked["upload_dir"] + "/large.png",
        "success_action_status": "200",
    }
    png = (ROOT / "examples/inputs/cat-mask.png").read_bytes()
    files = {"file": padded(png, IMAGE)}
    form = requests.Request("POST", "http://bench", data=fields, files=files).prepare()
    assert isinstance(form.body, bytes)
    kind = {"Content-Type": form.headers["Content-Type"]}
    laptop.call("POST", urlsplit(asked["upload_host"]).path, form.body, kind)


def _listing(laptop: Laptop) -> None:
    wrong = [json.dumps({"model": MODEL, "input": {}, "job": {"id": f"wrong-{n}"}}) for n in LISTED]
    laptop.bucket.put_object("jobs/wrong.jsonl", "\n".join(wrong))
    laptop.await_results(f"wrong-{LISTED[-1]}", state="REJECTED")
    assert len(laptop.call("GET", "/jobs?limit=100").json()["jobs"]) == 100


def _given_up(laptop: Laptop) -> None:
    event = {**GIVEN_UP, "requestPayload": "x" * EVENT_BYTES}
    path = "/2023-03-30/functions/rescue/invocations"
    laptop.call("POST", path, json.dumps(event).encode())


@dataclass(frozen=True)
class Load:
    """Something to do, and the functions whose peak it makes."""

    name: str
    functions: tuple[str, ...]
    run: Callable[[Laptop], None]


LOADS = (
    Load("a small job, an image of 10 MB", ("submit", "poll"), _one_job),
    Load("12 images of 10 MB", ("poll",), _images),
    Load("a JSON job file of 16 MiB", ("submit",), _json_file),
    Load("a YAML job file of 16 MiB", ("submit",), _yaml_file),
    Load("2 images of 60 MB", ("poll",), _largest_image),
    Load("POST /jobs of 16 MiB", ("api",), _posted),
    Load("a DashScope request of 16 MiB", ("api", "poll"), _wire),
    Load("an upload of 10 MB", ("api",), _upload),
    Load("a list of 100 jobs", ("api",), _listing),
    Load("an event that was given up", ("rescue",), _given_up),
)
