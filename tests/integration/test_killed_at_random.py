"""Fifty jobs through real processes that are killed, restarted and cut off at random."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import oss2
import pytest
import requests
import yaml

from local.up import LaptopCloud
from tests.kit.catalogue import limits_of

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("KILLS", "40"))
JOBS = max(15, KILLS // 4)
PATIENCE = 420.0
MOST_UNCLEAR = max(2, JOBS // 8)
"""Submissions within the same seconds that lost their answers cannot always be told apart, and a
model's overlap: such a job is put before a person, and its task is named, not paid again."""
RESCUE_RETRIES = 8
"""After more kills of `rescue` the platform forgets an event (s.yaml, asyncInvokeConfig)."""
MODELS = ("wanx-x-painting", "wanx-sketch-to-image-lite", "wan2.5-i2i-preview")
BODIES: dict[str, dict[str, Any]] = {
    MODELS[0]: {
        "prompt": "a cat wearing red glasses",
        "base_image_url": "oss:///inputs/cat.jpg",
        "mask_image_url": "oss:///inputs/cat-mask.png",
    },
    MODELS[1]: {"prompt": "a tree", "sketch_image_url": "oss:///inputs/house-sketch.png"},
    MODELS[2]: {"prompt": "make it night", "images": ["oss:///inputs/coffee.jpg"]},
}
ENVIRON = {"CREATE_TIMEOUT": "2", "UNKNOWN_GRACE": "6", "LEASE_SECONDS": "4"}


class Killer(threading.Thread):
    """Sends SIGKILL to a random function instance, again and again."""

    def __init__(self, api: str, rng: random.Random) -> None:
        super().__init__(daemon=True)
        self._api, self._rng = api, rng
        self.killed: Counter[str] = Counter()
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(self._rng.uniform(0.1, 0.5)) and self.killed.total() < KILLS:
            victims = [
                (name, instance["pid"])
                for name, function in self._functions().items()
                for instance in function["instances"]
                if instance["busy"] or self._rng.random() < 0.2
                if name != "rescue" or self.killed[name] < RESCUE_RETRIES
            ]
            if victims:
                name, pid = self._rng.choice(victims)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.killed[name] += 1

    def _functions(self) -> dict[str, Any]:
        try:
            state = requests.get(f"{self._api}/_runtime/state", timeout=10).json()
        except requests.RequestException:
            return {}
        functions: dict[str, Any] = state["functions"]
        return functions


