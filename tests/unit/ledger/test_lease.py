"""The lease: at most one instance sends, whatever the order of requests."""

from __future__ import annotations

import pytest

from shared.catalogue.models import Limits
from shared.ledger.lease import KEPT, POLLER, SUBMIT, Timing
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import fail, once
from tests.kit.interleaving import Chooser, Stage, explore
from tests.kit.lease import Contest, at_once, spent, store_of

DEAD_AFTER = Timing().dead_after
LIMITS = Limits(submissions=2, per_seconds=60, concurrent=1, queue_ahead=0)


@pytest.fixture()
def contest() -> Contest:
    return Contest()


def take_and_release(contest: Contest, times: int = 1) -> None:
    for number in range(times):
        contest.held(f"short-{number}", SUBMIT).release()


# Taking it


def never_taken(_contest: Contest) -> None:
    """Nobody has held the lease yet."""


def released(contest: Contest) -> None:
    take_and_release(contest)


def holder_is_dead(contest: Contest) -> None:
    contest.held("dead")
    contest.timeline.wait(DEAD_AFTER + 1)


@pytest.mark.parametrize("before", [never_taken, released, holder_is_dead])
def test_two_takers_make_one_holder_in_any_order_of_their_requests(before: object) -> None:
    def play(choose: Chooser) -> None:
        stage = Stage(choose)
        contest = Contest(stage)
        assert callable(before)
        before(contest)
        takers = [contest.lease(name, delay=at_once) for name in ("cat", "dog")]
        won: list[bool] = []
        stage.play(*(lambda one=one: won.append(one.take(POLLER)) for one in takers))
        assert sorted(won) == [False, True]
        assert sorted(one.may_send() for one in takers) == [False, True]

    assert explore(play) >= 6


@pytest.mark.parametrize("kind", [POLLER, SUBMIT])
def test_a_released_lease_may_be_taken_by_anyone(contest: Contest, kind: str) -> None:
    take_and_release(contest)
    assert contest.lease("next").take(kind)
    assert contest.epochs() == [1, 2]


@pytest.mark.parametrize("holder", [POLLER, SUBMIT])
@pytest.mark.parametrize("kind", [POLLER, SUBMIT])
def test_a_live_lease_is_taken_by_nobody(contest: Contest, holder: str, kind: str) -> None:
    contest.held("alive", holder)
    contest.timeline.wait(DEAD_AFTER)
    assert not contest.lease("next").take(kind)
    assert contest.epochs() == [1]


def test_a_dead_holder_is_followed_by_pollers_only(contest: Contest) -> None:
    contest.held("dead", SUBMIT)
    contest.timeline.wait(DEAD_AFTER + 1)
    assert not contest.lease("submitting").take(SUBMIT)
    assert contest.lease("polling").take(POLLER)


@pytest.mark.parametrize("bucket", [-3600.0, 0.0, 3600.0])
@pytest.mark.parametrize("instance", [-3600.0, 3600.0])
def test_only_the_stores_clock_says_how_old_an_epoch_is(bucket: float, instance: float) -> None:
    contest = Contest(skew=bucket)
    contest.held("holder")
    contest.timeline.wait(DEAD_AFTER)
    assert not contest.lease("early", instance).take(POLLER)
    contest.timeline.wait(1)
    assert contest.lease("late", instance).take(POLLER)


def test_a_renewed_lease_is_young_again(contest: Contest) -> None:
    holder = contest.held("holder")
    for _ in range(4):
        contest.timeline.wait(30)
        assert holder.renew()
    assert not contest.lease("next").take(POLLER)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null", b'"released"'])
def test_a_lease_that_cannot_be_read_is_not_released(contest: Contest, body: bytes) -> None:
    take_and_release(contest)
    contest.bucket.write(layout.lease(1), body)
    assert not contest.lease("early").take(POLLER)
    contest.timeline.wait(DEAD_AFTER + 1)
    late = contest.lease("late")
    assert late.take(POLLER)
    assert late.permits.wait("brush", LIMITS) > 0, "nobody said what was sent"


def test_a_folder_that_a_console_made_is_not_an_epoch(contest: Contest) -> None:
    contest.bucket.write(f"{layout.LEASE}zzz/", b"")
    contest.bucket.write(layout.LEASE, b"")
    assert contest.lease("cat").take(POLLER)
    assert not contest.lease("dog").take(POLLER)


# Waiting for it


