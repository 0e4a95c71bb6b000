"""Rate tickets: no window ever holds more submissions than the documents allow."""

from __future__ import annotations

import random

import pytest

from shared.ledger.tickets import SPREAD, USE_WITHIN, Ticket, Tickets, tick_length
from shared.storage import layout
from tests.kit.interleaving import Stage
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import InstanceClock, Kernel

LIMITS = [(2, 1.0), (5, 1.0), (1, 1.0), (2, 60.0)]
MOST_ON_THE_WAY = SPREAD - USE_WITHIN
HOLDER: dict[str, object] = {"job": "cat", "seq": 2}


class Submitter:
    """An instance that submits as often as its tickets allow."""

    def __init__(self, stage: Stage, bucket: Bucket, seed: int) -> None:
        self.rng = random.Random(seed)
        self.stage = stage
        store = Store(bucket, f"i{seed}", self._delay, self._delay)
        self.clock = InstanceClock(stage, self.rng.uniform(-2, 2))
        self.tickets = Tickets(store, self.clock)
        self.arrived: list[float] = []

    def work(self, count: int, seconds: float, until: float) -> None:
        while self.stage.now < until:
            taken = self.tickets.take("brush", count, seconds, HOLDER)
            if isinstance(taken, Ticket):
                self.clock.sleep(self.rng.choice([0.0, 0.1, 0.5, 0.9]))
                if self.tickets.usable(taken):
                    self.arrived.append(self.stage.now + self.rng.uniform(0, MOST_ON_THE_WAY))
            else:
                self.clock.sleep(taken)

    def _delay(self) -> float:
        return self.rng.choice([0.002, 0.02, 0.15]) * self.rng.uniform(0.5, 1.5)


def submissions(count: int, seconds: float, seed: int, ticks: int) -> list[float]:
    """The moments at which the submissions of three instances arrive at the service."""
    stage = Stage()
    bucket = Bucket(stage, skew=random.Random(seed).uniform(-2, 2))
    crew = [Submitter(stage, bucket, 10 * seed + number) for number in range(3)]
    until = stage.now + ticks * tick_length(count, seconds)
    stage.play(*(lambda one=one: one.work(count, seconds, until) for one in crew))
    return sorted(moment for one in crew for moment in one.arrived)


def fullest_window(moments: list[float], seconds: float) -> int:
    """The most submissions that any window of `seconds` holds."""
    return max(sum(1 for m in moments if start <= m < start + seconds) for start in moments)


@pytest.mark.parametrize(("count", "seconds"), LIMITS)
@pytest.mark.parametrize("seed", range(6))
def test_no_window_holds_more_than_the_limit_and_work_goes_on(
    count: int, seconds: float, seed: int
) -> None:
    arrived = submissions(count, seconds, seed, ticks=24)
    assert fullest_window(arrived, seconds) <= count
    assert len(arrived) >= 6, "fewer than one submission in four ticks"


def lone_instance(skew: float = 0.0) -> tuple[Kernel, Bucket, Tickets]:
    timeline = Kernel()
    bucket = Bucket(timeline)
    return timeline, bucket, Tickets(Store(bucket), InstanceClock(timeline, skew))


def take(tickets: Tickets, count: int = 2, seconds: float = 1.0) -> Ticket:
    taken = tickets.take("brush", count, seconds, HOLDER)
    assert isinstance(taken, Ticket), f"no ticket, asked to wait {taken} s"
    return taken


def test_a_lone_job_gets_its_ticket_with_one_request() -> None:
    _, bucket, tickets = lone_instance()
    take(tickets)
    assert bucket.count() == 1


def test_a_wall_clock_that_is_an_hour_wrong_costs_one_request_and_one_tick_an_hour_away() -> None:
    timeline, bucket, tickets = lone_instance(skew=3600)
    take(tickets)
    tick = int(bucket.second() // tick_length(2, 1))
    wrong = tick + 3600 // tick_length(2, 1)
    assert bucket.keys() == [layout.ticket("brush", tick), layout.ticket("brush", wrong)]
    timeline.wait(2)
    before = bucket.count()
    take(tickets)
    assert bucket.count() == before + 1, "the instance did not learn the store's time"


def test_a_ticket_made_too_early_is_used_in_its_time_and_never_deleted() -> None:
    timeline, bucket, tickets = lone_instance(skew=2)
    wait = tickets.take("brush", 2, 1.0, HOLDER)
    assert isinstance(wait, float)
    early = bucket.keys()
    timeline.wait(wait)
    take(tickets)
    assert bucket.keys() == early


def test_a_taken_tick_is_waited_out() -> None:
    timeline, _, tickets = lone_instance()
    take(tickets)
    wait = tickets.take("brush", 2, 1.0, HOLDER)
    assert isinstance(wait, float)
    timeline.wait(wait)
    take(tickets)


def test_a_ticket_goes_stale() -> None:
    timeline, _, tickets = lone_instance()
    ticket = take(tickets)
    assert tickets.usable(ticket)
    timeline.wait(USE_WITHIN)
    assert not tickets.usable(ticket)


def test_time_spent_asking_counts_against_the_ticket() -> None:
    timeline = Kernel()
    store = Store(Bucket(timeline), request_delay=lambda: USE_WITHIN)
    tickets = Tickets(store, InstanceClock(timeline))
    assert not tickets.usable(take(tickets, 2, 60.0))


def test_the_kept_tickets_say_who_submitted_when() -> None:
    _, bucket, tickets = lone_instance()
    take(tickets)
    (key,) = bucket.keys(layout.tickets_of("brush"))
    assert b'"cat"' in bucket.peek(key)


def test_models_do_not_take_each_others_tickets() -> None:
    _, _, tickets = lone_instance()
    take(tickets)
    assert isinstance(tickets.take("pencil", 2, 1.0, HOLDER), Ticket)
