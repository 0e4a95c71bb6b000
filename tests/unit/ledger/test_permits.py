"""Permits: no window at the service ever holds more than the limit, and hardly less."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.catalogue.models import Limits
from shared.ledger.permits import Permits
from tests.kit.lease import WrongClock, spent
from tests.simulation.kernel import Kernel

REQUEST = 30.0
SHORT = 0.02
RESOLUTION = 1e-6
"""Seconds; what floats of today's date cannot tell apart."""


def limits(submissions: int, seconds: int) -> Limits:
    return Limits(submissions, seconds, concurrent=1, queue_ahead=0)


class Way(NamedTuple):
    """Seconds of one submission: before it, until the service counts it, and until the answer."""

    pause: float
    there: float
    back: float


def instance(timeline: Kernel, started: float = 0.0) -> Permits:
    """One whose monotonic clock began at some other moment."""
    return Permits(WrongClock(timeline, stood_still=started))


def send(permits: Permits, limit: Limits, way: Way, model: str = "brush") -> float:
    """Send one submission as soon as it may go; when the service counted it."""
    clock = permits.clock
    clock.sleep(way.pause)
    wait = permits.wait(model, limit)
    clock.sleep(wait)
    assert permits.wait(model, limit) < RESOLUTION, "it did not say how long to wait"
    with spent(permits, model, limit):
        clock.sleep(way.there)
        counted = clock.now()
        clock.sleep(way.back)
    return counted


def fullest_window(moments: list[float], seconds: float) -> int:
    end = seconds - RESOLUTION
    return max(sum(start <= one < start + end for one in moments) for start in moments)


def seconds(most: int) -> st.SearchStrategy[float]:
    """In parts that a float holds exactly, so that the arithmetic of the test is exact."""
    return st.integers(0, most * 64).map(lambda number: number / 64)


WAYS = st.lists(st.builds(Way, seconds(3), seconds(30), seconds(30)), min_size=1, max_size=40)
SHORT_WAYS = st.lists(st.builds(Way, seconds(1), seconds(1), seconds(1)), min_size=1, max_size=40)
LIMITS = st.sampled_from([(5, 1), (2, 1), (1, 1), (2, 60), (20, 60)])


@settings(max_examples=200, deadline=None)
@given(limit=LIMITS, ways=WAYS | SHORT_WAYS)
def test_no_window_at_the_service_holds_more_than_the_limit(
    limit: tuple[int, int], ways: list[Way]
) -> None:
    permits, chosen = instance(Kernel()), limits(*limit)
    counted = [send(permits, chosen, way) for way in ways]
    assert fullest_window(counted, chosen.per_seconds) <= chosen.submissions


@settings(max_examples=100, deadline=None)
@given(limit=LIMITS, ways=WAYS | SHORT_WAYS, turns=st.integers(1, 5))
def test_nor_where_the_lease_goes_from_instance_to_instance(
    limit: tuple[int, int], ways: list[Way], turns: int
) -> None:
    timeline, chosen = Kernel(), limits(*limit)
    permits, counted = instance(timeline), []
    for number, way in enumerate(ways):
        counted.append(send(permits, chosen, way))
        if number % turns == 0:
            permits = handed_over(permits, instance(timeline, started=1000.0 * number), SHORT)
    assert fullest_window(counted, chosen.per_seconds) <= chosen.submissions


def handed_over(old: Permits, new: Permits, way: float = 0.0) -> Permits:
    """The next holder, with what the last one wrote into the lease; `way`: seconds in between."""
    said = json.dumps(old.state())
    new.clock.sleep(way)
    new.restore(json.loads(said), REQUEST)
    return new


@pytest.mark.parametrize(("submissions", "per"), [(5, 1), (2, 1), (20, 60)])
def test_nearly_all_of_the_rate_is_used(submissions: int, per: int) -> None:
    timeline, chosen = Kernel(), limits(submissions, per)
    permits, counted = instance(timeline), []
    until = timeline.now + 100 * per
    while timeline.now < until:
        counted.append(send(permits, chosen, Way(0.0, SHORT / 2, SHORT / 2)))
    assert len(counted) >= 0.95 * 100 * submissions


def test_the_first_submissions_do_not_wait_for_each_other() -> None:
    timeline, chosen = Kernel(), limits(5, 60)
    permits, began = instance(timeline), timeline.now
    for _ in range(5):
        send(permits, chosen, Way(0.0, 0.0, 0.0))
    assert timeline.now == began
    assert permits.wait("brush", chosen) == 60.0


def test_a_permit_is_spent_from_the_moment_of_sending() -> None:
    permits, chosen = instance(Kernel()), limits(2, 1)
    with spent(permits, "brush", chosen):
        assert permits.wait("brush", chosen) == 0.0
        with spent(permits, "brush", chosen):
            assert permits.wait("brush", chosen) == math.inf


