"""Whether a poll round and a submission cost more the more jobs wait or are over."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from statistics import median

import oss2
import requests

from shared.app import INSTANCE, App
from shared.catalogue.models import Catalogue
from shared.catalogue.rules import Rules
from shared.platform.clock import SystemClock, new_random
from shared.platform.settings import load_credentials, load_settings
from shared.storage import layout
from shared.storage.objects import Creation
from shared.storage.oss import OssStore, open_store
from tests.bench.populate import (
    REAL_MODEL,
    Objects,
    document,
    done_job,
    inputs,
    jobs,
    pattern,
    stocked,
)
from tests.bench.results import COUNTED, REAL, Curve, Line, Measure, Plot, Sample
from tests.bench.stocked import servers
from tests.bench.world import MODEL, OSS_VERBS, CalmWorld, quick
from tests.simulation.kernel import START

DEPTHS = (10, 1000, 100_000)
FINISHED = 1_000_000
REAL_FINISHED = 10_000
ROUNDS = 12
WARMING = 2
GOAL = 1.1
LONGEST_RUN = 60.0
TASK_SECONDS = 0.1
FIRST, LAST = 0, 9
"""Priorities: the job is the next one, or the last."""

COUNTED_TEXT = """A bucket with {finished:,} finished jobs (of each its last record, its manifest
and its entry in the list of jobs) and with as many queued ones as the line says, all of which would
expire some day. One job file is uploaded whose job comes after all others, or before them; the
poll run is counted from its start until it has ended its first job. Requests to OSS."""
REAL_TEXT = """As above on the laptop's OSS and Model Studio servers, in the functions' own code in
one process, with {finished:,} finished jobs a bucket, all objects of each. A poll run lasts until
it has ended one job and started one (one slot, nothing waits at the service's door); what it slept
is not counted. Medians of {rounds} turns, each of two submissions and two runs. Every request
goes over HTTP, so that the server's own growth counts."""
REAL_BOUND = (
    "The requests are the same ones at every depth, and alone each takes the same time at 10 as at"
    " 100,000. Mixed with poll runs, every request to the laptop's OSS server over the folder of"
    " 100,000 files takes 1 to 3 ms longer, reads of other folders too: that is the laptop's"
    " server, not the functions."
)


def measures(brief: bool = False) -> list[Measure]:
    """Requests in the simulated world, time on the laptop's servers."""
    depths = (10, 100) if brief else DEPTHS
    return [
        _requests(depths, 1000 if brief else FINISHED),
        _times(depths, 50 if brief else REAL_FINISHED, 3 if brief else ROUNDS),
    ]


# Requests


def _requests(depths: tuple[int, ...], finished: int) -> Measure:
    over = dict(_finished(finished))
    with quick():
        found = {depth: _counted(depth, over) for depth in depths}
    least = found[depths[0]]
    ratios = [counts[kind] / least[kind] for counts in found.values() for kind in least]
    lines = [
        Line(f"{kind}, {depth:,} queued", counts[kind], "requests", ours=True)
        for kind in least
        for depth, counts in found.items()
    ]
    return Measure(
        id="depth-requests",
        title="Requests with many jobs in the bucket",
        clock=COUNTED,
        goal=f"≤ {GOAL:g} times those with {depths[0]} queued jobs",
        reached=max(ratios) <= GOAL,
        lines=tuple(lines),
        text=COUNTED_TEXT.format(finished=finished),
    )


def _finished(number: int) -> Objects:
    """Jobs that are over, as far as listings can come across them."""
    body = b"{}"
    for index in range(number):
        job = done_job(index)
        yield layout.indexed(int(START * 1000) - 1000 - index, job), b""
        yield layout.record(job, 5), body
        yield layout.result(job), body


def _counted(depth: int, over: dict[str, bytes]) -> dict[str, int]:
    last = _played(depth, over, LAST)
    first = _played(depth, over, FIRST)
    return {
        "submit, last in the queue": last["submit"],
        "submit, first in the queue": first["submit"],
        "poll run": last["poll"],
    }


def _played(depth: int, over: dict[str, bytes], priority: int) -> Counter[str]:
    """One job comes, one job ends: requests to OSS by function."""
    world = CalmWorld(lambda _rng: 27.0)
    waiting = jobs(pattern(), MODEL, int(START * 1000), queued=depth)
    world.bucket.stock({**over, **dict(inputs()), **dict(waiting)})
    file = {**document("newcomer", priority=priority), "model": MODEL}
    world.bucket.write(f"{layout.JOB_FILES}newcomer.json", json.dumps(file).encode())
    world.run(lambda: bool(world.done))
    world.close()
    return Counter(one.function for one in world.story.requests if one.verb in OSS_VERBS)


# Time


class Enough(BaseException):
    """What was to be seen has been seen; no handler of errors may stop it."""


class WorkClock(SystemClock):
    """Tells sleep from work, and ends a run in its sleep."""

    def __init__(self) -> None:
        self.slept = 0.0
        self.started = self.ended = self.sending = False

    def sleep(self, seconds: float) -> None:
        # Not between a slot and its submission: that slot would be nobody's for a while.
        if self.started and self.ended and not self.sending:
            raise Enough
        before = time.perf_counter()
        super().sleep(seconds)
        self.slept += time.perf_counter() - before


@dataclass
class WatchedStore(OssStore):
    """Notes when a job has been started or ended."""

    clock: WorkClock

    def create(self, key: str, body: bytes) -> Creation:
        made = super().create(key, body)
        if key.startswith(layout.SLOTS):
            self.clock.sending = True
        elif key.startswith(layout.RECORDS) and b'"state":"PENDING"' in body:
            self.clock.started, self.clock.sending = True, False
        return made

    def delete(self, key: str) -> None:
        super().delete(key)
        if key.startswith(layout.SLOTS):
            self.clock.sending = False

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        super().put(key, body, content_type)
        self.clock.ended |= key.startswith(layout.RESULTS) and key.endswith("/result.json")


@dataclass
class Depth:
    """One bucket, and what was measured on it, in milliseconds."""

    env: dict[str, str]
    submits: Sample = field(default_factory=Sample)
    polls: Sample = field(default_factory=Sample)
    _names: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def turn(self, *, keep: bool) -> None:
        """Two submissions, two poll runs: what one run leaves to do, the next one finds."""
        submit = (self._submit() + self._submit()) / 2
        poll = (self._poll() + self._poll()) / 2
        if keep:
            self.submits.values.append(1000 * submit)
            self.polls.values.append(1000 * poll)

    def _submit(self) -> float:
        job = f"new-{next(self._names)}"
        key = f"{layout.JOB_FILES}{job}.json"
        file = {**document(job, priority=LAST), "model": REAL_MODEL}
        app = self._service()
        app.store.put(key, json.dumps(file).encode())
        before = time.perf_counter()
        app.acceptance.job_file(key)
        return time.perf_counter() - before

    def _poll(self) -> float:
        clock = WorkClock()
        app = self._service(clock)
        before = time.perf_counter()
        try:
            word = app.poller.run(clock.monotonic() + LONGEST_RUN)
            raise RuntimeError(f"the poll run ended before a job did: {word}")
        except Enough:
            return time.perf_counter() - before - clock.slept
        finally:
            app.ledger.heartbeat.rest()

    def _service(self, clock: WorkClock | None = None) -> App:
        """A function's instance that is warm: connections are kept, what was learned is not."""
        settings, clock = load_settings(self.env), clock or WorkClock()
        rng: random.Random = new_random()
        kept = open_store(settings, load_credentials(self.env), clock, rng, self._session)
        store = WatchedStore(kept.bucket, kept.public, clock, rng)
        _, errors, policy = INSTANCE.yaml
        rules = Rules(_catalogue(), errors, policy, settings.model_region)
        return App(settings, store, self._http, clock, rng, rules)

    def __post_init__(self) -> None:
        self._session, self._http = oss2.Session(), requests.Session()


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    """One slot and nothing at the service's door: a run ends just one job and starts just one."""
    whole = INSTANCE.yaml[0]
    models = [model for model in map(whole.get, whole.names()) if model is not None]
    return Catalogue(
        tuple(replace(model, limits=replace(model.limits, queue_ahead=0)) for model in models)
    )


def _times(depths: tuple[int, ...], finished: int, rounds: int) -> Measure:
    with ExitStack() as running:
        rigs = {
            depth: Depth(running.enter_context(servers(stocked(depth, finished), TASK_SECONDS)))
            for depth in depths
        }
        for number in range(WARMING + rounds):
            # Whoever comes first in one round comes last in the next.
            for rig in list(rigs.values())[:: 1 if number % 2 else -1]:
                rig.turn(keep=number >= WARMING)
    samples = {
        "submit": {depth: rig.submits for depth, rig in rigs.items()},
        "poll run": {depth: rig.polls for depth, rig in rigs.items()},
    }
    ratios = [ratio for found in samples.values() for ratio in _ratios(found).values()]
    reached = max(ratios) <= GOAL
    return Measure(
        id="depth-time",
        title="Time with many jobs in the bucket",
        clock=REAL,
        goal=f"≤ {GOAL:g} times that with {depths[0]} queued jobs",
        reached=reached,
        lines=tuple(line for kind, found in samples.items() for line in _lines(kind, found)),
        text=REAL_TEXT.format(finished=finished, rounds=rounds),
        bound="" if reached else REAL_BOUND,
        plot=Plot("queued jobs", "times that with the fewest", _curves(samples), log_x=True),
    )


def _ratios(found: dict[int, Sample]) -> dict[int, float]:
    """Medians, over that of the smallest depth."""
    least = median(found[min(found)].values)
    return {depth: median(one.values) / least for depth, one in found.items()}


def _lines(kind: str, found: dict[int, Sample]) -> list[Line]:
    ratios = _ratios(found)
    return [
        one.line(f"{kind}, {depth:,} queued", "ms", ours=True, note=f"× {ratios[depth]:.2f}")
        for depth, one in found.items()
    ]


def _curves(samples: dict[str, dict[int, Sample]]) -> tuple[Curve, ...]:
    return tuple(
        Curve(kind, tuple(map(float, found)), tuple(_ratios(found).values()))
        for kind, found in samples.items()
    )