def test_a_poller_waits_for_a_submission_to_end(contest: Contest) -> None:
    submitting = contest.held("submitting", SUBMIT)
    contest.timeline.after(5.0, submitting.release)
    polling = contest.lease("polling")
    assert polling.take_when_free(polling.clock.monotonic() + 60)
    assert polling.may_send()


def test_a_poller_waits_until_a_holder_counts_as_dead(contest: Contest) -> None:
    contest.held("dead")
    before, polling = contest.timeline.now, contest.lease("polling")
    assert polling.take_when_free(polling.clock.monotonic() + 600)
    assert DEAD_AFTER < contest.timeline.now - before <= DEAD_AFTER + 3


def test_a_poller_leaves_when_another_one_shows_that_it_lives(contest: Contest) -> None:
    alive = contest.held("alive")
    before, second = contest.timeline.now, contest.lease("second")
    for seconds in range(1, 600):
        contest.timeline.after(float(seconds), alive.renew)
    assert not second.take_when_free(second.clock.monotonic() + 600)
    assert contest.timeline.now - before <= Timing().renew_after + 3


def test_a_poller_goes_on_waiting_while_submissions_follow_each_other(contest: Contest) -> None:
    """Each of them is gone in seconds, and only a poller takes the jobs home."""
    first = contest.held("first", SUBMIT)

    def the_next_one() -> None:
        first.release()
        second = contest.held("second", SUBMIT)
        contest.timeline.after(3.0, second.release)

    contest.timeline.after(2.5, the_next_one)
    polling = contest.lease("polling")
    assert polling.take_when_free(polling.clock.monotonic() + 60)


def test_a_poller_does_not_wait_past_its_deadline(contest: Contest) -> None:
    contest.held("alive")
    before, late = contest.timeline.now, contest.lease("late")
    assert not late.take_when_free(late.clock.monotonic() + 10)
    assert contest.timeline.now - before <= 10


def test_who_holds_the_lease_is_seen_in_a_listing_alone(contest: Contest) -> None:
    contest.held("dead1")
    other = contest.lease("other")
    other.take_when_free(other.clock.monotonic() + 30)
    assert contest.bucket.count("read") == 0


# A renewal that crosses a take-over


def test_a_renewal_that_crosses_a_take_over_leaves_at_most_one_holder_in_any_order() -> None:
    seen: set[tuple[bool, bool]] = set()

    def play(choose: Chooser) -> None:
        stage = Stage(choose)
        contest = Contest(stage)
        old, new = (contest.lease(name, delay=at_once) for name in ("old", "new"))
        assert old.take(POLLER)
        stage.wait(DEAD_AFTER + 1)
        stage.play(old.renew, lambda: new.take(POLLER))
        assert not (old.may_send() and new.may_send())
        seen.add((old.may_send(), new.may_send()))

    assert explore(play) >= 6
    assert {(True, False), (False, True)} <= seen


def test_who_steps_back_does_not_make_room_for_a_second_sender() -> None:
    def play(choose: Chooser) -> None:
        stage = Stage(choose)
        contest = Contest(stage)
        old, new = (contest.lease(name, delay=at_once) for name in ("old", "new"))
        assert old.take(POLLER)
        stage.wait(DEAD_AFTER + 1)
        stage.play(old.renew, lambda: new.take(POLLER))
        third = contest.lease("third")
        third.take(SUBMIT)
        assert sum(one.may_send() for one in (old, new, third)) <= 1

    explore(play)


# Giving it back


def test_permits_go_along_at_a_release(contest: Contest) -> None:
    holder = contest.held("holder")
    with spent(holder.permits, "brush", LIMITS):
        contest.timeline.wait(1)
    holder.release()
    contest.timeline.wait(20)
    follower = contest.held("follower", SUBMIT)
    assert follower.permits.wait("brush", LIMITS) == 0.0
    with spent(follower.permits, "brush", LIMITS):
        assert follower.permits.wait("brush", LIMITS) == pytest.approx(40.0, abs=2.0)
        assert follower.permits.wait("pencil", LIMITS) == 0.0


@pytest.mark.parametrize("later", [0.0, 0.2, 10.3, 40.0, 61.5])
@pytest.mark.parametrize("way", [0.3, 0.9])
def test_the_time_since_a_release_counts(contest: Contest, way: float, later: float) -> None:
    """By the store's dates, which are whole seconds: never too much."""
    holder, once_a_minute = contest.held("holder"), Limits(1, 60, 1, 0)
    with spent(holder.permits, "brush", once_a_minute):
        contest.timeline.wait(way)
    holder.release()
    contest.timeline.wait(later)
    wait = contest.held("follower").permits.wait("brush", once_a_minute)
    assert max(0.0, 60 - later) <= wait + 0.001
    assert wait <= max(0.0, 60 - later) + 2.0


