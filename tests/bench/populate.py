"""Buckets that hold many jobs, although only one job has run.

That job runs to its end in the simulated cloud, and everything that was written for it is kept as a
pattern; every other job is a copy of it under another id and another time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from local.oss import draft
from local.oss.records import Attributes, Record, identity
from local.oss.storage import Store
from shared.platform.clock import from_iso, iso
from shared.storage import layout
from tests.bench.results import ROOT
from tests.bench.world import MODEL, calm_world

EXAMPLES = ROOT / "examples"
BUCKET, REGION = "wanx-local", "cn-beijing"
"""Those of the laptop cloud."""
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 6 << 30
WEEK = 7 * 86400.0
REAL_MODEL = "wanx-x-painting"
JOB = "pattern-job"
Objects = Iterator[tuple[str, bytes]]


def example(name: str) -> dict[str, Any]:
    """The first job of an example file, for one image."""
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    made: dict[str, Any] = next(iter(yaml.safe_load_all(text)))
    made["parameters"] = {**made.get("parameters", {}), "n": 1}
    return made


def document(job: str, **options: Any) -> dict[str, Any]:
    """The example of inpainting. `options` go under `job`."""
    own = {"id": job, "expires_after": "168h", **options}
    return {**example("inpainting"), "model": REAL_MODEL, "job": own}


def inputs() -> Objects:
    """The images that the jobs refer to."""
    for name in ("cat.jpg", "cat-mask.png"):
        yield f"{layout.INPUTS}{name}", (EXAMPLES / "inputs" / name).read_bytes()


@dataclass(frozen=True)
class Pattern:
    """All objects of one job, and the times in them that are its own."""

    queued_ms: int
    expires_at: str
    objects: Mapping[str, bytes]


@lru_cache(maxsize=1)
def pattern() -> Pattern:
    """Run one job in the simulated cloud and keep whatever was written for it."""
    written = dict[str, bytes]()
    body = json.dumps({**document(JOB), "model": MODEL}).encode()

    def watch(key: str, _before: bytes | None, after: bytes | None) -> None:
        if after is not None and (JOB in key or key.startswith(layout.TASKS)):
            written[key] = after

    with calm_world(lambda _rng: 5.0, learn=False) as world:
        world.bucket.stock(dict(inputs()))
        world.bucket.watchers.append(watch)
        world.kernel.after(0.0, lambda: world.bucket.write(f"{layout.JOB_FILES}{JOB}.json", body))
        world.run_out()
    first = json.loads(written[layout.record(JOB, 1)])
    return Pattern(first["queued_ms"], first["expires_at"], written)


def _copied(wanted: tuple[str, ...], job: str, queued_ms: int, model: str) -> Objects:
    """The pattern's objects whose keys begin with `wanted`, for another job."""
    kept, expires = pattern(), queued_ms / 1000 + WEEK
    changes = {
        JOB: job,
        f"{kept.queued_ms:013d}": f"{queued_ms:013d}",
        kept.expires_at: iso(expires),
        f"{round(from_iso(kept.expires_at) * 1000):013d}": f"{round(expires * 1000):013d}",
        f"/{MODEL}/": f"/{model}/",
        f'"{MODEL}"': f'"{model}"',
    }

    def changed(text: bytes) -> bytes:
        for old, new in changes.items():
            text = text.replace(old.encode(), new.encode())
        return text

    yield layout.indexed(queued_ms, job), b""
    for key, body in kept.objects.items():
        if key.startswith(wanted):
            claim = key.startswith(layout.TASKS)
            yield layout.task(job) if claim else changed(key.encode()).decode(), changed(body)


def jobs(model: str, now_ms: int, *, queued: int = 0, finished: int = 0) -> Objects:
    """That many jobs, the finished ones older; `now_ms` is later than all of them.

    A finished job has its records, image and manifest, and the claim of its task. A queued one
    would expire after a week.
    """
    over = (layout.RECORDS, layout.RESULTS, layout.TASKS)
    for number in range(finished):
        yield from _copied(over, done_job(number), now_ms - 86_400_000 - 2000 * number, model)
    waits = (layout.record(JOB, 1), layout.QUEUE, layout.EXPIRY)
    for number in range(queued):
        yield from _copied(waits, waiting_job(number), now_ms - 3_600_000 + number, model)


def done_job(number: int) -> str:
    """The id of a finished job."""
    return f"done-{number:07d}"


def waiting_job(number: int) -> str:
    """The id of a queued job."""
    return f"wait-{number:07d}"


@contextmanager
def stocked(queued: int, finished: int) -> Iterator[Path]:
    """The data folder of a laptop cloud whose bucket holds so many jobs.

    The folder lies in memory if there is room, so that no disk is measured.
    """
    free = os.statvfs(MEMORY) if MEMORY.is_dir() else None
    place = MEMORY if free and free.f_bavail * free.f_frsize > MEMORY_BYTES else None
    with tempfile.TemporaryDirectory(prefix="bench-", dir=place) as folder:
        now_ms = int(time.time() * 1000)
        fill(Path(folder) / "oss", jobs(REAL_MODEL, now_ms, queued=queued, finished=finished))
        yield Path(folder)


def fill(root: Path, objects: Iterable[tuple[str, bytes]]) -> None:
    """Write objects into the folder of an OSS server that does not run.

    Files and records are those that the server makes; one transaction holds all records.
    """
    store = Store(root, REGION, notify=False)
    store.create_bucket(BUCKET)
    folder, made = store.layout.bucket(BUCKET), set[str]()
    with store.database.exclusive():
        for key, body in objects:
            path = os.path.join(folder, key)
            parent = os.path.dirname(path)
            if parent not in made:
                os.makedirs(parent, exist_ok=True)
                made.add(parent)
            store.database.save(_written(key, path, body))


def _written(key: str, path: str, body: bytes) -> Record:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(file, body)
    status = os.fstat(file)
    os.close(file)
    crc64 = draft.new_crc64()
    crc64.update(body)
    kind = "image/png" if key.endswith(".png") else "application/json"
    return Record(
        bucket=BUCKET,
        key=key,
        identity=identity(status),
        size=len(body),
        modified=status.st_mtime,
        etag=hashlib.md5(body, usedforsecurity=False).hexdigest().upper(),
        crc64=int(crc64.crcValue),
        attributes=Attributes(headers={"content-type": kind}),
    )
