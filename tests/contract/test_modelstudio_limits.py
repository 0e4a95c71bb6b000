from __future__ import annotations

from local.modelstudio.limits import SlidingSecond


def test_no_second_wherever_it_begins_holds_more_than_the_limit() -> None:
    window = SlidingSecond()
    asked = [0.0, 0.75, 0.875, 1.0, 1.5, 1.625, 1.75, 2.0]
    assert [at for at in asked if window.admit(at, 2)] == [0.0, 0.75, 1.0, 1.75, 2.0]
    assert window.peak == 2


def test_without_a_limit_all_pass_and_the_peak_is_known() -> None:
    window = SlidingSecond()
    assert all(window.admit(at / 8, None) for at in range(30))
    assert window.peak == 8
