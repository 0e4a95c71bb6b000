"""Taking in job files, beside the same requests to OSS bare: what checking and recording cost."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import oss2
import yaml

from shared.app import App, for_invocation
from shared.platform.clock import iso
from shared.platform.concurrency import THREADS
from shared.storage import layout
from shared.storage.objects import Creation, Entry, ObjectStore, Slice
from tests.bench.laptop import EXAMPLES, example
from tests.bench.oss_rates import BUCKET, KEY_ID, SECRET, our_server
from tests.bench.results import REAL, Line, Measure, sample

JOB = "inpainting"
GOAL = 1.25
ROUNDS = 12
OURS, BARE = "ours", "bare"
"""The beginnings of the jobs' ids, of one length: both ways write keys of the same shape."""
NAME = b"{file}"
"""Stands for the file's name in the text from which its files are made."""
WAITS = "waits"
FOREVER = 86400.0

TEXT = """One process takes in one YAML file after the other (`shared.jobs.accept`, as
`submit` does),
{rounds} turns on our OSS server, which is a process beside it. Somebody polls and an older job
waits, so nothing is submitted. *Bare* sends the very same requests through oss2, one after the
other as people write it, in turns with ours: it checks, records and retries nothing. A job file is
read, then each job makes three objects (record, place in the list of jobs, place in the queue),
then queue and heartbeat are looked at. Ours takes in up to {threads} jobs of a file at once. The
images lie elsewhere unless a line says otherwise; in the bucket each is one more request, on both
sides.
"""


@dataclass(frozen=True)
class Call:
    """One request to OSS: its verb, its key or prefix, and what it sent or asked for."""

    verb: str
    key: str
    body: bytes = b""
    first: int = 0
    length: int = 0


@dataclass
class Recorder:
    """A store that notes what it is asked; one request to OSS each."""

    store: ObjectStore
    calls: list[Call] = field(default_factory=list)

    def read(self, key: str, limit: int) -> Slice:
        self.calls.append(Call("read", key))
        return self.store.read(key, limit)

    def read_range(self, key: str, start: int, length: int) -> Slice:
        self.calls.append(Call("read_range", key, first=start, length=length))
        return self.store.read_range(key, start, length)

    def create(self, key: str, body: bytes) -> Creation:
        self.calls.append(Call("create", key, body))
        return self.store.create(key, body)

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        self.calls.append(Call("put", key, body))
        self.store.put(key, body, content_type)

    def list(self, prefix: str, after: str = "", limit: int | None = None) -> Iterator[Entry]:
        self.calls.append(Call("list", prefix, length=limit or 1000))
        return self.store.list(prefix, after, limit)

    def delete(self, key: str) -> None:
        self.calls.append(Call("delete", key))
        self.store.delete(key)

    def presign(self, key: str, seconds: int, download_as: str = "") -> str:
        return self.store.presign(key, seconds, download_as)

    def presign_put(self, key: str, seconds: int, content_type: str) -> str:
        return self.store.presign_put(key, seconds, content_type)


@dataclass(frozen=True)
class Kind:
    """A kind of job file: jobs in each, files a turn, the suffix, where the job's images lie."""

    name: str
    jobs: int
    files: int
    suffix: str = "yaml"
    images_in_bucket: bool = False

    def body(self, file: str) -> bytes:
        """A file whose jobs have ids that begin with its name."""
        return _body(self).replace(NAME, file.encode())


KINDS = (
    Kind("1 job a file", 1, 20),
    Kind("10 jobs a file", 10, 3),
    Kind("100 jobs a file", 100, 1),
    Kind("100 jobs a file, JSON lines", 100, 1, "jsonl"),
    Kind("1 job a file, images in the bucket", 1, 20, images_in_bucket=True),
)


def measures(brief: bool = False) -> list[Measure]:
    """Files a second for every kind of file, and the time beside bare requests."""
    rounds = 2 if brief else ROUNDS
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=memory) as folder, bench_of(folder) as bench:
        found = {kind: _turns(bench, kind, rounds) for kind in KINDS}
    lines, reached = [], True
    for kind, turns in found.items():
        ratio = turns.ratio()
        reached = reached and ratio <= GOAL
        lines += turns.lines(kind, ratio)
    return [
        Measure(
            id="intake",
            title="Taking in job files",
            clock=REAL,
            goal=f"≤ {GOAL:g} × the same requests bare, for files of 1, 10 and 100 jobs",
            reached=reached,
            lines=tuple(lines),
            text=TEXT.format(rounds=rounds, threads=THREADS),
        )
    ]


@lru_cache(maxsize=len(KINDS))
def _body(kind: Kind) -> bytes:
    documents = [
        job(f"{NAME.decode()}-{number:03d}", kind.images_in_bucket) for number in range(kind.jobs)
    ]
    if kind.suffix == "jsonl":
        return "".join(f"{json.dumps(one)}\n" for one in documents).encode()
    return yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False).encode()


@dataclass
class Turns:
    """Seconds a file of every turn, ours and bare, and how many requests a file took."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    requests: int = 0

    def ratio(self) -> float:
        """Our time beside the bare requests': the medians."""
        return sample(self.ours).quantile(0.5) / sample(self.bare).quantile(0.5)

    def lines(self, kind: Kind, ratio: float) -> list[Line]:
        ours, bare = (sample([1 / one for one in way]) for way in (self.ours, self.bare))
        note = f"{ratio:.2f} × the bare time"
        asked = f"{self.requests} requests a file"
        return [
            ours.line(f"wanx functions, {kind.name}", "files/s", ours=True, note=note),
            bare.line(f"bare oss2, {kind.name}", "files/s", note=asked),
        ]


