"""What counts as too many in a sliding window, and as at once."""

from __future__ import annotations

import pytest

from tests.bench.windows import in_window, most_at_once, over


@pytest.mark.parametrize(
    ("moments", "beyond"),
    [
        ([0.0, 0.5, 1.0, 1.5], 0),
        ([0.0, 0.5, 0.999], 1),
        ([0.9, 1.0, 1.1, 1.2], 2),
        ([], 0),
    ],
    ids=["a window apart", "a little too soon", "over the end of a second", "none"],
)
def test_calls_beyond_two_a_second_are_counted(moments: list[float], beyond: int) -> None:
    assert over(moments, 2, 1.0) == beyond


def test_the_beginning_of_a_window_is_not_part_of_it() -> None:
    assert in_window([0.0, 1.0], 1.0, 1.0) == 1


def test_what_ends_when_another_begins_is_not_at_once_with_it() -> None:
    assert most_at_once([(0.0, 2.0), (1.0, 3.0), (2.0, 4.0)]) == 2
