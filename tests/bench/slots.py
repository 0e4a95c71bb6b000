"""Many tasks at once: how much of the account is used, how late images are, and the queries.

Answers tell no times. Jobs keep coming (`CalmWorld.keep_coming`), or all come at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median

from shared.catalogue.models import Limits
from tests.bench.results import Line, Measure, quantile
from tests.bench.seeds import seeded, with_seeds
from tests.bench.windows import in_window
from tests.bench.world import CalmWorld, about, calm_world
from tests.simulation.studio import SimTask

TASK_SECONDS = 27.0
SLOTS = (20, 50)
JOBS, AT_ONCE = 300, 200
MOST_QUERIES, QUERIES_P95 = 3.0, 1.0
LEAST_USED, USED_P95, MOST_A_SECOND = 95.0, 1.5, 20
"""Percent of the slots, seconds, and queries in a second: the service's documented limit."""


@dataclass(frozen=True)
class Seen:
    """Of one seed: percent of the slots that had a task, delays in seconds, queries a job, and the
    most of these that arrived in any sliding second."""

    used: float
    p95: float
    queries: float
    burst: int


def measures(brief: bool = False) -> list[Measure]:
    """Queries a job by slots, and how well fifty slots are used."""
    jobs = {True: 60, False: 60} if brief else {True: JOBS, False: AT_ONCE}
    works = {
        (slots, coming): partial(_run, slots, coming, jobs[coming])
        for slots in SLOTS
        for coming in (True, False)
    }
    seen = with_seeds(works, brief)
    return [_queries({slots: seen[slots, True] for slots in SLOTS}), _used(seen)]


def _queries(by_slots: Mapping[int, list[Seen]]) -> Measure:
    lines = list[Line]()
    for slots, seen in by_slots.items():
        lines.append(
            seeded(f"{slots} slots, queries a job", [one.queries for one in seen], "queries a job")
        )
        lines.append(seeded(f"{slots} slots, p95", [one.p95 for one in seen], "s"))
    most = max(median(one.queries for one in seen) for seen in by_slots.values())
    late = max(median(one.p95 for one in seen) for seen in by_slots.values())
    worst = max(one.queries for seen in by_slots.values() for one in seen)
    goal = f"medians ≤ {MOST_QUERIES:g} queries a job and p95 ≤ {QUERIES_P95:g} s"
    result = f"{most:.3g}, p95 {late:.3g} s; worst seed {worst:.3g}"
    reached = most <= MOST_QUERIES and late <= QUERIES_P95
    return Measure("slots-queries", goal, reached, lines, result)


def _used(seen: Mapping[tuple[int, bool], list[Seen]]) -> Measure:
    lines = [
        one
        for (slots, coming), many in seen.items()
        for one in _lines(f"{slots} slots, jobs {'keep coming' if coming else 'at once'}", many)
    ]
    goals = seen[50, True]
    used, late = median(one.used for one in goals), median(one.p95 for one in goals)
    burst = max(one.burst for many in seen.values() for one in many)
    reached = used >= LEAST_USED and late <= USED_P95 and burst <= MOST_A_SECOND
    goal = (
        f"50 slots: medians ≥ {LEAST_USED:g} % used and p95 ≤ {USED_P95:g} s;"
        f" never more than {MOST_A_SECOND} queries in a second"
    )
    result = f"{used:.3g} % used, p95 {late:.3g} s; {burst} queries in the worst seed"
    return Measure("slots-used", goal, reached, lines, result)


def _lines(name: str, seen: list[Seen]) -> list[Line]:
    return [
        seeded(f"{name}, slots used", [one.used for one in seen], "%"),
        seeded(f"{name}, p95", [one.p95 for one in seen], "s"),
        seeded(f"{name}, most queries in a second", [one.burst for one in seen], "queries"),
    ]


def _run(slots: int, coming: bool, jobs: int, seed: int) -> Seen:
    limits = Limits(submissions=5, per_seconds=1, concurrent=slots, queue_ahead=1)
    with calm_world(about(TASK_SECONDS), limits, seed=seed) as world:
        if coming:
            world.run_busy(jobs, before=slots)
        else:
            world.put_jobs(jobs)
            world.run(lambda: len(world.done) == jobs)
        delays, asked = world.delays(), world.studio.asked
        return Seen(
            used=100 * _share(world, slots),
            p95=quantile(delays, 0.95),
            queries=world.queries / len(world.done),
            burst=max(in_window(asked, at, 1.0) for at in asked),
        )


def _share(world: CalmWorld, slots: int) -> float:
    """The slots' time with a task, from the first task made to the last one made: until then a
    job waits for every slot that is empty."""
    first, last = world.tasks[0].created, world.tasks[-1].created
    tasks = world.studio.tasks.values()
    return sum(_within(task, first, last) for task in tasks) / (slots * (last - first))


def _within(task: SimTask, first: float, last: float) -> float:
    return max(0.0, min(task.end, last) - max(task.start, first))
