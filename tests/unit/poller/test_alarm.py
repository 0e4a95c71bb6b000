"""A poller that rests with something left is called at the moment at which it is due."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from shared.catalogue.models import Limits
from shared.ledger import wakeups
from shared.ledger.lease import POLLER
from shared.ledger.wakeups import WAKE_UPS, How
from shared.platform.clock import from_iso, iso
from shared.platform.fc.events import TimerEvent
from shared.platform.fc.invoke import LONGEST_DELAY
from shared.poller.alarm import EARLY, MOST_EARLY
from shared.poller.poller import FAR_AWAY
from shared.storage import layout
from tests.kit.calls import Calls
from tests.kit.hooks import Call, Killed, die, fail, once
from tests.kit.studio import refuse
from tests.kit.world import MODEL, OTHER, World, model, run, store_of

PAUSED, NOTHING = "everything left is paused", "nothing left"


@pytest.fixture()
def world() -> World:
    return World()


@pytest.fixture()
def calls(world: World) -> Calls:
    return Calls(world)


def armed(world: World) -> dict[str, float]:
    """What the released lease says of the call under way."""
    said: dict[str, float] = json.loads(world.bucket.peek(world.bucket.keys(layout.LEASE)[0]))
    return said.get("armed", {})  # type: ignore[return-value]


def blocked(world: World, seconds: float, name: str = MODEL) -> float:
    """Pause a model, or the key; until when."""
    until = world.timeline.now + seconds
    pause = {"until": until, "code": "Arrearage", "message": "", "blocked": True, "count": 1}
    state = {"durations": [], "pause": pause, "ahead_off_until": 0}
    world.bucket.write(layout.model_state(name), json.dumps(state).encode())
    return until


def breaker(world: World) -> float:
    world.queued("cat")
    return blocked(world, 500.0)


def key_probe(world: World) -> float:
    world.queued("cat")
    return blocked(world, 700.0, "~key")


def expiry(world: World) -> float:
    record = world.queued("cat", expires_after="2m")
    blocked(world, 3000.0)
    return from_iso(record.expires_at or "")


def unknown_model(world: World) -> float:
    record = world.queued("cat", expires_after="5m")
    world.models = tuple(one for one in world.models if one.name != MODEL)
    return from_iso(record.expires_at or "")


def not_before(world: World) -> float:
    """An attempt that is put back for a while, further away than a poller stays awake for."""
    world.queued("cat")
    app = world.app("other")
    last = app.ledger.records.last("cat")
    assert last is not None
    until = world.timeline.now + 200.0
    app.ledger.records.append(replace(last.following("QUEUED"), not_before=iso(until)))
    return until


def trouble(world: World) -> float:
    """A job whose record cannot be read is left alone, longer each time."""
    world.queued("cat")
    [key] = world.bucket.keys(f"{layout.RECORDS}cat/")
    world.bucket.write(key, b"no record")
    return world.timeline.now + FAR_AWAY


@pytest.mark.parametrize("left", [breaker, key_probe, expiry, unknown_model, not_before])
def test_what_is_left_is_due_when_the_call_comes(
    world: World, calls: Calls, left: Callable[[World], float]
) -> None:
    due = left(world)
    assert calls.run() in (PAUSED, NOTHING)
    [(at, event)] = calls.made
    assert at == pytest.approx(due, abs=1.0)
    assert event.due == pytest.approx(at)
    assert armed(world)["at"] == event.due
    if left is unknown_model:
        calls.deliver()
        assert world.state("cat") == "EXPIRED"
    elif left is expiry:
        assert calls.deliver() in (PAUSED, NOTHING)
        assert world.state("cat") == "EXPIRED"
    else:
        assert calls.deliver() == NOTHING
        assert world.state("cat") == "SUCCEEDED"


def test_a_damaged_job_is_tried_again_by_a_call(world: World, calls: Calls) -> None:
    trouble(world)
    assert calls.run() == PAUSED
    assert calls.made[-1][0] > world.timeline.now + FAR_AWAY


def test_nothing_left_arms_nothing(world: World, calls: Calls) -> None:
    world.queued("cat", expires_after="1h")
    assert calls.run() == NOTHING
    assert world.state("cat") == "SUCCEEDED"
    assert calls.made == []
    assert armed(world) == {}


def test_every_minute_no_call_is_made(world: World) -> None:
    breaker(world)
    assert run(world) == PAUSED
    assert armed(world) == {}


def test_one_call_is_armed_at_a_time(world: World, calls: Calls) -> None:
    breaker(world)
    for _ in range(3):
        assert calls.run() == PAUSED
        world.timeline.wait(10)
    assert len(calls.made) == 1


def test_a_submission_hands_the_armed_call_on(world: World, calls: Calls) -> None:
    breaker(world)
    calls.run()
    lease = world.app("submit").ledger.lease
    assert lease.take("submitter")
    lease.release()
    calls.run()
    assert len(calls.made) == 1


def test_something_due_earlier_arms_an_earlier_call(world: World, calls: Calls) -> None:
    until = breaker(world)
    calls.run()
    world.queued("dog", expires_after="2m")
    assert calls.run() == PAUSED
    assert len(calls.made) == 2
    assert calls.made[1][0] < until - 300
    calls.deliver()
    assert world.state("dog") == "EXPIRED"


def test_a_job_that_expires_first_and_comes_as_the_poller_rests(world: World, calls: Calls) -> None:
    breaker(world)
    app = calls.poller()
    queue = once("put", layout.LEASE, lambda: world.queued("dog", expires_after="2m"))
    store_of(app).before.append(queue)
    app.poller.run(app.clock.monotonic() + 600)
    assert calls.made[-1][0] == pytest.approx(world.timeline.now + 120, abs=10)


def test_a_call_further_off_than_an_hour_is_chained(world: World, calls: Calls) -> None:
    world.queued("cat")
    until = blocked(world, 3 * LONGEST_DELAY - 60)
    calls.run()
    for _ in range(2):
        assert calls.made[-1][0] < until
        assert calls.deliver() == PAUSED
    assert [round(at - calls.made[0][0]) for at, _ in calls.made] == [0, 3600, 7140]
    assert calls.deliver() == NOTHING
    assert world.state("cat") == "SUCCEEDED"


def test_a_poller_whose_call_is_refused_stays_awake(world: World, calls: Calls) -> None:
    until = blocked(world, 300.0)
    world.queued("cat")
    calls.refused = True
    assert calls.run() == NOTHING
    assert world.studio.posts[0].at == pytest.approx(until, abs=16)
    assert calls.tried < 40


def test_who_has_no_time_to_see_a_holder_die_lets_another_one_look(
    world: World, calls: Calls
) -> None:
    world.queued("cat")
    assert world.app("dead").ledger.lease.take_when_free(world.timeline.now + 60.0)
    assert calls.run(seconds=20.0) == "another instance is at work"
    assert world.bucket.holds(layout.WAKE)


def test_it_hands_over_at_its_deadline_if_it_must_stay_awake(world: World, calls: Calls) -> None:
    breaker(world)
    calls.refused = True
    assert calls.run(seconds=200.0) == "handed over at the deadline"
    assert world.bucket.holds(layout.WAKE)
    assert world.lease_is_free()


def test_an_early_call_is_waited_out_awake(world: World, calls: Calls) -> None:
    until = breaker(world)
    calls.run()
    assert calls.deliver(early=300.0) == NOTHING
    assert world.studio.posts[0].at == pytest.approx(until, abs=16)
    assert len(calls.made) == 1
    assert armed(world)["early"] == 1


def test_a_call_a_little_early_is_on_time(world: World, calls: Calls) -> None:
    breaker(world)
    calls.run()
    assert calls.deliver(early=EARLY - 1) == NOTHING
    assert armed(world) == {}


def test_after_two_early_calls_none_is_made(world: World, calls: Calls) -> None:
    for _ in range(MOST_EARLY):
        world.queued(f"cat-{len(calls.made)}")
        blocked(world, 500.0)
        assert calls.run() == PAUSED
        assert calls.deliver(early=400.0) == NOTHING
    made, until = len(calls.made), blocked(world, 400.0)
    world.queued("dog")
    assert calls.run() == NOTHING
    assert len(calls.made) == made
    assert world.studio.posts[-1].at == pytest.approx(until, abs=16)


def test_one_on_time_makes_good_for_one_early(world: World, calls: Calls) -> None:
    for early in (400.0, 0.0):
        world.queued(f"cat-{early:.0f}")
        blocked(world, 500.0)
        calls.run()
        calls.deliver(early)
    assert armed(world) == {}


def test_a_double_of_an_early_call_does_not_count(world: World, calls: Calls) -> None:
    breaker(world)
    calls.run()
    event = calls.made[-1][1]
    world.timeline.wait(100)
    assert calls.run(event, 100.0) == "handed over at the deadline"
    assert calls.run(event, 100.0) == "handed over at the deadline"
    assert armed(world)["early"] == 1
    assert len(calls.made) == 1


def test_doubles_and_late_calls_do_nothing(world: World, calls: Calls) -> None:
    breaker(world)
    calls.run()
    event = calls.made[-1][1]
    calls.deliver()
    posts = len(world.studio.posts)
    for _ in range(2):
        world.timeline.wait(1000)
        assert calls.run(event) == NOTHING
    assert len(world.studio.posts) == posts
    assert len(calls.made) == 1


def test_the_safety_net_relies_on_no_call_that_was_made_before(world: World, calls: Calls) -> None:
    """That call may be lost, and the next tick of the timer is hours away."""
    until = breaker(world)
    calls.run()
    world.timeline.wait(60)
    assert calls.run(TimerEvent("every-minute", "", "{}")) == PAUSED
    assert len(calls.made) == 2
    assert calls.deliver() == NOTHING
    assert world.studio.posts[0].at == pytest.approx(until, abs=16)


@pytest.mark.parametrize("early", [499.0, EARLY - 1])
def test_a_call_that_finds_a_poller_waits_for_its_moment(
    world: World, calls: Calls, early: float
) -> None:
    """That poller may rest because it counts on this call."""
    until = breaker(world)
    calls.run()
    world.timeline.wait(calls.made[-1][0] - early - 1.0 - world.timeline.now)
    other = world.app("other").ledger.lease
    assert other.take(POLLER)
    other._renewed = (-1e9, -1e9)
    world.timeline.after(1.5, other.renew)  # somebody is alive, whoever watches may leave
    world.timeline.after(4.0, other.release)
    world.timeline.wait(1)
    assert calls.run(calls.made[-1][1]) == NOTHING
    assert world.studio.posts[0].at == pytest.approx(until, abs=31)


def test_a_call_that_finds_a_submit_that_died_goes_on_for_it(world: World, calls: Calls) -> None:
    until = breaker(world)
    calls.run()
    world.timeline.wait(calls.made[-1][0] - world.timeline.now)
    assert world.app("submit").ledger.lease.take("submitter")
    assert calls.run(calls.made[-1][1]) == NOTHING
    timing = world.app().ledger.timing
    known = timing.dead_after + timing.request  # its permits count as spent until its last request
    assert world.studio.posts[0].at == pytest.approx(until + known, abs=16)


def test_a_poller_that_dies_between_call_and_rest_makes_another_call(
    world: World, calls: Calls
) -> None:
    """Its event is delivered again; the two calls submit once."""
    breaker(world)
    app = calls.poller()

    def dies_at_rest(call: Call) -> None:
        if call.kind == "put" and layout.LEASE in call.key and calls.made:
            die()

    store_of(app).before.append(dies_at_rest)
    with pytest.raises(Killed):
        app.poller.run(app.clock.monotonic() + 600)
    world.timeline.wait(90)
    assert calls.run() == PAUSED
    assert len(calls.made) == 2
    assert calls.deliver() == NOTHING
    assert calls.run(calls.made[0][1]) == NOTHING
    assert len(world.studio.posts) == 1


def test_a_poller_that_took_a_dead_ones_lease_counts_on_no_call(world: World, calls: Calls) -> None:
    """What a holder that never released it had arranged is not known."""
    breaker(world)
    calls.run()
    assert world.app("other").ledger.lease.take(POLLER)
    world.timeline.wait(90)
    assert calls.run() == PAUSED
    assert len(calls.made) == 2


@pytest.mark.parametrize("skew", [-4.0, 4.0])
def test_clocks_that_differ_by_seconds_do_not_make_a_call_early(
    world: World, calls: Calls, skew: float
) -> None:
    breaker(world)
    calls.run()
    at, event = calls.made[-1]
    world.timeline.wait(at - world.timeline.now)
    app = world.app("poller", skew=skew)
    app.calls = calls
    assert app.poller.run(app.clock.monotonic() + 600, event) == NOTHING
    assert world.state("cat") == "SUCCEEDED"
    assert armed(world) == {}


def test_every_minute_the_doubts_are_forgotten(world: World, calls: Calls) -> None:
    breaker(world)
    calls.run()
    run(world)
    assert armed(world) == {}


def test_a_listing_of_expiries_that_fails_keeps_the_poller_awake(
    world: World, calls: Calls
) -> None:
    breaker(world)
    app = calls.poller()
    later = once("list", layout.EXPIRY, fail)
    world.timeline.after(0.5, lambda: store_of(app).before.append(later))
    assert app.poller.run(app.clock.monotonic() + 600) in (PAUSED, NOTHING)
    assert calls.made or world.state("cat") == "SUCCEEDED"


def test_every_row_has_a_way_and_only_rows_wake() -> None:
    names = {
        value for name, value in vars(wakeups).items() if name.isupper() and name != "WAKE_UPS"
    }
    assert {one for one in names if isinstance(one, str)} == set(WAKE_UPS)
    assert {row.how for row in WAKE_UPS.values()} == set(How)


def test_a_job_that_expires_between_the_look_and_the_rest(world: World, calls: Calls) -> None:
    world.queued("cat", expires_after="1m")
    blocked(world, 3000.0)
    world.timeline.wait(59.9)
    app = calls.poller()
    slow = once("list", layout.QUEUE, lambda: world.timeline.wait(1))
    began = world.timeline.now
    store_of(app).before.append(slow)
    assert app.poller.run(app.clock.monotonic() + 600) in (PAUSED, NOTHING)
    assert world.state("cat") == "EXPIRED"
    assert world.timeline.now - began < 30, "it waited for the next regular look"


def test_a_poller_that_thaws_and_has_no_successor_wakes_one(world: World, calls: Calls) -> None:
    world.studio.seconds = 60.0
    world.queued("cat")
    app = calls.poller()
    frozen = once("create", "records/cat/000003", lambda: world.timeline.freeze(100))
    store_of(app).after.append(frozen)
    words: list[str] = []
    world.timeline.spawn("frozen", lambda: words.append(run(world, app=app)), 600, lambda *_: None)
    while not words:
        world.timeline.step()
    assert words == ["another poller took over"]
    assert world.bucket.holds(layout.WAKE)
    assert world.lease_is_free()


def test_a_refused_job_of_one_model_is_due_though_another_waits_for_long(
    world: World, calls: Calls
) -> None:
    """The look at the queues that shows it would come after the poller has gone to rest."""
    world.queued("dog", model_name=OTHER)
    blocked(world, 500.0, OTHER)
    world.studio.script.append(refuse("Throttling.RateQuota", 429))
    world.queued("cat")
    calls.run()
    while len(world.studio.posts) < 2 and calls.made:
        calls.deliver()
    assert world.state("cat") == "SUCCEEDED"
    assert world.studio.posts[1].at - world.studio.posts[0].at < 60


def test_behind_a_job_that_lets_others_go_first_the_pause_is_due(
    world: World, calls: Calls
) -> None:
    world.studio.script += [refuse("Throttling.RateQuota", 429)] * 120
    for number in range(12):
        world.queued(f"cat-{number:02}")
    calls.run()
    while len(world.studio.posts) < 120 and calls.made:
        calls.deliver()
    sent = [post.at for post in world.studio.posts]
    assert len(sent) >= 120
    assert max(second - first for first, second in pairwise(sent)) < 70, "a pause is a minute"


def test_a_permit_that_is_far_off_is_due_when_the_call_comes(calls: Calls, world: World) -> None:
    slow = Limits(submissions=1, per_seconds=300, concurrent=2, queue_ahead=0)
    world.models = (model(limits=slow),)
    world.queued("cat")
    world.queued("dog")
    assert calls.run() == PAUSED
    assert len(world.studio.posts) == 1
    assert calls.deliver() == NOTHING
    first, second = (post.at for post in world.studio.posts)
    assert 300 <= second - first < 310


def test_a_cancel_wakes_a_poller_where_none_is_awake(world: World) -> None:
    world.queued("cat")
    world.app("person").cancellation.cancel("cat")
    assert world.bucket.holds(layout.WAKE)