class World:
    """The laptop cloud as this test drives it."""

    def __init__(self, cloud: LaptopCloud) -> None:
        self.cloud, self.env = cloud, cloud.env
        auth = oss2.AuthV4(self.env["OSS_ACCESS_KEY_ID"], self.env["OSS_ACCESS_KEY_SECRET"])
        self.bucket = oss2.Bucket(
            auth, self.env["OSS_ENDPOINT"], self.env["OSS_BUCKET"], region=self.env["OSS_REGION"]
        )

    def prepare(self) -> None:
        for path in (ROOT / "examples/inputs").glob("*.*g"):
            self.bucket.put_object_from_file(f"inputs/{path.name}", str(path))
        base = self.env["DASHSCOPE_HTTP_BASE_URL"].rsplit("/api/v1", 1)[0]
        cut = [
            {"at": place, "action": action, "share": 0.05}
            for place, action in (("create", "cut_before"), ("create", "cut_after"))
        ] + [{"at": "query", "action": "cut_before", "share": 0.05}]
        requests.post(f"{base}/_admin/settings", json={"faults": cut}, timeout=10)

    def drop(self) -> list[str]:
        jobs = []
        for number in range(JOBS):
            model = MODELS[number % len(MODELS)]
            job = f"kill-{number:02d}"
            body = {
                "model": model,
                "input": BODIES[model],
                "parameters": {"n": 1},
                "job": {"id": job},
            }
            self.bucket.put_object(f"jobs/{job}.yaml", yaml.safe_dump(body))
            jobs.append(job)
        return jobs

    def finished(self) -> dict[str, dict[str, Any]]:
        """Manifests by job; empty while the OSS server is restarting."""
        found = {}
        try:
            for item in oss2.ObjectIterator(self.bucket, prefix="results/kill-"):
                if item.key.endswith("/result.json"):
                    manifest = json.loads(self.bucket.get_object(item.key).read())
                    found[manifest["job"]] = manifest
        except oss2.exceptions.OssError:
            return {}
        return found

    def redrive(self) -> str:
        """The one command that puts back what Function Compute gave up on."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", "redrive"],
            cwd=ROOT,
            env={**os.environ, **self.env, "ALIBABA_CLOUD_ACCESS_KEY_ID": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def stats(self) -> dict[str, Any]:
        base = self.env["DASHSCOPE_HTTP_BASE_URL"].rsplit("/api/v1", 1)[0]
        models: dict[str, Any] = requests.get(f"{base}/_admin/stats", timeout=10).json()["models"]
        return models

    def records(self) -> dict[str, list[dict[str, Any]]]:
        chains: dict[str, list[dict[str, Any]]] = {}
        for item in oss2.ObjectIterator(self.bucket, prefix="state/records/"):
            record = json.loads(self.bucket.get_object(item.key).read())
            chains.setdefault(record["job"], []).append(record)
        return chains


@pytest.mark.timeout(600)
def test_jobs_survive_kills(tmp_path: Path) -> None:
    environ = {**os.environ, **ENVIRON}
    with LaptopCloud(tmp_path, 0, 0.3, environ=environ, timer_minute=5.0) as cloud:
        world = World(cloud)
        world.prepare()
        killer = Killer(cloud.env["API_URL"], random.Random(4))
        killer.start()
        jobs = world.drop()
        restart_at = [len(jobs) // 3, 2 * len(jobs) // 3]
        end = time.monotonic() + PATIENCE
        manifests: dict[str, dict[str, Any]] = {}
        while len(manifests) < JOBS or killer.killed.total() < KILLS:
            assert time.monotonic() < end, _account(world, jobs, manifests, killer)
            manifests = world.finished() or manifests
            if restart_at and len(manifests) >= restart_at[0]:
                restart_at.pop(0)
                cloud.restart("oss")
            if killer.killed.total() >= KILLS:
                world.redrive()
            time.sleep(0.5)
        killer.stop.set()
        _check(world, jobs, manifests)
        print(_account(world, jobs, manifests, killer))


def _check(world: World, jobs: list[str], manifests: dict[str, dict[str, Any]]) -> None:
    assert sorted(manifests) == jobs
    unclear = [m for m in manifests.values() if m["state"] == "NEEDS_ATTENTION"]
    assert {m["state"] for m in manifests.values()} - {"NEEDS_ATTENTION"} == {"SUCCEEDED"}
    assert len(unclear) <= MOST_UNCLEAR, unclear
    for manifest in manifests.values():
        for image in manifest["images"]:
            body = world.bucket.get_object(image["key"]).read()
            assert hashlib.sha256(body).hexdigest() == image["sha256"]
    chains = world.records()
    for chain in chains.values():
        assert [record["seq"] for record in chain] == list(range(1, len(chain) + 1))
    tasks = {
        record["task_id"] for chain in chains.values() for record in chain if "task_id" in record
    }
    stats = world.stats()
    made = sum(model["tasks_made"] for model in stats.values())
    assert len(tasks) <= made <= len(tasks) + len(unclear)
    stored = sum(len(manifest["images"]) for manifest in manifests.values())
    paid = sum(model["images"] for model in stats.values())
    assert stored == JOBS - len(unclear)
    assert stored <= paid <= JOBS, "an image was paid twice, or paid and lost without a word"
    for name, seen in stats.items():
        limits = limits_of(name)
        assert seen["max_submissions_in_a_second"] <= limits.submissions
        assert seen["max_in_flight"] <= limits.lanes + limits.queue_ahead


def _account(
    world: World, jobs: list[str], manifests: dict[str, dict[str, Any]], killer: Killer
) -> str:
    missing = sorted(set(jobs) - set(manifests))
    chains = world.records()
    tails = {job: [record["state"] for record in chains.get(job, [])][-4:] for job in missing}
    states = Counter(manifest["state"] for manifest in manifests.values())
    return (
        f"{len(manifests)} of {JOBS} jobs done {dict(states)}; killed {dict(killer.killed)};"
        f" missing {tails}; service {json.dumps(world.stats())}"
    )