def test_a_submission_that_fails_has_spent_its_permit() -> None:
    permits, chosen = instance(Kernel()), limits(1, 60)
    with pytest.raises(ConnectionError), spent(permits, "brush", chosen):
        raise ConnectionError
    assert permits.wait("brush", chosen) == 60.0


def test_models_have_permits_of_their_own() -> None:
    permits, chosen = instance(Kernel()), limits(1, 60)
    with spent(permits, "brush", chosen):
        assert permits.wait("pencil", chosen) == 0.0


# From holder to holder


def test_the_next_holder_knows_what_the_last_one_knew() -> None:
    timeline, chosen = Kernel(), limits(2, 60)
    old = instance(timeline)
    send(old, chosen, Way(0.0, 1.0, 1.0))
    send(old, chosen, Way(5.0, 1.0, 1.0))
    send(old, chosen, Way(0.0, 0.0, 0.0), "pencil")
    new = handed_over(old, instance(timeline, started=500.0))
    assert new.state() == old.state() != {}
    for model in ("brush", "pencil", "sketch"):
        assert new.wait(model, chosen) == pytest.approx(old.wait(model, chosen), abs=0.001)


def test_what_has_returned_is_not_handed_over() -> None:
    timeline, chosen = Kernel(), limits(2, 1)
    permits = instance(timeline)
    send(permits, chosen, Way(0.0, 0.0, 0.0))
    timeline.wait(1.0)
    assert permits.state() == {}


def test_a_first_holder_has_all_permits() -> None:
    permits = instance(Kernel())
    permits.restore({}, REQUEST)
    assert permits.wait("brush", limits(1, 60)) == 0.0


UNKNOWN: list[Any] = [None, "x", 7, [], [1]]
UNKNOWN += [{"brush": 1}, {"brush": "x"}, {"brush": [None]}, {"x": [[]]}]


@pytest.mark.parametrize("state", UNKNOWN)
def test_where_nobody_knows_all_are_spent_for_a_window_and_a_request(state: Any) -> None:
    timeline, chosen = Kernel(), limits(5, 60)
    permits = instance(timeline)
    permits.restore(state, REQUEST)
    assert permits.wait("brush", chosen) == REQUEST + 60
    assert permits.wait("pencil", limits(2, 1)) == REQUEST + 1
    timeline.wait(REQUEST + 59)
    assert permits.wait("brush", chosen) == 1.0
    timeline.wait(1)
    assert permits.wait("brush", chosen) == 0.0


def test_that_nobody_knows_is_handed_over_too() -> None:
    timeline, chosen = Kernel(), limits(5, 60)
    old = instance(timeline)
    old.restore(None, REQUEST)
    timeline.wait(10)
    new = handed_over(old, instance(timeline, started=500.0))
    assert new.wait("brush", chosen) == pytest.approx(REQUEST + 50)
    timeline.wait(REQUEST + 50)
    assert handed_over(new, instance(timeline)).wait("brush", chosen) == 0.0


def test_nor_does_the_window_after_that_end_with_a_holder() -> None:
    """What nobody knows of may have been counted as late as the request could take."""
    timeline, chosen = Kernel(), limits(1, 60)
    old = instance(timeline)
    old.restore(None, REQUEST)
    timeline.wait(REQUEST + 10)
    new = handed_over(old, instance(timeline, started=500.0))
    assert new.wait("brush", chosen) == pytest.approx(50)
    timeline.wait(20)
    assert handed_over(new, instance(timeline)).wait("brush", chosen) == pytest.approx(30)


def test_permits_are_spent_in_the_order_of_the_line() -> None:
    permits, chosen = instance(Kernel()), limits(2, 60)
    first, second = (permits.line_up("brush", chosen) for _ in range(2))
    assert permits.turn(second) == (0.0, False)
    assert not permits.spend(second), "it would overtake the first one"
    assert permits.spend(first)
    assert permits.spend(second)


def test_where_the_line_is_stopped_nobody_behind_may_send() -> None:
    permits, chosen = instance(Kernel()), limits(5, 60)
    first, second = (permits.line_up("brush", chosen) for _ in range(2))
    permits.stop_line(first)
    third, other = permits.line_up("brush", chosen), permits.line_up("pencil", chosen)
    permits.give_back(first)
    assert not permits.spend(second)
    assert not permits.spend(third)
    assert permits.spend(other), "another model's line"
    for one in (second, third):
        permits.give_back(one)
    assert permits.spend(permits.line_up("brush", chosen)), "the line begins again"


def test_a_permit_is_spent_once() -> None:
    permits, chosen = instance(Kernel()), limits(2, 60)
    first = permits.line_up("brush", chosen)
    assert permits.spend(first)
    assert first.is_void, "whoever waits for its turn waits no longer"


def test_a_permit_that_is_not_spent_is_free_for_the_next_one() -> None:
    permits, chosen = instance(Kernel()), limits(1, 60)
    first = permits.line_up("brush", chosen)
    assert permits.wait("brush", chosen) == math.inf
    permits.give_back(first)
    assert permits.wait("brush", chosen) == 0.0
