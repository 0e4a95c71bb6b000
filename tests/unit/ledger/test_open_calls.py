"""Signs of life of pollers that wait for answers after they have released the lease."""

from __future__ import annotations

from shared.ledger.lease import Timing
from shared.storage import layout
from tests.kit.world import World

TIMING = Timing()


def test_a_call_may_be_answered_as_long_as_its_sender_says_so() -> None:
    world = World()
    waits, looks = world.app("waits").ledger.open_calls, world.app("looks").ledger.open_calls
    assert not looks.may_be_answered(7)
    waits.announce(7)
    assert looks.may_be_answered(7)
    assert not looks.may_be_answered(8)
    for _ in range(9):
        world.timeline.wait(TIMING.renew_after)
        waits.announce(7)
        assert looks.may_be_answered(7)
    world.timeline.wait(TIMING.dead_after + 1)
    assert not looks.may_be_answered(7)


def test_who_was_heard_of_by_nobody_is_looked_for_again_at_once() -> None:
    world = World()
    waits, looks = world.app("waits").ledger.open_calls, world.app("looks").ledger.open_calls
    assert not looks.may_be_answered(7)
    waits.announce(7)
    assert looks.may_be_answered(7)


def test_the_sign_is_given_as_rarely_as_the_lease_is_renewed_and_goes_in_the_end() -> None:
    world = World()
    app = world.app("waits")
    for _ in range(100):
        app.ledger.open_calls.announce(7)
        world.timeline.wait(1.0)
    key = layout.open_calls(7)
    assert world.bucket.keys(layout.CALLS) == [key]
    assert world.timeline.now - world.bucket.objects[key].modified <= TIMING.renew_after + 1
    app.ledger.open_calls.end()
    assert world.bucket.keys(layout.CALLS) == []


def test_what_a_poller_that_was_killed_has_left_is_removed() -> None:
    world = World()
    world.app("killed").ledger.open_calls.announce(7)
    world.timeline.wait(11 * TIMING.dead_after)
    assert not world.app("looks").ledger.open_calls.may_be_answered(7)
    assert world.bucket.keys(layout.CALLS) == []
