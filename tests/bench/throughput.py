"""Jobs an hour through one slot, as a share of what the tasks' own time allows.

Jobs keep coming (`CalmWorld.keep_coming`), or all come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from tests.bench.peers import loop, sdk_pauses
from tests.bench.results import OURS, Line, Measure
from tests.bench.seeds import seeded, with_seeds
from tests.bench.world import CalmWorld, calm_world
from tests.simulation.cloud import TICK
from tests.simulation.kernel import START
from tests.simulation.studio import SimTask

TASK_SECONDS = (5.0, 10.0, 20.0, 40.0, 75.0)
SHORT = 5.0
JOBS, FEWER_JOBS = 150, 15
"""Ours with tasks of `SHORT` seconds, and all others."""
QUEUES_GOAL, REFUSES_GOAL = 99.0, 98.0
"""Percent of the ideal: in each seed where the service queues, for every task time; and the median
for tasks of `SHORT` seconds where it answers 429."""
CREATE = 0.031
"""Mean seconds of a create call here; the ideal has one between two tasks."""

AT_ONCE = f"{OURS} at once"
Start = Callable[[CalmWorld, int], None]


@dataclass(frozen=True)
class Case:
    """A way to run jobs, whether the service queues, and the seconds of a task."""

    way: str
    queues: bool
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.way}, {'queues' if self.queues else '429'}, {self.seconds:g} s"


def _coming(world: CalmWorld, jobs: int) -> None:
    world.run_busy(jobs + 1)


def _at_once(world: CalmWorld, jobs: int) -> None:
    world.put_jobs(jobs)
    world.run(lambda: len(world.done) == jobs)


def _loop(world: CalmWorld, jobs: int, threads: int) -> None:
    loop(world, jobs, threads, sdk_pauses)
    world.run(lambda: len(world.done) == jobs)


def _once_a_minute(world: CalmWorld, jobs: int) -> None:
    """One poll and one submission a tick of the timer."""

    def pauses() -> Iterator[float]:
        while True:
            yield TICK - (world.kernel.now - START) % TICK

    loop(world, jobs, 1, pauses)
    world.run(lambda: len(world.done) == jobs)


WAYS: dict[str, Start] = {
    OURS: _coming,
    AT_ONCE: _at_once,
    "dashscope SDK `call` in a loop": partial(_loop, threads=1),
    "dashscope SDK `call` in 4 threads": partial(_loop, threads=4),
    "one poll a minute": _once_a_minute,
}


def measures(brief: bool = False) -> list[Measure]:
    """Ours and the others', for every task time, with both kinds of service."""
    tasks = TASK_SECONDS[:1] if brief else TASK_SECONDS
    cases = [
        Case(way, queues, each)
        for way in WAYS
        for queues in (True, False)
        for each in (tasks[:1] if way == AT_ONCE else tasks)
    ]
    seen = with_seeds({case: partial(_share, case, _jobs(case, brief)) for case in cases}, brief)
    return [_measure(seen, queues) for queues in (True, False)]


def _jobs(case: Case, brief: bool) -> int:
    if brief:
        return 3
    ours = case.way.startswith(OURS)
    return JOBS if ours and case.seconds == SHORT else FEWER_JOBS


def _measure(seen: Mapping[Case, Sequence[float]], queues: bool) -> Measure:
    chosen = {case: shares for case, shares in seen.items() if case.queues == queues}
    lines: list[Line] = [
        seeded(case.name, shares, "% of ideal", ours=case.way.startswith(OURS))
        for case, shares in chosen.items()
    ]
    if queues:
        least = min(min(shares) for case, shares in chosen.items() if case.way == OURS)
        goal, result = f"≥ {QUEUES_GOAL:g} % of ideal in each seed", f"{least:.3g} % at worst"
        return Measure("throughput", goal, least >= QUEUES_GOAL, lines, result)
    shares = chosen[Case(OURS, False, SHORT)]
    goal = f"tasks of {SHORT:g} s: ≥ {REFUSES_GOAL:g} % of ideal"
    result = f"{median(shares):.3g} %, worst seed {min(shares):.3g} %"
    return Measure("throughput-429", goal, median(shares) >= REFUSES_GOAL, lines, result)


def _share(case: Case, jobs: int, seed: int) -> float:
    """Percent of the ideal that the time from the first task's start to the last's end is."""
    seconds = case.seconds
    with calm_world(lambda _rng: seconds, queues=case.queues, seed=seed) as world:
        WAYS[case.way](world, jobs)
        tasks = sorted(world.tasks, key=_end)[:jobs]
        took = max(task.end for task in tasks) - min(task.start for task in tasks)
    return 100 * (jobs * seconds + (jobs - 1) * CREATE) / took


def _end(task: SimTask) -> float:
    return task.end
