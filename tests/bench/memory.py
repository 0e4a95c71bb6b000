"""How much memory an instance of each function takes at its peak.

The kernel's own figure, `VmHWM` of the instance's process: the largest resident set since it began.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import yaml

from tests.bench.coldstart import BUILD, GIVEN_UP
from tests.bench.laptop import INPUTS, Laptop, laptop, server
from tests.bench.padding import Padding, padded, padding_proxy
from tests.bench.price import size_of
from tests.bench.results import Line, Measure
from tests.kit.form_upload import form_fields

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
GOAL = 0.6
"""The most of its memory that a function may take."""
POLL_GOAL = 90.0
"""MB of `poll` with twelve images on their way at once."""
TASK_SECONDS, IMAGE_SECONDS = 3.0, 2.0
"""Of those loads: three tasks end within a second of each other, and each image takes longer."""
TWELVE = 12
PHOTOGRAPH = ["oss:///inputs/rocket.jpg"]


class Peak(NamedTuple):
    """MB, and the most images that were on their way at once."""

    mb: float
    most: int


@dataclass
class Site:
    """The laptop cloud with the packages, and the proxy that enlarges its results."""

    laptop: Laptop
    padding: Padding

    def peak(self, function: str) -> float:
        """MB of VmHWM of the function's largest instance. Raises ValueError if it has none."""
        state = requests.get(self._url("/_runtime/state"), timeout=10).json()
        pids = [one["pid"] for one in state["functions"][function]["instances"]]
        texts = [Path(f"/proc/{pid}/status").read_text("ascii") for pid in pids]
        return max(int(text.split("VmHWM:")[1].split()[0]) for text in texts) * 1024 / MB

    def start_anew(self) -> None:
        """End all instances; the poller at rest, because nobody wakes one while its lease lasts."""
        self.laptop.wait_for_rest()
        self.laptop.cloud.restart("runtime")

    def run(self, *documents: dict[str, Any]) -> None:
        """Drop job files and wait until their jobs have succeeded."""
        for document in documents:
            self.laptop.drop(document)
        for document in documents:
            self.laptop.wait_for_result(document["job"]["id"])

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Ask the endpoint. Raises RuntimeError if it refuses."""
        token = {"Authorization": f"Bearer {self.laptop.cloud.env['API_TOKEN']}"}
        headers = {**token, **(headers or {})}
        answer = requests.request(method, self._url(path), data=body, headers=headers, timeout=60)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    def _url(self, path: str) -> str:
        return self.laptop.cloud.env["API_URL"] + path


def measures(brief: bool = False) -> list[Measure]:
    """One line for each load and function; in brief only the first three loads."""
    peaks: dict[str, float] = {}
    at_once: dict[str, Peak] = {}
    with _site() as site:
        for name, (functions, load) in list(LOADS.items())[: 3 if brief else None]:
            site.start_anew()
            load(site)
            peaks |= {f"{each}: {name}": site.peak(each) for each in functions}
        for name, size in AT_ONCE.items():
            site.start_anew()
            _twelve(site, size)
            at_once[name] = Peak(site.peak("poll"), site.padding.most)
    return [images_at_once(at_once), compared(peaks)]


def images_at_once(peaks: Mapping[str, Peak]) -> Measure:
    """The measure of `poll` with many images on their way."""
    lines = [
        Line(name, round(peak.mb, 1), "MB", ours=True, note=f"{peak.most} on their way at once")
        for name, peak in peaks.items()
    ]
    result = ", ".join(f"{one.value:.3g} MB" for one in lines)
    reached = max(one.value for one in lines) <= POLL_GOAL
    return Measure("memory-images", f"≤ {POLL_GOAL:g} MB each", reached, lines, result)


def compared(peaks: Mapping[str, float]) -> Measure:
    """The measure of peaks in MB by `<function>: <load>`, the largest share of its memory first."""
    shares = {name: peak / _configured(name.partition(":")[0]) for name, peak in peaks.items()}
    lines = [
        Line(name, round(peaks[name], 1), "MB", ours=True, note=f"{share:.0%}")
        for name, share in sorted(shares.items(), key=lambda pair: -pair[1])
    ]
    goal = f"≤ {GOAL:.0%} of the memory of its function"
    result = f"{max(shares.values()):.0%} at most"
    return Measure("memory", goal, max(shares.values()) <= GOAL, lines, result)


def _configured(function: str) -> float:
    """MB of memorySize in s.yaml."""
    return size_of(function).memory * 1024**3 / MB


@contextmanager
def _site() -> Iterator[Site]:
    """Model Studio runs by itself, because the proxy stands between it and the functions."""
    key = {"DASHSCOPE_API_KEY": "sk-bench"}
    with (
        server("local.modelstudio", "--task-seconds", "0.2", env=key) as studio,
        padding_proxy(f"{studio}/api/v1", IMAGE) as padding,
    ):
        through = {"DASHSCOPE_HTTP_BASE_URL": padding.url, **key}
        with laptop(environ=through, packages=BUILD) as running:
            yield Site(running, padding)


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
    png = (INPUTS / "cat-mask.png").read_bytes()
    room = LARGEST_FILE - 1000
    sizes = (LARGEST_INLINE, room * 3 // 4 - LARGEST_INLINE)
    bodies = [base64.b64encode(padded(png, size)).decode() for size in sizes]
    return [f"data:image/png;base64,{body}" for body in bodies]


def _yaml_file(site: Site) -> None:
    body = yaml.safe_dump(job("yaml", inline_images()), width=LARGEST_FILE)
    site.laptop.bucket.put_object("jobs/yaml.yaml", body)
    site.laptop.wait_for_result("yaml")


def _largest_image(site: Site) -> None:
    site.padding.size = LARGEST_RESULT
    site.run(job("large", PHOTOGRAPH, n=2))
    site.padding.size = IMAGE


def _twelve(site: Site, size: int) -> None:
    """Three jobs of four images whose tasks end at about the same time."""
    padding = site.padding
    padding.size, padding.seconds, padding.most = size, IMAGE_SECONDS, 0
    site.laptop.settings(task_seconds=TASK_SECONDS)
    site.run(*(job(f"twelve-{size}-{one}", PHOTOGRAPH, n=4) for one in range(3)))
    padding.size, padding.seconds = IMAGE, 0.0
    site.laptop.settings(task_seconds=0.2)


def _posted(site: Site) -> None:
    site.call("POST", "/jobs", json.dumps(job("posted", inline_images())).encode(), JSON)
    site.laptop.wait_for_result("posted")


def _posted_at_once(site: Site) -> None:
    """Bodies beyond the memory of an instance, which takes all of the requests."""
    bodies = [json.dumps(job(f"posted-{one}", inline_images())).encode() for one in range(TWELVE)]
    with ThreadPoolExecutor(TWELVE) as pool:
        list(pool.map(lambda body: site.call("POST", "/jobs", body, JSON), bodies))


def _dashscope(site: Site) -> None:
    document = job("", inline_images())
    del document["job"]
    path = "/api/v1/services/aigc/image2image/image-synthesis"
    body = json.dumps(document).encode()
    answer = site.call("POST", path, body, JSON | {"X-DashScope-Async": "enable"})
    site.laptop.wait_for_result(answer.json()["output"]["task_id"])


def _upload(site: Site) -> None:
    asked = site.call("GET", f"/api/v1/uploads?action=getPolicy&model={MODEL}").json()["data"]
    fields = form_fields(asked, "large.png")
    files = {"file": padded((INPUTS / "cat-mask.png").read_bytes(), IMAGE)}
    form = requests.Request("POST", "http://bench", data=fields, files=files).prepare()
    assert isinstance(form.body, bytes)
    kind = {"Content-Type": form.headers["Content-Type"]}
    site.call("POST", urlsplit(asked["upload_host"]).path, form.body, kind)


def _listing(site: Site) -> None:
    wrong = [json.dumps({"model": MODEL, "input": {}, "job": {"id": f"wrong-{n}"}}) for n in LISTED]
    site.laptop.bucket.put_object("jobs/wrong.jsonl", "\n".join(wrong))
    site.laptop.wait_for_result(f"wrong-{LISTED[-1]}", "REJECTED")
    assert len(site.call("GET", "/jobs?limit=100").json()["jobs"]) == 100


def _given_up(site: Site) -> None:
    event = {**GIVEN_UP, "requestPayload": "x" * EVENT_BYTES}
    url = f"{site.laptop.cloud.env['API_URL']}/2023-03-30/functions/rescue/invocations"
    requests.post(url, json=event, timeout=60).raise_for_status()


LOADS: dict[str, tuple[tuple[str, ...], Callable[[Site], None]]] = {
    "a small job, an image of 10 MB": (
        ("submit", "poll"),
        lambda site: site.run(job("small", PHOTOGRAPH)),
    ),
    "a JSON job file of 16 MiB": (
        ("submit",),
        lambda site: site.run(job("inline", inline_images())),
    ),
    "a YAML job file of 16 MiB": (("submit",), _yaml_file),
    "2 images of 60 MB": (("poll",), _largest_image),
    "POST /jobs of 16 MiB": (("api",), _posted),
    "12 POST /jobs of 16 MiB at once": (("api",), _posted_at_once),
    "a DashScope request of 16 MiB": (("api", "poll"), _dashscope),
    "an upload of 10 MB": (("api",), _upload),
    "a list of 100 jobs": (("api",), _listing),
    "an event that was given up": (("rescue",), _given_up),
}
"""Something to do, and the functions whose peak it makes."""
AT_ONCE = {"12 images of 10 MB at once": 10 * MB, "12 images of 25 MB at once": 25 * MB}
