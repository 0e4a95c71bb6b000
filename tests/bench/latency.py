"""From the end of a task at the service to its image in the bucket, and the queries it took.

One slot. Jobs keep coming (`CalmWorld.keep_coming`), or all come at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import NamedTuple

from tests.bench.peers import every, loop
from tests.bench.results import OURS, Line, Measure, quantile
from tests.bench.seeds import seeded, with_seeds
from tests.bench.world import CalmWorld, about, calm_world

JOBS, FEWER_JOBS = 300, 40
"""Of ours while jobs keep coming, and of all others."""
TYPICAL = 27.0
MOST_RATIO = 1.3


class Goal(NamedTuple):
    """Queries a job: the median over the seeds, and the worst seed where that has a goal;
    seconds of p95 in each seed."""

    queries: float
    p95: float
    worst: float = math.inf


GOALS = {
    5.0: Goal(2.5, 1.0),
    TYPICAL: Goal(8.0, 1.0, worst=9.0),
    75.0: Goal(14.0, 1.5),
}
"""By seconds a task."""

AT_ONCE = f"{OURS}, all at once"


@dataclass(frozen=True)
class Seen:
    """Of one seed: delays in seconds, and queries a job."""

    p50: float
    p95: float
    queries: float


def _coming(world: CalmWorld, jobs: int) -> None:
    world.run_busy(jobs)


def _at_once(world: CalmWorld, jobs: int) -> None:
    world.put_jobs(jobs)
    world.run(lambda: len(world.done) == jobs)


def _loop(world: CalmWorld, jobs: int, seconds: float | None = None) -> None:
    """The SDK's pauses, or fixed ones."""
    loop(world, jobs, 1, *([] if seconds is None else [every(seconds)]))
    world.run(lambda: len(world.done) == jobs)


PEERS: dict[str, Callable[[CalmWorld, int], None]] = {
    "dashscope SDK wait, download, put": _loop,
    "a poll every 10 s": partial(_loop, seconds=10.0),
    "a poll a minute (timer only)": partial(_loop, seconds=60.0),
}


def measures(brief: bool = False) -> list[Measure]:
    """Queries and delays by the tasks' time, ours beside the others', and those of four images."""
    jobs, fewer = (12, 4) if brief else (JOBS, FEWER_JOBS)
    works = {(OURS, seconds): partial(_run, _coming, seconds, jobs) for seconds in GOALS}
    works |= {(AT_ONCE, seconds): partial(_run, _at_once, seconds, fewer) for seconds in GOALS}
    works |= {(name, TYPICAL): partial(_run, way, TYPICAL, fewer) for name, way in PEERS.items()}
    works |= {(f"n={n}", TYPICAL): partial(_images, n, jobs) for n in (1, 4)}
    seen = with_seeds(works, brief)
    by_seconds = {
        seconds: {name: many for (name, each), many in seen.items() if each == seconds}
        for seconds in GOALS
    }
    images = [by_seconds[TYPICAL].pop(f"n={n}") for n in (1, 4)]
    queries = [_queries(seconds, ways) for seconds, ways in by_seconds.items()]
    return [_latency(by_seconds[TYPICAL]), *queries, _ratio(*images)]


def _latency(ways: Mapping[str, list[Seen]]) -> Measure:
    lines = [one for name, seen in ways.items() for one in _delays(name, seen)]
    most = GOALS[TYPICAL].p95
    reached = all(one.p95 <= most for one in ways[OURS])
    worst = max(one.p95 for one in ways[OURS])
    result = f"p95 {worst:.3g} s in the worst seed"
    return Measure("latency", f"p95 ≤ {most:g} s in each seed", reached, lines, result)


def _delays(name: str, seen: list[Seen]) -> list[Line]:
    ours = name.startswith(OURS)
    return [
        seeded(f"{name}, median", [one.p50 for one in seen], "s", ours=ours),
        seeded(f"{name}, p95", [one.p95 for one in seen], "s", ours=ours),
    ]


def _queries(seconds: float, ways: Mapping[str, list[Seen]]) -> Measure:
    goal, ours = GOALS[seconds], ways[OURS]
    lines = [
        seeded(name, [one.queries for one in seen], "queries a job", ours=name.startswith(OURS))
        for name, seen in ways.items()
    ]
    lines += _delays(OURS, ours)[1:] + _delays(AT_ONCE, ways[AT_ONCE])[1:]
    queries, late = [one.queries for one in ours], max(one.p95 for one in ours)
    reached = median(queries) <= goal.queries and max(queries) <= goal.worst and late <= goal.p95
    worst = f", worst seed ≤ {goal.worst:g}" if goal.worst < math.inf else ""
    words = f"median ≤ {goal.queries:g}{worst}; p95 ≤ {goal.p95:g} s in each seed"
    result = f"{median(queries):.3g}, worst seed {max(queries):.3g}, p95 up to {late:.3g} s"
    return Measure(f"queries-{seconds:g}", words, reached, lines, result)


def _ratio(one: list[Seen], four: list[Seen]) -> Measure:
    """Four images a job beside one."""
    ratios = [many.p50 / single.p50 for single, many in zip(one, four, strict=True)]
    lines = [
        seeded("n=4 / n=1, median delay", ratios, "×"),
        seeded("n=1, median delay", [seen.p50 for seen in one], "s"),
        seeded("n=4, median delay", [seen.p50 for seen in four], "s"),
        seeded("n=1, p95", [seen.p95 for seen in one], "s"),
        seeded("n=4, p95", [seen.p95 for seen in four], "s"),
    ]
    reached = median(ratios) <= MOST_RATIO
    return Measure("images", f"≤ {MOST_RATIO:g} × the delay of one image", reached, lines)


def _images(n: int, jobs: int, seed: int) -> Seen:
    return _run(partial(_many_images, n=n), TYPICAL, jobs, seed)


def _many_images(world: CalmWorld, jobs: int, n: int) -> None:
    world.run_busy(jobs, n=n)


def _run(way: Callable[[CalmWorld, int], None], seconds: float, jobs: int, seed: int) -> Seen:
    with calm_world(about(seconds), seed=seed) as world:
        way(world, jobs)
        delays = world.delays()
        queries = world.queries / len(world.done)
    return Seen(quantile(delays, 0.5), quantile(delays, 0.95), queries)
