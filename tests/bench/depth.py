"""Whether a poll run and a submission cost more the more jobs wait or have finished."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from statistics import median

import oss2
import requests

from shared.app import App
from shared.catalogue.models import Catalogue
from shared.catalogue.rules import Rules
from shared.instance import INSTANCE
from shared.platform.clock import SystemClock, new_random
from shared.platform.settings import load_credentials, load_settings
from shared.storage import layout
from shared.storage.objects import Creation
from shared.storage.oss import OssStore, open_store
from tests.bench.laptop import NO_RUNTIME, laptop
from tests.bench.populate import Objects, document, done_job, inputs, jobs, stocked
from tests.bench.results import Line, Measure, line
from tests.bench.world import MODEL, OSS_VERBS, calm_world
from tests.simulation.kernel import START

DEPTHS = (10, 1000, 100_000)
REAL_DEPTHS = (10, 30_000)
FINISHED = 100_000
REAL_FINISHED = 3_000
ROUNDS = 5
WARMING = 1
GOAL = 1.1
LONGEST_RUN = 60.0
TASK_SECONDS = 0.1
FIRST, LAST = 0, 9
"""Priorities: the job is the next one, or the last."""


def measures(brief: bool = False) -> list[Measure]:
    """Requests in the simulated world, time on the laptop's servers."""
    if brief:
        return [counted((10, 100), 1000), timed((10, 100), 50, 1, 0)]
    return [counted(DEPTHS, FINISHED), timed(REAL_DEPTHS, REAL_FINISHED, ROUNDS, WARMING)]


# Requests


def counted(depths: Sequence[int], finished: int) -> Measure:
    """Requests to OSS of one submission and of one poll run."""
    over = dict(_finished(finished))
    found = {depth: _counted(depth, over) for depth in depths}
    least = found[depths[0]]
    ratios = [counts[kind] / least[kind] for counts in found.values() for kind in least]
    lines = [
        Line(f"{kind}, {depth:,} queued", counts[kind], "requests", ours=True)
        for kind in least
        for depth, counts in found.items()
    ]
    goal = f"≤ {GOAL:g} times those with {depths[0]} queued jobs"
    result = f"{max(ratios):.3g} × at worst"
    return Measure("depth-requests", goal, max(ratios) <= GOAL, lines, result)


def _finished(number: int) -> Objects:
    """Finished jobs, as far as listings can come across them."""
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
    waiting = jobs(MODEL, int(START * 1000), queued=depth)
    file = {**document("newcomer", priority=priority), "model": MODEL}
    with calm_world(lambda _rng: 27.0, learn=False) as world:
        world.bucket.stock({**over, **dict(inputs()), **dict(waiting)})
        world.bucket.write(f"{layout.JOB_FILES}newcomer.json", json.dumps(file).encode())
        world.run(lambda: bool(world.done))
    return Counter(one.function for one in world.story.requests if one.verb in OSS_VERBS)


# Time


class Enough(BaseException):
    """The run has started a job and ended one; no handler of errors may catch this."""


class WatchedStore(OssStore):
    """Notes when a job has been started or ended."""

    started = ended = sending = False

    def create(self, key: str, body: bytes) -> Creation:
        made = super().create(key, body)
        self.ended |= key.startswith(layout.RESULTS) and key.endswith("/result.json")
        pending = key.startswith(layout.RECORDS) and b'"state":"PENDING"' in body
        self.started |= pending
        self.sending = (self.sending and not pending) or key.startswith(layout.SLOTS)
        return made

    def delete(self, key: str) -> None:
        super().delete(key)
        self.sending &= not key.startswith(layout.SLOTS)


@dataclass
class WorkClock(SystemClock):
    """Tells sleep from work, and ends a run in its sleep."""

    slept: float = 0.0
    store: WatchedStore | None = None

    def sleep(self, seconds: float) -> None:
        # Not between a slot and its submission: that slot would belong to nobody for a while.
        seen = self.store
        if seen and seen.started and seen.ended and not seen.sending:
            raise Enough
        before = time.perf_counter()
        super().sleep(seconds)
        self.slept += time.perf_counter() - before


@dataclass
class Depth:
    """One bucket, and what was measured on it, in milliseconds."""

    env: dict[str, str]
    submits: list[float] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)
    _session: oss2.Session = field(default_factory=oss2.Session)
    _http: requests.Session = field(default_factory=requests.Session)

    def turn(self, *, keep: bool) -> None:
        """Two submissions, two poll runs: each run finds what the one before left to do."""
        submit = (self._submit() + self._submit()) / 2
        poll = (self._poll() + self._poll()) / 2
        if keep:
            self.submits.append(1000 * submit)
            self.polls.append(1000 * poll)

    def _submit(self) -> float:
        job = f"new-{next(self._numbers)}"
        key = f"{layout.JOB_FILES}{job}.json"
        app = self._app(WorkClock())
        app.store.put(key, json.dumps(document(job, priority=LAST)).encode())
        before = time.perf_counter()
        app.acceptance.job_file(key)
        return time.perf_counter() - before

    def _poll(self) -> float:
        clock = WorkClock()
        app = self._app(clock)
        before = time.perf_counter()
        try:
            word = app.poller.run(clock.monotonic() + LONGEST_RUN)
            raise RuntimeError(f"the poll run ended before a job did: {word}")
        except Enough:
            return time.perf_counter() - before - clock.slept

    def _app(self, clock: WorkClock) -> App:
        """A warm instance of a function: it keeps its connections and nothing that it learned."""
        settings, rng = load_settings(self.env), new_random()
        kept = open_store(settings, load_credentials(self.env), clock, rng, self._session)
        clock.store = WatchedStore(kept.bucket, kept.public, clock, rng)
        _, errors, policy = INSTANCE.yaml
        rules = Rules(_catalogue(), errors, policy, settings.model_region)
        return App(settings, clock.store, self._http, clock, rng, rules)


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    """One slot and no queue at the service: a run ends just one job and starts just one."""
    whole = INSTANCE.yaml[0]
    return Catalogue(
        tuple(
            replace(model, limits=replace(model.limits, queue_ahead=0)) for model in whole.models()
        )
    )


def timed(depths: Sequence[int], finished: int, rounds: int, warming: int) -> Measure:
    """Milliseconds of a submission and a poll run; every round measures all depths."""
    with ExitStack() as running:
        rigs = {}
        for depth in depths:
            data = running.enter_context(stocked(depth, finished))
            cloud = running.enter_context(laptop(TASK_SECONDS, NO_RUNTIME, data))
            rigs[depth] = Depth(cloud.env)
        for number in range(warming + rounds):
            # The order alternates: the first of one round is the last of the next.
            for rig in list(rigs.values())[:: 1 if number % 2 else -1]:
                rig.turn(keep=number >= warming)
    submits = {depth: rig.submits for depth, rig in rigs.items()}
    return times({"submit": submits, "poll run": {d: rig.polls for d, rig in rigs.items()}})


def times(found: Mapping[str, Mapping[int, Sequence[float]]]) -> Measure:
    """The measure of milliseconds by kind and depth."""
    lines, worst, first = [], 0.0, 0
    for kind, samples in found.items():
        first = min(samples)
        for depth, values in samples.items():
            ratio = median(values) / median(samples[first])
            worst = max(worst, ratio)
            note = f"× {ratio:.2f}"
            lines.append(line(f"{kind}, {depth:,} queued", values, "ms", ours=True, note=note))
    goal = f"≤ {GOAL:g} times that with {first} queued jobs"
    return Measure("depth-time", goal, worst <= GOAL, lines, f"{worst:.3g} × at worst")
