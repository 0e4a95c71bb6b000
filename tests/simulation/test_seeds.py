"""Thousands of stories under one roof: in none of them is a job lost, doubled or paid for twice.

SEEDS in the environment sets how many runs there are (2000), first one 0. A failure tells what
happened and the command that shows the same run again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.simulation.chaos import OUTAGES, SITES
from tests.simulation.pool import Tally, replay, run_seeds, workers

SEEDS = int(os.environ.get("SEEDS", "2000"))
PARTS = 20
SIZE = -(-SEEDS // PARTS)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with workers(1) as made:
        yield made


@pytest.fixture(scope="module")
def whole() -> Tally:
    """What all parts came to, filled as they run."""
    return Tally()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_invariant_holds(pool: ProcessPoolExecutor, whole: Tally, part: int) -> None:
    seeds = range(part * SIZE, min(SEEDS, (part + 1) * SIZE))
    tally = pool.submit(run_seeds, seeds).result()
    whole.add(tally)
    failures = [f"seed {n}: {what}\n  {replay(n)}" for n, what in sorted(tally.broken.items())]
    assert not failures, "\n".join([*failures, tally.told])


def test_every_kind_of_fault_was_met(whole: Tally) -> None:
    if whole.seeds < 1000:
        pytest.skip("too few runs to meet everything")
    kinds = {kind for site in SITES.values() for kind in site} | set(OUTAGES)
    assert kinds - set(whole.faults) == set()


def test_the_same_seed_tells_the_same_story() -> None:
    stories = []
    for _ in range(2):
        with workers(1) as fresh:
            stories.append(fresh.submit(run_seeds, [3, 5], "", False, True).result().told)
    assert stories[0] == stories[1] != ""
