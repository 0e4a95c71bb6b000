"""Results go to JSON and come back; windows are counted as the service counts them."""

from __future__ import annotations

import json

from tests.bench.limits import _in_window, _most_at_once
from tests.bench.results import COUNTED, Curve, Line, Measure, Plot, measure_of, sample


def test_a_measure_survives_json() -> None:
    plot = Plot("x", "y", (Curve("ours", (1.0, 2.0), (3.0, 4.0)),))
    lines = (sample([1.0, 2.0, 9.0]).line("ours", "s", ours=True), Line("theirs", 5.0, "s"))
    made = Measure("id", "title", COUNTED, "≤ 1", False, lines, plot=plot)
    assert measure_of(json.loads(json.dumps(made.to_dict()))) == made


def test_a_window_holds_its_end_and_not_its_beginning() -> None:
    moments = [1_790_000_000.0, 1_790_000_000.5, 1_790_000_001.0]
    assert [_in_window(moments, at, 1.0) for at in moments] == [1, 2, 2]


def test_tasks_at_once() -> None:
    assert _most_at_once([(0.0, 2.0), (1.0, 3.0), (2.0, 4.0)]) == 2