@dataclass
class Bench:
    """The functions' parts over a store that notes its requests, and a bucket of oss2 alone."""

    app: App
    recorder: Recorder
    bucket: Any

    def upload(self, kind: Kind, turn: str) -> list[str]:
        """The files of one turn; returns their keys."""
        made = []
        for number in range(kind.files):
            key = f"{layout.JOB_FILES}{turn}-{number:03d}.{kind.suffix}"
            self.bucket.put_object(key, kind.body(f"{turn}-{number:03d}"))
            made.append(key)
        return made

    def take(self, files: Sequence[str]) -> None:
        """What the submit function does with each file. Raises RuntimeError if one is rejected."""
        for key in files:
            if not all(one.new for one in self.app.acceptance.job_file(key)):
                raise RuntimeError(f"{key} was not taken in; the log above says why")

    def empty_queue(self) -> None:
        """Take all markers but the oldest away, so that every turn finds the queue equally long."""
        found = [one.key for one in oss2.ObjectIteratorV2(self.bucket, prefix=layout.QUEUE)]
        gone = [key for key in found if not key.endswith(WAITS)]
        for start in range(0, len(gone), 1000):
            self.bucket.batch_delete_objects(gone[start : start + 1000])


@contextmanager
def bench_of(folder: str) -> Iterator[Bench]:
    """Our OSS server on a folder, somebody who polls, and a job that waits before all others."""
    with our_server(folder) as server:
        environ = environment(f"http://127.0.0.1:{server.port}")
        app = for_invocation(environ)
        recorder = Recorder(app.store)
        app.store = recorder
        auth = oss2.AuthV4(KEY_ID, SECRET)
        bucket = oss2.Bucket(
            auth, environ["OSS_ENDPOINT"], BUCKET, region="cn-beijing", enable_crc=False
        )
        for path in sorted((EXAMPLES / "inputs").iterdir()):
            bucket.put_object_from_file(f"{layout.INPUTS}{path.name}", str(path))
        beat = {"owner": "somebody", "until": iso(time.time() + FOREVER)}
        bucket.put_object(layout.HEARTBEAT, json.dumps(beat).encode())
        bucket.put_object(layout.marker(example(JOB)["model"], 0, 0, WAITS), b"")
        yield Bench(app, recorder, bucket)


def environment(endpoint: str) -> dict[str, str]:
    """What the functions need to know; nobody asks the model service here."""
    return {
        "OSS_ENDPOINT": endpoint,
        "OSS_PUBLIC_ENDPOINT": endpoint,
        "OSS_BUCKET": BUCKET,
        "OSS_REGION": "cn-beijing",
        "OSS_ACCESS_KEY_ID": KEY_ID,
        "OSS_ACCESS_KEY_SECRET": SECRET,
        "DASHSCOPE_HTTP_BASE_URL": "http://127.0.0.1:9/api/v1",
        "DASHSCOPE_API_KEY": "sk-bench",
        "LOG_LEVEL": "WARNING",
    }


def _turns(bench: Bench, kind: Kind, rounds: int) -> Turns:
    """One turn to note the requests and to warm up, then both ways in turns."""
    mark, first = f"{KINDS.index(kind)}", f"{OURS}-{KINDS.index(kind)}-000"
    files = bench.upload(kind, first)
    bench.recorder.calls.clear()
    bench.take(files)
    calls = tuple(bench.recorder.calls)
    found = Turns(requests=len(calls) // kind.files)
    for number in range(1, rounds + 1):
        ours, bare = f"{OURS}-{mark}-{number:03d}", f"{BARE}-{mark}-{number:03d}"
        files, again = bench.upload(kind, ours), renamed(calls, first, bare)
        bench.upload(kind, bare)
        ways = [
            (found.ours, lambda files=files: bench.take(files)),
            (found.bare, lambda again=again: replay(bench.bucket, again)),
        ]
        for seconds, way in ways if number % 2 else reversed(ways):
            bench.empty_queue()
            seconds.append(_seconds(way) / kind.files)
    return found


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def renamed(calls: Sequence[Call], old: str, new: str) -> list[Call]:
    """The same requests for jobs and files of another name, equally long."""
    return [replace(call, key=call.key.replace(old, new)) for call in calls]


def replay(bucket: Any, calls: Sequence[Call]) -> None:
    """Send the requests with oss2, as plainly as it can be done."""
    for call in calls:
        if call.verb == "create":
            headers = {"x-oss-forbid-overwrite": "true"}
            bucket.put_object(call.key, call.body, headers=headers)
        elif call.verb == "put":
            bucket.put_object(call.key, call.body)
        elif call.verb == "read":
            bucket.get_object(call.key).read()
        elif call.verb == "read_range":
            last = call.first + call.length - 1
            headers = {"x-oss-range-behavior": "standard"}
            bucket.get_object(call.key, byte_range=(call.first, last), headers=headers).read()
        elif call.verb == "list":
            bucket.list_objects_v2(prefix=call.key, max_keys=call.length)
        else:
            bucket.delete_object(call.key)


def job(name: str, images_in_bucket: bool) -> dict[str, Any]:
    """The example's job under an id of its own; its images in the bucket or elsewhere."""
    document = example(JOB)
    if not images_in_bucket:
        for key, value in document["input"].items():
            document["input"][key] = value.replace("oss:///", "https://images.invalid/")
    document["job"] = {"id": name}
    return document
