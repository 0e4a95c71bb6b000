"""Whether the account's limits hold while many instances submit."""

from __future__ import annotations

import random
from bisect import bisect_right

from shared.catalogue.models import Limits
from tests.bench.results import Line, Measure
from tests.bench.world import calm_world
from tests.simulation.play import checking_once

JOBS = 10_000
SECONDS = 180.0
"""In which all job files are uploaded."""
MANY = Limits(submissions=2, per_seconds=1, concurrent=5, queue_ahead=1)
ALLOWED = MANY.concurrent + MANY.queue_ahead
"""Tasks that may run or wait at the service."""


def measures(brief: bool = False) -> list[Measure]:
    """The most that arrived in any window, and the most that were in flight."""
    jobs = 60 if brief else JOBS
    rng, instances = random.Random(11), list[int]()
    with checking_once(), calm_world(_seconds, MANY, learn=False) as world:
        for number in range(jobs):
            world.put_jobs(1, first=number, at=SECONDS * rng.random())
        world.bucket.watchers.append(lambda *_: instances.append(world.cloud.running["submit"]))
        world.run(lambda: len(world.done) == jobs)
        tasks, posts = list(world.studio.tasks.values()), sum(world.studio.requests.values())
    created = sorted(task.created for task in tasks)
    bunch = max(in_window(created, at, MANY.per_seconds) for at in created)
    flying = most_at_once([(task.created, task.end) for task in tasks])
    over = max(0, bunch - MANY.submissions) + max(0, flying - ALLOWED) + (posts - jobs)
    lines = (
        Line("submissions in any sliding second", bunch, f"of {MANY.submissions}", ours=True),
        Line("tasks in flight", flying, f"of {ALLOWED}", ours=True),
        Line("create calls", posts, f"for {jobs} jobs", ours=True),
        Line("instances of `submit` at once", max(instances), "instances", ours=True),
    )
    return [Measure("limits", "0 over", over == 0, lines)]


def _seconds(rng: random.Random) -> float:
    return 4.0 + 2.0 * rng.random()


def in_window(moments: list[float], end: float, length: float) -> int:
    """How many lie in the window that ends at `end`; its beginning is not part of it."""
    return bisect_right(moments, end) - bisect_right(moments, end - length)


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """The most spans (start, end) that overlap."""
    events = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = now = 0
    for _, change in events:
        now += change
        most = max(most, now)
    return most
