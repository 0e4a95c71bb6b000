from __future__ import annotations

import pytest

from shared.catalogue.models import Limits
from tests.bench.price import Cost, Size, held_open, prices, size_of, sources
from tests.bench.scale.profile import Account, busy, idle, one_file


def test_ten_seconds_cost_what_the_price_list_says() -> None:
    """0.35 vCPU and 0.5 GB for 10 s in one call are 4.2575 CU."""
    units = prices().units(Size(0.35, 0.5, 0.5), 10, 1)
    assert units == pytest.approx(3.5 + 0.75 + 0.0075)
    assert prices().month(units) == pytest.approx(4.2575 * 0.00011)


def test_disk_beyond_the_free_half_gigabyte_costs() -> None:
    free = prices().units(Size(0.35, 0.5, 0.5), 10, 0)
    assert prices().units(Size(0.35, 0.5, 10), 10, 0) == pytest.approx(free + 9.5 * 0.05 * 10)


def test_an_hour_with_a_call_costs_at_least_a_fen() -> None:
    assert prices().hour(0.01) == 0.01
    assert prices().hour(1530) == pytest.approx(0.1683)


def test_a_month_gets_cheaper_by_tiers() -> None:
    first, second = 2e8 * 0.00011, 8e8 * 0.00010
    assert prices().month(2e8) == pytest.approx(first)
    assert prices().month(1.5e9) == pytest.approx(first + second + 5e8 * 0.00009)


def test_requests_are_counted_by_class() -> None:
    assert prices().requests(20_000, 10_000) == pytest.approx(0.03)


def test_sizes_come_from_the_stack() -> None:
    size = size_of("poll")
    assert (size.memory, size.disk) == (0.5, 0.5)
    assert 1 <= size.memory / size.vcpu <= 4


def test_a_function_held_open_pays_for_waiting() -> None:
    one, twice = held_open(27, 10_000), held_open(54, 10_000)
    assert twice.submit / one.submit == pytest.approx(2, rel=0.01)


def test_a_thousand_jobs_are_a_thousandth_of_a_million() -> None:
    assert Cost(1, 2, 3, 1_000_000).thousand == pytest.approx(0.006)


def test_every_price_names_its_source_and_its_day() -> None:
    for name, _, source in sources():
        assert "(read 20" in source, name


def test_a_job_is_billed_for_what_the_handlers_asked() -> None:
    """No job ends without its nine writes, and one poller runs as long as it is in flight."""
    seen = busy(Account(Limits(2, 1, 1, 1), 20.0), 5)
    assert seen.writes >= 9
    assert seen.poll_seconds == pytest.approx(seen.elapsed, rel=0.1)
    assert seen.submit_seconds < 5 < seen.task_seconds


def test_an_idle_poller_asks_the_same_at_each_tick() -> None:
    seen = idle(10)
    assert seen.jobs == 0 and seen.submit_operations == 0
    assert seen.poll_operations % seen.poll_runs == 0


def test_many_jobs_in_a_file_take_submit_longer() -> None:
    assert 10 * one_file(1) < one_file(40)
