"""Buckets that hold many jobs, without running each of them.

One job is run to its end in the simulated cloud, and everything that was ever written for it is
kept as a pattern; every other job is a copy of it under another id and another time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
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
from tests.bench.world import MODEL, CalmWorld, quick

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
INPUTS = ("cat.jpg", "cat-mask.png")
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 6 << 30
WEEK = 7 * 86400.0
REGION = "cn-beijing"
BUCKET = "depths"
REAL_MODEL = "wanx-x-painting"
Objects = Iterator[tuple[str, bytes]]


@dataclass(frozen=True)
class Pattern:
    """All objects of one job, and the texts in them that are its own."""

    job: str
    queued_ms: int
    expires_at: str
    objects: Mapping[str, bytes]

    def queued(self, job: str, queued_ms: int, model: str) -> Objects:
        """A job that waits and would expire after a week."""
        wanted = (layout.record(self.job, 1), layout.QUEUE, layout.EXPIRY)
        return self._copied(wanted, job, queued_ms, model)

    def finished(self, job: str, queued_ms: int, model: str) -> Objects:
        """A job that is over: its chain, image, manifest, and its ticket in the log."""
        wanted = (layout.RECORDS, layout.RESULTS, layout.TICKETS)
        return self._copied(wanted, job, queued_ms, model)

    def _copied(self, wanted: tuple[str, ...], job: str, queued_ms: int, model: str) -> Objects:
        expires = queued_ms / 1000 + WEEK
        changes = {
            self.job: job,
            f"{self.queued_ms:013d}": f"{queued_ms:013d}",
            self.expires_at: iso(expires),
            f"{round(from_iso(self.expires_at) * 1000):013d}": f"{round(expires * 1000):013d}",
            f"/{MODEL}/": f"/{model}/",
            f'"{MODEL}"': f'"{model}"',
        }
        yield layout.indexed(queued_ms, job), b""
        for key, body in self.objects.items():
            if key.startswith(layout.TICKETS) and key.startswith(wanted):
                yield layout.ticket(model, queued_ms), _changed(body, changes)
            elif key.startswith(wanted):
                yield _changed(key.encode(), changes).decode(), _changed(body, changes)


def _changed(text: bytes, changes: Mapping[str, str]) -> bytes:
    for old, new in changes.items():
        text = text.replace(old.encode(), new.encode())
    return text


def document(job: str, **options: Any) -> dict[str, Any]:
    """The example of inpainting, for one image. `options` go under `job`."""
    text = (EXAMPLES / "inpainting.yaml").read_text(encoding="utf-8")
    made: dict[str, Any] = yaml.safe_load(text)
    made["parameters"]["n"] = 1
    made["job"] = {"id": job, "expires_after": "168h", **options}
    return made


def inputs() -> Objects:
    """The images that the jobs refer to."""
    for name in INPUTS:
        yield f"{layout.INPUTS}{name}", (EXAMPLES / "inputs" / name).read_bytes()


@lru_cache(maxsize=1)
def pattern() -> Pattern:
    """Run one job in the simulated cloud and keep whatever was written for it."""
    job, written = "pattern-job", dict[str, bytes]()
    body = json.dumps({**document(job), "model": MODEL}).encode()

    def watch(key: str, _before: bytes | None, after: bytes | None) -> None:
        if after is not None and (job in key or key.startswith(layout.TICKETS)):
            written[key] = after

    with quick():
        world = CalmWorld(lambda _rng: 5.0)
        for key, image in inputs():
            world.bucket.write(key, image)
        world.bucket.watchers.append(watch)
        world.kernel.after(0.0, lambda: world.bucket.write(f"{layout.JOB_FILES}{job}.json", body))
        world.run_out()
        world.close()
    first = json.loads(written[layout.record(job, 1)])
    return Pattern(job, first["queued_ms"], first["expires_at"], written)


def jobs(kept: Pattern, model: str, now_ms: int, *, queued: int = 0, finished: int = 0) -> Objects:
    """That many jobs, the finished ones older; `now_ms` is later than all of them."""
    for number in range(finished):
        yield from kept.finished(done_job(number), now_ms - 86_400_000 - 2000 * number, model)
    for number in range(queued):
        yield from kept.queued(waiting_job(number), now_ms - 3_600_000 + number, model)


def done_job(number: int) -> str:
    """The id of a finished job."""
    return f"done-{number:07d}"


def waiting_job(number: int) -> str:
    """The id of a queued job."""
    return f"wait-{number:07d}"


@lru_cache(maxsize=8)
def stocked(queued: int, finished: int) -> Path:
    """The root folder of an OSS server whose bucket holds so many jobs; gone when the program ends.

    It lies in memory where there is room, so that no disk is measured.
    """
    folder = tempfile.TemporaryDirectory(prefix="depths-", dir=_place())
    _kept.append(folder)
    root, now_ms = Path(folder.name), int(time.time() * 1000)
    fill(root, BUCKET, inputs())
    made = jobs(pattern(), REAL_MODEL, now_ms, queued=queued, finished=finished)
    fill(root, BUCKET, made)
    return root


def discard() -> None:
    """Remove all such folders now: they take memory."""
    stocked.cache_clear()
    while _kept:
        _kept.pop().cleanup()


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _place() -> Path | None:
    if not MEMORY.is_dir():
        return None
    free = os.statvfs(MEMORY)
    return MEMORY if free.f_bavail * free.f_frsize > MEMORY_BYTES else None


def fill(root: Path, bucket: str, objects: Iterable[tuple[str, bytes]]) -> int:
    """Write objects into the folder of an OSS server that does not run; how many they were.

    Files and records are as the server makes them, in one transaction instead of one for each.
    """
    store = Store(root, REGION, notify=False)
    store.create_bucket(bucket)
    folder, made, count = store.layout.bucket(bucket), set[str](), 0
    with store.database.exclusive():
        for key, body in objects:
            path = os.path.join(folder, key)
            parent = os.path.dirname(path)
            if parent not in made:
                os.makedirs(parent, exist_ok=True)
                made.add(parent)
            store.database.save(_written(bucket, key, path, body))
            count += 1
    return count


def _written(bucket: str, key: str, path: str, body: bytes) -> Record:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(file, body)
    status = os.fstat(file)
    os.close(file)
    crc64 = draft.new_crc64()
    crc64.update(body)
    kind = "image/png" if key.endswith(".png") else "application/json"
    return Record(
        bucket=bucket,
        key=key,
        identity=identity(status),
        size=len(body),
        modified=status.st_mtime,
        etag=hashlib.md5(body, usedforsecurity=False).hexdigest().upper(),
        crc64=int(crc64.crcValue),
        attributes=Attributes(headers={"content-type": kind}),
    )
