"""The laptop cloud for the tests of least privilege: as owner, users and roles see it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import oss2
import requests
import yaml

from local.up import LaptopCloud
from shared.app import App, for_invocation
from shared.ledger.lease import KEPT
from shared.storage import layout

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0
SKETCH, EDIT = "wanx-sketch-to-image-lite", "wan2.5-i2i-preview"


def until(found: Callable[[], Any], what: str) -> Any:
    """What `found` returns, as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while not (seen := found()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
    return seen


def sketch(job: str, **more: Any) -> dict[str, Any]:
    """A job of the model that has one task at a time and lets one more wait."""
    return {
        "model": SKETCH,
        "input": {"prompt": "a tree", "sketch_image_url": "oss:///inputs/house-sketch.png"},
        "parameters": {"n": 1},
        "job": {"id": job, **more},
    }


@dataclass
class World:
    """The laptop cloud as its owner, its users and its roles see it."""

    cloud: LaptopCloud
    kms_calls: list[dict[str, str]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        return self.cloud.env

    @property
    def bucket(self) -> Any:
        """The bucket under the account's own keys."""
        env = self.env
        auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
        return oss2.Bucket(auth, env["OSS_ENDPOINT"], env["OSS_BUCKET"], region=env["OSS_REGION"])

    def drop(self, name: str, *jobs: dict[str, Any]) -> None:
        self.bucket.put_object(f"jobs/{name}", yaml.safe_dump_all(jobs))

    def manifest(self, job: str, state: str) -> dict[str, Any]:
        """Wait for a job's manifest, which has to tell this state."""
        key = layout.result(job)
        until(lambda: self.bucket.object_exists(key), key)
        found: dict[str, Any] = json.loads(self.bucket.get_object(key).read())
        assert found["state"] == state, found
        return found

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """The HTTP endpoint, under the administrator's token."""
        headers = {"Authorization": f"Bearer {self.env['API_TOKEN']}", **more.pop("headers", {})}
        url = path if path.startswith("http") else self.env["API_URL"] + path
        return requests.request(method, url, headers=headers, timeout=30, **more)

    def post(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        answer = self.ask("POST", path, json=body, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        told: dict[str, Any] = answer.json()
        return told

    def state(self, job: str) -> str:
        return str(self.ask("GET", f"/jobs/{job}").json().get("state"))

    @contextmanager
    def studio(self, **settings: Any) -> Iterator[None]:
        """Model Studio with other settings until the block ends; one is taken back by null."""
        url = self.env["DASHSCOPE_HTTP_BASE_URL"].rsplit("/api/v1", 1)[0] + "/_admin/settings"
        requests.post(url, json=settings, timeout=10).raise_for_status()
        try:
            yield
        finally:
            usual: dict[str, Any] = {"faults": [], "task_seconds": 0.3}
            requests.post(url, json={n: usual[n] for n in settings}, timeout=10).raise_for_status()

    def environ(self, role: str) -> dict[str, str]:
        """What a function of this role finds in its environment."""
        rows = json.loads((self.cloud.data / "identities.json").read_text("utf-8"))
        (row,) = (row for row in rows if row["name"] == role)
        names = ("OSS_ENDPOINT", "OSS_BUCKET", "OSS_REGION")
        shared = {name: self.env[name] for name in names}
        studio = {n: self.env[n] for n in ("DASHSCOPE_HTTP_BASE_URL", "DASHSCOPE_API_KEY")}
        return {
            **shared,
            **studio,
            "OSS_PUBLIC_ENDPOINT": self.env["OSS_ENDPOINT"],
            "ALIBABA_CLOUD_ACCESS_KEY_ID": row["key_id"],
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": row["secret"],
            "ALIBABA_CLOUD_SECURITY_TOKEN": row["token"],
        }

    def acting(self, role: str, **environ: str) -> App:
        """The function's own code under its role, called from here."""
        return for_invocation(self.environ(role) | environ)

    def report(self) -> dict[str, list[dict[str, str]]]:
        """Denials and calls of all roles, at OSS, Function Compute and KMS."""
        env = self.env
        root = (env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
        oss = requests.get(f"{env['OSS_ENDPOINT']}/_admin/access", auth=root, timeout=10).json()
        fc = requests.get(f"{env['API_URL']}/_runtime/access", timeout=10).json()
        return {
            "denials": [*oss["denials"], *fc["denials"]],
            "calls": [*oss["calls"], *fc["calls"], *self.kms_calls],
        }


@contextmanager
def world(data: Path) -> Iterator[World]:
    """A laptop cloud with the example photographs in it. Its timer does not fire while the traffic
    lasts: at rest, whoever takes a job in finds the lease free and submits it, under any load."""
    with LaptopCloud(data, 0, 0.3, timer_minute=3600.0) as cloud:
        made = World(cloud)
        for path in sorted((ROOT / "examples/inputs").glob("*.*g")):
            made.bucket.put_object_from_file(f"inputs/{path.name}", str(path))
        # An epoch late enough that whoever takes the lease removes an old one.
        made.bucket.put_object(layout.lease(KEPT + 1), b'{"released": true, "permits": {}}')
        yield made


def newest_epoch(world: World) -> str:
    """The key of the newest epoch, which comes first."""
    key: str = next(iter(oss2.ObjectIterator(world.bucket, prefix=layout.LEASE, max_keys=1))).key
    return key


def _lease_is_free(world: World) -> bool:
    return b'"released"' in world.bucket.get_object(newest_epoch(world)).read()


def rested(world: World) -> None:
    """Wait until nothing is left, so that the next job meets an empty queue."""
    url = f"{world.env['API_URL']}/_runtime/state"
    places = (layout.QUEUE, layout.SLOTS)
    until(
        lambda: (
            not any(
                list(oss2.ObjectIterator(world.bucket, prefix=place, max_keys=1))
                for place in places
            )
            and _lease_is_free(world)
            and not any(
                one["busy"]
                for one in requests.get(url, timeout=10).json()["functions"]["poll"]["instances"]
            )
        ),
        "the system to rest",
    )
