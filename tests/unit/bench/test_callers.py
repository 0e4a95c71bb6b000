"""When the goals of callers beside waiting ones count as reached."""

from __future__ import annotations

import pytest

from tests.bench.callers import WAITERS, beside, processor


@pytest.mark.parametrize(("late", "reached"), [(0.15, True), (0.151, False)])
def test_every_kind_of_request_must_reach_the_ratio(late: float, reached: bool) -> None:
    found = {
        "/models": {False: [0.1], True: [0.1]},
        "/jobs/cat": {False: [0.1], True: [late]},
    }
    measure = beside(found)
    assert measure.reached is reached
    assert measure.lines[3].name == f"GET /jobs/cat, {WAITERS} wait"
    assert measure.lines[3].note.startswith("p95 × 1.5")


@pytest.mark.parametrize(("seconds", "reached"), [(0.00099, True), (0.001, False)])
def test_every_answer_must_stay_below_a_millisecond(seconds: float, reached: bool) -> None:
    assert processor({"/jobs/a": [0.0001], "/jobs/b": [seconds]}).reached is reached
