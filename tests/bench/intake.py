"""Taking in job files, beside the same requests to OSS bare: what checking and recording cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from statistics import median
from typing import Any

import oss2
import yaml

from shared.app import App, for_invocation
from shared.ledger.lease import POLLER
from shared.storage import layout
from shared.storage.oss import OssStore
from tests.bench.laptop import NO_RUNTIME, laptop
from tests.bench.populate import example, stocked
from tests.bench.results import OURS, Line, Measure, line

JOB = "inpainting"
GOAL = 1.25
ROUNDS = 5
OUR_NAME, BARE_NAME = "ours", "bare"
"""The beginnings of the jobs' ids, of one length: both ways write keys of the same shape."""
NAME = "{file}"
"""Stands for the file's name in the text from which its files are made."""
WAITS = "waits"

Call = tuple[str, tuple[Any, ...], dict[str, Any]]
"""One request to OSS: a method of `oss2.Bucket` and its arguments."""


@dataclass(frozen=True)
class Kind:
    """A kind of job file: jobs in each, files a turn, the suffix, where the job's images lie."""

    name: str
    jobs: int
    files: int
    suffix: str = "yaml"
    images_in_bucket: bool = False


KINDS = (
    Kind("1 job a file", 1, 20),
    Kind("10 jobs a file", 10, 3),
    Kind("100 jobs a file", 100, 1),
    Kind("100 jobs a file, JSON lines", 100, 1, "jsonl"),
    Kind("1 job a file, images in the bucket", 1, 20, images_in_bucket=True),
)


@lru_cache(maxsize=len(KINDS))
def pattern(kind: Kind) -> str:
    """A file with `NAME` for its name, with which the ids of its jobs begin."""
    documents = []
    for number in range(kind.jobs):
        document = {**example(JOB), "job": {"id": f"{NAME}-{number:03d}"}}
        if not kind.images_in_bucket:
            for key, value in document["input"].items():
                document["input"][key] = value.replace("oss:///", "https://images.invalid/")
        documents.append(document)
    if kind.suffix == "jsonl":
        return "".join(f"{json.dumps(one)}\n" for one in documents)
    return yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False)


@dataclass
class Recorder:
    """A bucket of oss2 that notes its requests."""

    bucket: Any
    calls: list[Call] = field(default_factory=list)

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self.bucket, verb)

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append((verb, arguments, options))
            return method(*arguments, **options)

        return call


def replay(bucket: Any, calls: Sequence[Call]) -> None:
    """Send the requests one after the other and read their answers."""
    for verb, arguments, options in calls:
        answer = getattr(bucket, verb)(*arguments, **options)
        if verb == "get_object":
            answer.read()


def renamed(value: Any, old: str, new: str) -> Any:
    """The same calls for jobs and files of another name, equally long; bodies stay."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {name: renamed(one, old, new) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(renamed(one, old, new) for one in value)
    return value


@dataclass
class Turns:
    """Seconds a file of every turn, ours and bare, and how many requests a file took."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    requests: int = 0

    @property
    def ratio(self) -> float:
        """Our time beside the bare requests': the medians."""
        return median(self.ours) / median(self.bare)

    def lines(self, kind: str) -> list[Line]:
        """Files a second."""
        ours, bare = ([1 / one for one in way] for way in (self.ours, self.bare))
        note, asked = f"{self.ratio:.2f} × the bare time", f"{self.requests} requests a file"
        return [
            line(f"{OURS}, {kind}", ours, "files/s", ours=True, note=note),
            line(f"bare oss2, {kind}", bare, "files/s", note=asked),
        ]


def measures(brief: bool = False) -> list[Measure]:
    """Files a second for every kind of file, and the time beside bare requests."""
    rounds, kinds = (1, KINDS[:2]) if brief else (ROUNDS, KINDS)
    with bench() as running:
        return [compared({kind.name: running.turns(kind, rounds) for kind in kinds})]


def compared(found: Mapping[str, Turns]) -> Measure:
    """The measure of the turns of each kind of file."""
    lines = [one for kind, turns in found.items() for one in turns.lines(kind)]
    goal = f"≤ {GOAL:g} × the same requests bare, for files of 1, 10 and 100 jobs"
    worst = max(one.ratio for one in found.values())
    return Measure("intake", goal, worst <= GOAL, lines, f"{worst:.3g} × at worst")


@dataclass
class Bench:
    """The functions' parts over a bucket that notes its requests, and a bucket of oss2 alone."""

    app: App
    recorder: Recorder
    bucket: Any

    def turns(self, kind: Kind, rounds: int) -> Turns:
        """One turn to note the requests and to warm up, then both ways in turns."""
        mark = KINDS.index(kind)
        first = f"{OUR_NAME}-{mark}-000"
        files = self._upload(kind, first)
        self.recorder.calls.clear()
        self._renew_lease()
        self._take(files)
        calls = list(self.recorder.calls)
        found = Turns(requests=len(calls) // kind.files)
        for number in range(1, rounds + 1):
            ours, bare = (f"{way}-{mark}-{number:03d}" for way in (OUR_NAME, BARE_NAME))
            self._upload(kind, bare)
            ways = [
                (found.ours, partial(self._take, self._upload(kind, ours))),
                (found.bare, partial(replay, self.bucket, renamed(calls, first, bare))),
            ]
            for seconds, way in ways if number % 2 else reversed(ways):
                self._empty_queue()
                self._renew_lease()
                seconds.append(_seconds(way) / kind.files)
        return found

    def _upload(self, kind: Kind, turn: str) -> list[str]:
        """The files of one turn; returns their keys."""
        made = []
        for name in (f"{turn}-{number:03d}" for number in range(kind.files)):
            made.append(f"{layout.JOB_FILES}{name}.{kind.suffix}")
            self.bucket.put_object(made[-1], pattern(kind).replace(NAME, name))
        return made

    def _take(self, files: Sequence[str]) -> None:
        """What the submit function does with each file. Raises RuntimeError if one is rejected."""
        for key in files:
            if not all(one.new for one in self.app.acceptance.job_file(key)):
                raise RuntimeError(f"{key} was not taken in; the log above says why")

    def _renew_lease(self) -> None:
        """As the poller does that holds it."""
        held = json.dumps({"owner": "somebody", "kind": POLLER}).encode()
        self.bucket.put_object(layout.lease(1), held)

    def _empty_queue(self) -> None:
        """Take all markers but the oldest away, so that every turn finds the queue equally long."""
        found = [one.key for one in oss2.ObjectIteratorV2(self.bucket, prefix=layout.QUEUE)]
        gone = [key for key in found if not key.endswith(WAITS)]
        for start in range(0, len(gone), 1000):
            self.bucket.batch_delete_objects(gone[start : start + 1000])


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


@contextmanager
def bench() -> Iterator[Bench]:
    """Our OSS server. A poller's lease and an older job keep every new job in the queue."""
    with stocked(0, 0) as data, laptop(environ=NO_RUNTIME, data=data) as cloud:
        app = for_invocation(cloud.env)
        assert isinstance(app.store, OssStore)
        app.store.bucket = recorder = Recorder(app.store.bucket)
        cloud.bucket.put_object(layout.marker(example(JOB)["model"], 0, "-", 0, WAITS), b"")
        yield Bench(app, recorder, cloud.bucket)
