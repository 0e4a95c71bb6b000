"""Jobs an hour through one slot, as a share of what the tasks' own time allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.bench.peers import loop
from tests.bench.results import OURS, Line, Measure
from tests.bench.world import CalmWorld, calm_world
from tests.simulation.cloud import TICK
from tests.simulation.kernel import START
from tests.simulation.play import checking_once

TASK_SECONDS = (5.0, 10.0, 20.0, 40.0, 75.0)
JOBS = 50
GOALS = {True: 0.99, False: 0.97}
"""Shares of the ideal, where the service queues and where it answers 429."""
CREATE = 0.031
"""Mean seconds of a create call here; the ideal has one between two tasks."""

Start = Callable[[CalmWorld, int], None]


def _once_a_minute(world: CalmWorld, jobs: int) -> None:
    """One poll and one submission a tick of the timer."""

    def pauses() -> Iterator[float]:
        while True:
            yield TICK - (world.kernel.now - START) % TICK

    loop(world, jobs, 1, pauses)


WAYS: dict[str, Start] = {
    OURS: CalmWorld.put_jobs,
    "dashscope SDK `call` in a loop": loop,
    "dashscope SDK `call` in 4 threads": lambda world, jobs: loop(world, jobs, 4),
    "one poll a minute": _once_a_minute,
}


def measures(brief: bool = False) -> list[Measure]:
    """Ours and the others', for every task time, with both kinds of service."""
    jobs, tasks = (3, TASK_SECONDS[:1]) if brief else (JOBS, TASK_SECONDS)
    lines, reached = [], True
    with checking_once():
        for name, start in WAYS.items():
            for queues, kind in ((True, "queues"), (False, "429")):
                shares = {each: _share(each, queues, start, jobs) for each in tasks}
                lines += [
                    Line(
                        f"{name}, service {kind}, {each:g} s",
                        round(100 * share, 2),
                        "% of ideal",
                        ours=name == OURS,
                    )
                    for each, share in shares.items()
                ]
                reached &= name != OURS or min(shares.values()) >= GOALS[queues]
    goal = "≥ 99 % of ideal where the service queues, ≥ 97 % where it answers 429"
    return [Measure("throughput", goal, reached, lines)]


def _share(seconds: float, queues: bool, start: Start, jobs: int) -> float:
    """The ideal time of the jobs, divided by that from the first task's start to the last's end."""
    with calm_world(lambda _rng: seconds, queues=queues) as world:
        start(world, jobs)
        world.run(lambda: len(world.done) == jobs)
        took = max(task.end for task in world.tasks) - min(task.start for task in world.tasks)
    return (jobs * seconds + (jobs - 1) * CREATE) / took
