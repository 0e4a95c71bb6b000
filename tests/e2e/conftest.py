"""The laptop cloud, whole, for all end-to-end tests: real processes, real HTTP."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oss2
import pytest
import requests
import yaml
from jsonschema import Draft202012Validator

from local.up import LaptopCloud
from shared.storage import layout
from tests.simulation.record_schema import wrong_record

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
HIDDEN = ("OSS_", "API_", "DASHSCOPE_", "ALIBABA_")
"""Beginnings of the settings that a test's own processes must not inherit."""
THROTTLED = {
    "at": "create",
    "code": "Throttling",
    "message": "Requests throttling triggered.",
    "status": 429,
}
"""The fault under which every job waits."""


@dataclass
class Cloud:
    """What a user has: the bucket's folder, a bucket client, the HTTP endpoint."""

    env: dict[str, str]
    folder: Path
    bucket: Any

    @property
    def data(self) -> Path:
        """The folder of `make up`: what a checkout has as `.local`."""
        return self.folder.parents[1]

    def manifest(self, stem: str) -> dict[str, Any]:
        """Wait for the manifest of the job whose id starts with `stem`."""
        return self.manifests(stem, 1)[0]

    def manifests(self, stem: str, count: int) -> list[dict[str, Any]]:
        """Wait until `count` manifests of jobs whose ids start with `stem` lie in the bucket."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            keys = [f.key for f in oss2.ObjectIterator(self.bucket, prefix=f"results/{stem}")]
            found = sorted(key for key in keys if key.endswith("/result.json"))
            if len(found) >= count:
                return [self._valid(key) for key in found]
            time.sleep(0.05)
        raise AssertionError(f"{count} results of {stem} expected, found {found}")

    def drop(self, name: str, body: str | bytes) -> None:
        """Upload a job file with oss2."""
        self.bucket.put_object(f"jobs/{name}", body)

    def get(self, path: str, token: str | None = None) -> requests.Response:
        return requests.get(self.env["API_URL"] + path, headers=self._auth(token), timeout=30)

    def post(self, path: str, body: bytes, media_type: str) -> requests.Response:
        headers = self._auth(None) | {"Content-Type": media_type}
        return requests.post(self.env["API_URL"] + path, body, headers=headers, timeout=30)

    def service(self) -> dict[str, Any]:
        """What the Model Studio server counted."""
        base = self.env["DASHSCOPE_HTTP_BASE_URL"].rsplit("/api/v1", 1)[0]
        stats: dict[str, Any] = requests.get(f"{base}/_admin/stats", timeout=10).json()
        return stats

    def creates(self) -> int:
        """How many create calls the service has received, for all models together."""
        return sum(int(model["creates_received"]) for model in self.service()["models"].values())

    def denials(self) -> list[dict[str, str]]:
        """What the functions' roles were denied, at OSS and at Function Compute."""
        root = (self.env["OSS_ACCESS_KEY_ID"], self.env["OSS_ACCESS_KEY_SECRET"])
        oss = requests.get(f"{self.env['OSS_ENDPOINT']}/_admin/access", auth=root, timeout=10)
        fc = requests.get(f"{self.env['API_URL']}/_runtime/access", timeout=10)
        return [*oss.json()["denials"], *fc.json()["denials"]]

    def _auth(self, token: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.env['API_TOKEN']}"}

    def _valid(self, key: str) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self.bucket.get_object(key).read())
        schema = yaml.safe_load((ROOT / "schemas/result.schema.yaml").read_text("utf-8"))
        problems = [error.message for error in Draft202012Validator(schema).iter_errors(manifest)]
        assert not problems, problems
        return manifest


def bucket_of(env: Mapping[str, str]) -> Any:
    """The bucket of a laptop cloud, as a user of oss2 has it."""
    auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
    return oss2.Bucket(auth, env["OSS_ENDPOINT"], env["OSS_BUCKET"], region=env["OSS_REGION"])


@contextmanager
def faults(cloud: Cloud, *rows: dict[str, Any]) -> Iterator[None]:
    """The Model Studio server misbehaves as the rows say, until the block ends."""
    set_faults(cloud, list(rows))
    try:
        yield
    finally:
        set_faults(cloud, [])


def set_faults(cloud: Cloud, rows: list[dict[str, Any]]) -> None:
    base = cloud.env["DASHSCOPE_HTTP_BASE_URL"].rsplit("/api/v1", 1)[0]
    requests.post(f"{base}/_admin/settings", json={"faults": rows}, timeout=10).raise_for_status()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with laptop(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@contextmanager
def laptop(data: Path, **settings: str) -> Iterator[Cloud]:
    """A laptop cloud with the example photographs, whose functions have these settings. At its end
    nothing was denied, and every record is in order."""
    environ = {**os.environ, **settings}
    with LaptopCloud(data=data, ports=0, task_seconds=0.4, environ=environ) as running:
        env, bucket = running.env, bucket_of(running.env)
        for path in sorted((ROOT / "examples/inputs").iterdir()):
            bucket.put_object_from_file(f"inputs/{path.name}", str(path))
        assert running.bucket_folder is not None
        made = Cloud(env, running.bucket_folder, bucket)
        yield made
        assert made.denials() == [], "a function asked for what its role does not allow"
        records = list((running.bucket_folder / layout.RECORDS).rglob("*.json"))
        assert records or not (running.bucket_folder / layout.RESULTS).exists()
        for path in records:
            key = path.relative_to(running.bucket_folder).as_posix()
            assert wrong_record(key, path.read_bytes()) == []
