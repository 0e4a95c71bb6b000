"""Thousands of stories under one roof: in none of them is a job lost, doubled or paid for twice.

SEEDS in the environment says how many runs there are (500), the first is run 0. A failure says what
happened and names the command that shows the same run again.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.chaos import CUT, LIST_EMPTY, LIST_FAULTS, OUTAGES, SITES, WAKING
from tests.simulation.mutations import MUTATIONS
from tests.simulation.pool import Tally, in_parts, replay, run_seeds, workers

SEEDS = int(os.environ.get("SEEDS", "500"))
ENOUGH = 1000
"""From so many runs on, every kind of fault is met."""

pytestmark = pytest.mark.timeout(1500)


def test_every_invariant_holds_and_every_kind_of_fault_is_met() -> None:
    tally = Tally()
    with workers(1) as pool:
        for part in in_parts(pool, range(SEEDS)):
            tally.add(part)
    failures = [f"seed {n}: {what}\n  {replay(n)}" for n, what in sorted(tally.broken.items())]
    assert not failures, "\n".join([*failures, tally.told])
    assert tally.seeds == SEEDS
    kinds = {kind for site in (*SITES.values(), *WAKING.values()) for kind in site}
    kinds |= {*OUTAGES, CUT, *LIST_FAULTS, LIST_EMPTY}
    if SEEDS >= ENOUGH:
        assert kinds - set(tally.faults) == set()


def test_every_deliberate_mistake_can_still_be_made() -> None:
    for mutation in MUTATIONS.values():
        assert mutation.changes(), f"{mutation.what}: nothing is changed"


def test_the_same_seed_tells_the_same_story() -> None:
    stories = []
    for _ in range(2):
        with workers(1) as fresh:
            stories.append(fresh.submit(run_seeds, [3, 5], "", False, True).result().told)
    assert stories[0] == stories[1] != ""
