"""Whether the account's limits hold under many instances."""

from __future__ import annotations

import random
from bisect import bisect_right

from shared.catalogue.models import Limits
from tests.bench.results import SIMULATED, Line, Measure
from tests.bench.world import CalmWorld, quick

JOBS = 10_000
TEXT = """{jobs} job files are uploaded within {minutes:g} minutes; `submit` runs in as many
instances as there are events ({most} at once were seen), beside one poller. Tasks take 4 to 6 s;
the limits are {count} submissions in any {window} s and {tasks} tasks in flight (what runs at once
and what may wait at the service). Counted is what arrives at the service."""
MINUTES = 3.0
MANY = Limits(submissions=2, per_seconds=1, concurrent=5, queue_ahead=1)


def measures(brief: bool = False) -> list[Measure]:
    """The most that arrived in any window, and the most that were in flight."""
    jobs = 300 if brief else JOBS
    with quick():
        world = CalmWorld(_seconds, limits=MANY)
        rng = random.Random(11)
        for number in range(jobs):
            world.put_jobs(1, first=number, at=MINUTES * 60 * rng.random())
        most = _watch(world)
        world.run(lambda: len(world.done) == jobs)
    created = sorted(task.created for task in world.studio.tasks.values())
    bunch = max(_in_window(created, at, MANY.per_seconds) for at in created)
    flying = _most_at_once([(task.created, task.end) for task in world.studio.tasks.values()])
    posts = sum(world.studio.requests.values())
    world.close()
    allowed = MANY.concurrent + MANY.queue_ahead
    over = max(0, bunch - MANY.submissions) + max(0, flying - allowed) + (posts - jobs)
    text = TEXT.format(
        jobs=jobs,
        minutes=MINUTES,
        most=most[0],
        count=MANY.submissions,
        window=MANY.per_seconds,
        tasks=allowed,
    )
    lines = (
        Line("submissions in any sliding second", bunch, f"of {MANY.submissions}", ours=True),
        Line("tasks in flight", flying, f"of {allowed}", ours=True),
        Line("create calls for as many jobs", posts, f"for {jobs}", ours=True),
    )
    return [Measure("limits", "The account's limits", SIMULATED, "0 over", over == 0, lines, text)]


def _seconds(rng: random.Random) -> float:
    return 4.0 + 2.0 * rng.random()


def _watch(world: CalmWorld) -> list[int]:
    most = [0]

    def written(_key: str, _before: bytes | None, _after: bytes | None) -> None:
        most[0] = max(most[0], world.cloud.running["submit"])

    world.bucket.watchers.append(written)
    return most


def _in_window(moments: list[float], end: float, length: float) -> int:
    """How many lie in the window that ends at `end`, its beginning not included."""
    return bisect_right(moments, end) - bisect_right(moments, end - length)


def _most_at_once(spans: list[tuple[float, float]]) -> int:
    events = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = now = 0
    for _, change in events:
        now += change
        most = max(most, now)
    return most