def test_after_a_take_over_all_permits_are_spent(contest: Contest) -> None:
    contest.held("dead")
    contest.timeline.wait(DEAD_AFTER + 1)
    follower = contest.held("follower")
    assert follower.permits.wait("brush", LIMITS) == Timing().request + LIMITS.per_seconds
    follower.release()
    assert contest.held("third").permits.wait("pencil", LIMITS) > LIMITS.per_seconds


def test_what_one_holder_knew_of_permits_does_not_outlive_the_next_ones(contest: Contest) -> None:
    """An instance serves many invocations; between two of them others hold the lease."""
    warm = contest.held("warm")
    warm.release()
    other = contest.held("other")
    for _ in range(2):
        with spent(other.permits, "brush", LIMITS):
            contest.timeline.wait(1)
    other.release()
    assert warm.take(SUBMIT)
    assert warm.permits.wait("brush", LIMITS) > 50


def test_a_release_that_fails_is_a_release_for_the_holder(contest: Contest) -> None:
    holder = contest.held("holder")
    store_of(holder).before.append(once("put", layout.LEASE, fail))
    with pytest.raises(StoreError):
        holder.release()
    assert not holder.may_send()
    assert not contest.lease("next").take(POLLER), "nobody knows, so the age decides"


def test_only_a_live_poller_is_seen_as_one(contest: Contest) -> None:
    looking = contest.lease("looking")
    assert not looking.poller_lives()
    submitting = contest.held("submitting", SUBMIT)
    assert not looking.poller_lives()
    submitting.release()
    polling = contest.held("polling")
    assert looking.poller_lives()
    contest.timeline.wait(DEAD_AFTER + 1)
    assert not looking.poller_lives()
    assert polling.renew()
    assert looking.poller_lives()
    polling.release()
    assert not looking.poller_lives()


# Old epochs


def test_old_epochs_go_and_the_newest_never(contest: Contest) -> None:
    take_and_release(contest, 3 * KEPT)
    last = 3 * KEPT
    assert contest.epochs() == list(range(last - KEPT + 1, last + 1))
    assert contest.newest()["released"] is True


def test_a_taker_that_slept_through_many_epochs_does_not_get_a_deleted_one(
    contest: Contest,
) -> None:
    take_and_release(contest)
    sleepy = contest.lease("sleepy")

    def much_happens() -> None:
        take_and_release(contest, 2 * KEPT)
        contest.held("alive")
        contest.timeline.wait(2)

    store_of(sleepy).after.append(once("read", layout.LEASE, much_happens))
    assert not sleepy.take(SUBMIT)
    assert not sleepy.may_send()


def test_old_epochs_that_cannot_be_deleted_keep_nobody_from_the_lease(contest: Contest) -> None:
    take_and_release(contest, KEPT + 1)
    next_one = contest.lease("next")
    store_of(next_one).before.append(once("delete", layout.LEASE, fail))
    assert next_one.take(SUBMIT)


@pytest.mark.parametrize("name", ["", "x/", "x", "999", "0", "~"])
def test_what_somebody_puts_into_the_folder_stops_nobody(contest: Contest, name: str) -> None:
    contest.bucket.write(layout.LEASE + name, b"")
    holder = contest.held("alive")
    contest.timeline.wait(30)
    assert holder.renew()
    holder.release()
    assert contest.lease("next").take(SUBMIT)


def test_a_take_over_that_came_too_late_leaves_a_poller_that_goes_on_waiting(
    contest: Contest,
) -> None:
    """The holder thaws, renews, finds the new epoch and leaves: nobody else would go on."""
    frozen = contest.held("frozen")
    contest.timeline.wait(DEAD_AFTER + 1)
    polling = contest.lease("polling")
    held = layout.lease(contest.epochs()[-1])
    renewal = lambda: contest.bucket.write(held, contest.bucket.peek(held))  # noqa: E731
    store_of(polling).after.append(once("create", layout.LEASE, renewal))
    began = contest.timeline.now
    assert polling.take_when_free(polling.clock.monotonic() + 600)
    assert contest.timeline.now - began > DEAD_AFTER, "its own epoch had to grow old"
    assert not frozen.renew()
