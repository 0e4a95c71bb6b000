"""A holder of the lease: for how long it may send, and how it finds out that it may not."""

from __future__ import annotations

import pytest

from shared.ledger.lease import POLLER, Lease, Timing
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import fail, once
from tests.kit.lease import Contest, clock_of, store_of

SEND_FOR, DEAD_AFTER = Timing().send_for, Timing().dead_after


@pytest.fixture()
def contest() -> Contest:
    return Contest()


def goes_by_the_clocks(lease: Lease, seconds: float, *, monotonic: bool, wall: bool) -> None:
    """Time passes; a clock that is not named does not notice."""
    clock = clock_of(lease)
    clock.kernel.wait(seconds)
    clock.stood_still += 0.0 if monotonic else seconds
    clock.skew -= 0.0 if wall else seconds


@pytest.mark.parametrize(("monotonic", "wall"), [(True, True), (True, False), (False, True)])
def test_a_silent_holder_may_not_send(contest: Contest, monotonic: bool, wall: bool) -> None:
    """A frozen instance may wake with its monotonic clock where it was; a wall clock may be set."""
    holder = contest.held("holder")
    goes_by_the_clocks(holder, SEND_FOR - 0.1, monotonic=monotonic, wall=wall)
    assert holder.may_send()
    goes_by_the_clocks(holder, 0.1, monotonic=monotonic, wall=wall)
    assert not holder.may_send()
    goes_by_the_clocks(holder, DEAD_AFTER - SEND_FOR - 0.1, monotonic=monotonic, wall=wall)
    assert not holder.is_lost()
    goes_by_the_clocks(holder, 0.1, monotonic=monotonic, wall=wall)
    assert holder.is_lost()


@pytest.mark.parametrize("request_kind", ["create", "put"])
def test_the_time_to_send_counts_from_before_the_request(
    contest: Contest, request_kind: str
) -> None:
    """The store may have dated the epoch long before its answer arrived."""
    holder = contest.lease("holder")
    late = once(request_kind, layout.LEASE, lambda: contest.timeline.wait(SEND_FOR))
    if request_kind == "create":
        store_of(holder).after.append(late)
        assert holder.take(POLLER)
    else:
        assert holder.take(POLLER)
        contest.timeline.wait(Timing().renew_after)
        store_of(holder).after.append(late)
        assert holder.renew()
    assert not holder.may_send()


def test_nobody_may_send_before_taking_and_after_giving_back(contest: Contest) -> None:
    lease = contest.lease("cat")
    assert (lease.may_send(), lease.renew(), lease.is_lost()) == (False, False, True)
    assert lease.take(POLLER)
    assert (lease.may_send(), lease.renew(), lease.is_lost()) == (True, True, False)
    lease.release()
    assert (lease.may_send(), lease.renew(), lease.is_lost()) == (False, False, True)


def test_a_lease_is_renewed_only_when_it_is_time(contest: Contest) -> None:
    holder = contest.held("holder")
    before = contest.bucket.count()
    for _ in range(int(Timing().renew_after)):
        assert holder.renew()
        contest.timeline.wait(1.0)
    assert contest.bucket.count() == before
    assert holder.renew()
    assert contest.bucket.count() == before + 1


def test_a_renewal_that_fails_does_not_lengthen_the_time_to_send(contest: Contest) -> None:
    holder = contest.held("holder")
    contest.timeline.wait(Timing().renew_after)
    store_of(holder).before.append(once("put", layout.LEASE, fail))
    with pytest.raises(StoreError):
        holder.renew()
    assert holder.may_send()
    contest.timeline.wait(SEND_FOR - Timing().renew_after)
    assert not holder.may_send()
    assert holder.renew()
    assert holder.may_send()


def test_a_holder_that_was_followed_finds_out_when_it_renews(contest: Contest) -> None:
    old = contest.held("old")
    contest.timeline.wait(DEAD_AFTER + 1)
    assert contest.lease("new").take(POLLER)
    assert not old.may_send()
    assert not old.renew()
    assert old.is_lost()
