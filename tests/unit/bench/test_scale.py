from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.catalogue.models import Limits
from tests.bench.scale import curve as curves
from tests.bench.scale import day, layout
from tests.bench.scale.bill import bill
from tests.bench.scale.bounds import bounds
from tests.bench.scale.curve import Curve, Point, between
from tests.bench.scale.day import run, shape
from tests.bench.scale.facts import facts
from tests.bench.scale.intake import BackOff, take
from tests.bench.scale.lanes import serve
from tests.bench.scale.layout import Lane, Layout, Load
from tests.bench.scale.profile import Account, busy
from tests.bench.scale.sizing import carrying
from tests.bench.scale.tables import number, span, table

EVEN = BackOff(first=0.5, longest=18_000, age=86_400)
RESTING = Point(0.0, 0.2, 0.0, 16.0, 1.5, 70.0, 20.0, 15.0, 0.4, 0.8)
FULL = replace(RESTING, utilisation=1.0, poll_qps=5.0, poll_busy=1.0, submit_seconds=0.2)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up figures of a deployment, in place of measured ones."""
    made = Curve(tuple(between([RESTING, FULL])), 10 / 60)
    for module in (curves, layout):
        monkeypatch.setattr(module, "curve", lambda slots, seconds: made)
    for name in ("curve", "layout", "day", "bounds", "sizing"):
        monkeypatch.setattr(f"tests.bench.scale.{name}.ceiling", lambda: 0.8)


def test_events_for_which_there_is_room_do_not_wait() -> None:
    taken = take([3, 0, 2], lambda _second, _before: 5, EVEN)
    assert taken.admitted == [3, 0, 2]
    assert (taken.waited(1.0), taken.tries) == (0.0, 5)


def test_an_event_without_an_instance_comes_back_after_doubling_pauses() -> None:
    """Refused at 0, 1, 2, 4 and 8 s: pauses of 0.5 s (counted as one), 1, 2, 4 s."""
    room = {8: 1}
    taken = take([1] + [0] * 9, lambda second, _before: room.get(second, 0), EVEN)
    assert taken.admitted.index(1) == 8
    assert (taken.waited(1.0), taken.tries) == (8.0, 5)


def test_no_event_is_lost_or_doubled() -> None:
    taken = take([400] * 50 + [0] * 500, lambda _second, _before: 37, EVEN)
    assert sum(taken.admitted) + taken.waiting + taken.given_up == 400 * 50
    assert max(taken.admitted) == 37


def test_what_is_older_than_an_event_may_be_is_given_up() -> None:
    short = BackOff(first=0.5, longest=18_000, age=10)
    taken = take([5] + [0] * 30, lambda _second, _before: 0, short)
    assert (taken.given_up, taken.waiting) == (5, 0)


def test_spread_pauses_lie_around_the_even_one() -> None:
    spread = BackOff(first=0.5, longest=18_000, age=86_400, jitter=0.5)
    pauses = spread.pauses(9)
    assert (min(pauses), max(pauses)) == (64, 192)
    assert EVEN.pauses(9) == [128]
    assert EVEN.pauses(40) == [18_000]


def test_slots_serve_in_order_and_never_more_than_they_are() -> None:
    served = serve(np.array([0.0, 0.0, 0.0, 50.0]), 2, np.array([10.0, 20.0, 10.0, 10.0]))
    assert served.start.tolist() == [0.0, 0.0, 10.0, 50.0]
    assert served.waits.tolist() == [0.0, 0.0, 10.0, 0.0]


def test_a_poller_starts_one_job_after_the_other() -> None:
    served = serve(np.zeros(3), 5, np.full(3, 10.0), spacing=2.0)
    assert served.start.tolist() == [0.0, 2.0, 4.0]


def test_what_does_not_start_in_time_is_left() -> None:
    served = serve(np.zeros(5), 1, np.full(5, 10.0), until=25.0)
    assert (len(served.start), served.left) == (3, 2)


def test_slots_are_filled_as_the_real_handlers_fill_them() -> None:
    real = busy(Account(Limits(5, 1, 5, 1), 60.0), 60)
    built = serve(np.zeros(60), 5, np.full(60, real.task_seconds)).end.max()
    assert real.elapsed == pytest.approx(built, rel=0.08)


def test_the_day_has_its_mean_and_its_peak() -> None:
    found = shape(3.0)
    assert float(found.mean()) == pytest.approx(1.0)
    assert float(found.max()) == pytest.approx(3.0, rel=0.03)


def test_points_between_lie_on_the_line() -> None:
    fine = between([RESTING, FULL])
    assert fine[50].poll_qps == pytest.approx(2.6)
    assert (fine[0], fine[100]) == (RESTING, FULL)


@pytest.mark.usefixtures("figures")
def test_a_day_within_the_limits_ends_with_nothing_left() -> None:
    plan = Layout(2, (Lane("model", 10, 60.0, image=0.2),), 100)
    found = run(plan, Load(10_000, 1.0))
    assert found.arrived == pytest.approx(10_000, rel=0.05)
    assert found.started + found.left == found.arrived
    assert found.left <= 2
    assert found.utilisation == pytest.approx(10_000 / 86_400 * 60 / 20, rel=0.05)
    assert bill(found).images == pytest.approx(0.2 * found.started)


@pytest.mark.usefixtures("figures")
def test_beyond_the_slots_jobs_wait_and_the_slots_are_full() -> None:
    plan = Layout(2, (Lane("model", 10, 60.0),), 100)
    found = run(plan, Load(60_000, 1.0))
    assert found.utilisation > 0.98
    assert found.started == pytest.approx(20 / 60 * 86_400, rel=0.01)
    assert found.waiting()[-1] == found.left


@pytest.mark.usefixtures("figures")
def test_too_few_instances_make_events_wait_not_jobs() -> None:
    plan = Layout(1, (Lane("model", 10, 60.0),), 3)
    tight = run(plan, Load(0, 1.0, burst=10_000))
    ample = run(replace(plan, instances=300), Load(0, 1.0, burst=10_000))
    assert tight.taken.waited(0.95) > ample.taken.waited(0.95)
    assert max(tight.used.instances) <= 3


@pytest.mark.usefixtures("figures")
def test_a_bucket_takes_no_more_than_its_rate() -> None:
    found = run(Layout(1, (Lane("model", 10, 60.0),), 100_000), Load(0, 1.0, burst=100_000))
    assert max(found.used.operations) <= facts().of("oss", "sequential_qps")


@pytest.mark.usefixtures("figures")
def test_the_lowest_bound_comes_first_and_more_accounts_raise_it() -> None:
    one = Layout(10, (Lane("model", 10, 60.0),), 100)
    found = bounds(one)
    assert found[0].name == "tasks at once at Model Studio"
    assert found[0].rate == pytest.approx(10 * 10 / 60)
    assert bounds(replace(one, accounts=2))[0].rate == pytest.approx(2 * found[0].rate)


@pytest.mark.usefixtures("figures")
def test_a_carrying_layout_carries() -> None:
    load = Load(100_000, 3.0)
    plan = carrying(load, (Lane("model", 10, 60.0),))
    assert plan.fits
    assert min(bound.jobs_a_day(load) for bound in bounds(plan)) >= load.jobs
    fewer = replace(plan, deployments=plan.deployments // 2)
    assert min(bound.jobs_a_day(load) for bound in bounds(fewer)) < load.jobs


def test_pollers_may_not_reserve_more_than_their_share() -> None:
    lanes = (Lane("model", 1, 60.0),)
    assert Layout(90, lanes, 100).fits
    assert not Layout(91, lanes, 100).fits
    assert not Layout(1, lanes, 100, reserved=91).fits


def test_figures_are_written_as_a_person_would() -> None:
    assert [number(one) for one in (0.1234, 12.0, 345.6, 1_234_567.0)] == [
        "0.123",
        "12",
        "346",
        "1,230,000",
    ]
    assert [span(one) for one in (0.0, 0.5, 90, 600, 7200)] == [
        "0 s",
        "0.5 s",
        "90 s",
        "10 min",
        "2.0 h",
    ]
    assert table(["a", "b"], [["x", "1"]]).splitlines()[1] == "| --- | ---: |"


def test_every_assumption_has_its_reason() -> None:
    assert all(why for _, _, why in facts().reasons)
    assert day.back_off(0.0).age == facts().of("function_compute", "event_age")
