"""One measurement with several seeds, over all cores.

A seed decides the order of what happens at the same time, the round trips and the tasks' durations.
One seed proves little: the median, the worst one and all of them are shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from tests.bench.results import Line, line
from tests.simulation.play import checking_once
from tests.simulation.pool import workers

SEEDS = range(8)

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


def with_seeds(
    works: Mapping[K, Callable[[int], T]], brief: bool, seeds: Sequence[int] = SEEDS
) -> dict[K, list[T]]:
    """What each work returns for each seed, in the order of the seeds.

    The works go to other processes, so they are functions of modules or partials of these. `brief`:
    the first seed only, in this process.
    """
    if brief:
        return {name: [_one(work, seeds[0])] for name, work in works.items()}
    with workers(len(os.sched_getaffinity(0))) as pool:
        futures = {
            name: [pool.submit(_one, work, seed) for seed in seeds] for name, work in works.items()
        }
        return {name: [one.result() for one in several] for name, several in futures.items()}


def seeded(name: str, values: Sequence[float], unit: str, *, ours: bool = True) -> Line:
    """The median over the seeds, the smallest and the largest; all of them in the note."""
    note = "by seed: " + ", ".join(f"{value:.3g}" for value in values)
    return line(name, values, unit, ours=ours, note=note)


def _one(work: Callable[[int], T], seed: int) -> T:
    with checking_once():
        return work(seed)
