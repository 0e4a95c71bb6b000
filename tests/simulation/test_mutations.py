"""Deliberate mistakes are found: each within the runs that the seeds test makes anyway."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.pool import replay, run_seeds, workers

SEEDS = 2000

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with workers(1) as made:
        yield made


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_is_found(pool: ProcessPoolExecutor, name: str) -> None:
    """A run that breaks an invariant with the mistake, and none without it."""
    start = 0
    while start < SEEDS:
        found = pool.submit(run_seeds, range(start, SEEDS), name, True).result().broken
        assert found, f"{MUTATIONS[name].what}: not found in {SEEDS} runs"
        seed, broken = next(iter(found.items()))
        if not pool.submit(run_seeds, [seed]).result().broken:
            print(f"{MUTATIONS[name].what}: seed {seed}, {broken}\n  {replay(seed, name)}")
            return
        start = seed + 1
