"""Processes that run seeds.

Sets of strings are walked in an order that Python chooses anew for each process; a fixed hash seed,
which has to be there before a process starts, makes every run repeatable exactly.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.mutations import MUTATIONS, NONE
from tests.simulation.play import checking_once, play

COLLECTIONS = (50_000, 20, 100)
"""Nearly all that a run makes lives as long as the run: garbage is looked for rarely."""
REPLAY = ".venv/bin/python -m tests.simulation.run --seed {seed}{mutation} --story"


@dataclass
class Tally:
    """What several runs came to. `told`: the story of the first that failed."""

    seeds: int = 0
    calls: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)
    told: str = ""

    def add(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.calls += other.calls
        self.seconds += other.seconds
        self.faults += other.faults
        self.broken |= other.broken
        self.told = self.told or other.told


def run_seeds(
    seeds: Iterable[int], mutation: str = "", first: bool = False, whole: bool = False
) -> Tally:
    """Run seeds in this process. `first`: stop at the first failure; `whole`: tell all of it."""
    tally = Tally()
    change = MUTATIONS[mutation] if mutation else NONE
    with checking_once(), change.applied():
        for seed in seeds:
            outcome = play(seed)
            tally.seeds += 1
            tally.calls += outcome.calls
            tally.seconds += outcome.seconds
            tally.faults.update(outcome.faults)
            if outcome.broken:
                tally.broken[seed] = outcome.broken
            if outcome.broken and not tally.told:
                tally.told = outcome.story.digest()
            if whole:
                tally.told = outcome.story.whole()
            if outcome.broken and first:
                break
    return tally


def replay(seed: int, mutation: str = "") -> str:
    """The command that shows a run again."""
    return REPLAY.format(seed=seed, mutation=f" --mutation {mutation}" if mutation else "")


@contextmanager
def workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes with the hash seed that all runs use."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = "0"
    try:
        fresh = get_context("spawn")
        with ProcessPoolExecutor(jobs, fresh, gc.set_threshold, COLLECTIONS) as pool:
            yield pool
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def in_parts(
    pool: ProcessPoolExecutor, seeds: range, mutation: str = "", size: int = 50
) -> Iterator[Tally]:
    """Run seeds in the pool, a part at a time; each part's tally as it is done."""
    starts = range(seeds.start, seeds.stop, size)
    parts = [range(start, min(start + size, seeds.stop)) for start in starts]
    tasks = [pool.submit(run_seeds, part, mutation) for part in parts]
    for task in as_completed(tasks):
        yield task.result()
