"""`make bench` in its cheapest form where it needs servers and packages: each measurement is made.

What it finds says nothing of the machine's speed; tests/unit/bench has the fields of the figures.
"""

from __future__ import annotations

import pytest

from tests.bench.__main__ import run

pytestmark = pytest.mark.slow
WITH_SERVERS = ("intake", "depth", "listing", "quota", "callers", "memory", "rebuild", "oss_rates")


@pytest.mark.parametrize("name", WITH_SERVERS)
def test_a_measurement_is_made_to_its_end(name: str) -> None:
    measured = run(name, brief=True)
    assert all(one["lines"] for one in measured)
