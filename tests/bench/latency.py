"""From the end of a task at the service to its image in the bucket, and the queries it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.peers import every, loop
from tests.bench.results import OURS, Line, Measure, line, quantile
from tests.bench.world import CalmWorld, about, calm_world
from tests.simulation.play import checking_once

TASK_SECONDS = 27.0
JOBS = 60
GOAL = 1.0
MOST_QUERIES = 3.0

Start = Callable[[CalmWorld, int], None]
WAYS: dict[str, Start] = {
    OURS: CalmWorld.put_jobs,
    "dashscope SDK wait, download, put": loop,
    "a poll every 10 s": lambda world, jobs: loop(world, jobs, 1, every(10.0)),
    "a poll a minute (timer only)": lambda world, jobs: loop(world, jobs, 1, every(60.0)),
}


@dataclass(frozen=True)
class Seen:
    """Delays in seconds, and queries a job."""

    delays: list[float]
    queries: float


def measures(brief: bool = False) -> list[Measure]:
    """Ours and the others'."""
    jobs = 4 if brief else JOBS
    with checking_once():
        seen = {name: _run(start, jobs) for name, start in WAYS.items()}
    delays = [line(name, one.delays, "s", ours=name == OURS) for name, one in seen.items()]
    queries = [
        Line(name, round(one.queries, 2), "queries a job", ours=name == OURS)
        for name, one in seen.items()
    ]
    quick = quantile(seen[OURS].delays, 0.95) <= GOAL
    few = seen[OURS].queries <= MOST_QUERIES
    return [
        Measure("latency", f"p95 ≤ {GOAL:g} s", quick, delays),
        Measure("queries", f"≤ {MOST_QUERIES:g} at that p95", few, queries),
    ]


def _run(start: Start, jobs: int) -> Seen:
    with calm_world(about(TASK_SECONDS)) as world:
        start(world, jobs)
        world.run(lambda: len(world.stored) == jobs)
        return Seen(world.delays(), world.queries / jobs)
