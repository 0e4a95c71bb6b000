"""Calls that are open when their poller hands over, dies or runs out of time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.app import App
from shared.catalogue.models import Limits
from shared.jobs.calls import INSISTS, STORING
from shared.ledger.lease import POLLER, Timing
from shared.ledger.slots import slot_at
from shared.ledger.wakeups import DEADLINE
from shared.modelstudio.answers import RETENTION
from shared.modelstudio.client import ServiceError
from shared.poller.follower import FETCHING
from shared.poller.poller import HANDED_OVER
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import Call, fail, once
from tests.kit.world import MODEL, OTHER, World, run, store_of
from tests.simulation.studio import result_url
from tests.unit.poller.calling import FAST, LATE, poll, synchronous


def test_a_poller_hands_over_while_a_call_is_open_and_hears_the_answer() -> None:
    world = synchronous()
    world.studio.seconds = LATE
    for job in ("cat", "dog"):
        world.queued(job)
    seen: list[tuple[bool, int]] = []

    def look() -> None:
        seen.append((world.lease_is_free(), len(world.bucket.keys(layout.CALLS))))

    world.timeline.after(60.0, look)
    assert poll(world, 30.0) == "handed over at the deadline"
    assert seen == [(True, 1)]
    assert world.bucket.keys(layout.CALLS) == []
    assert {world.state(job) for job in ("cat", "dog")} == {"SUCCEEDED"}
    assert len(world.studio.posts) == 2


def test_the_next_poller_gives_up_no_call_of_one_that_drains() -> None:
    world = synchronous()
    world.studio.seconds = LATE
    world.queued("cat")
    world.timeline.after(45.0, lambda: world.timeline.thread(lambda: run(world)))
    poll(world, 30.0)
    world.timeline.wait(60.0)
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "RUNNING", "SUCCEEDED"]
    assert len(world.studio.posts) == 1


def cut_off(world: World, app: App, began: float, ended: float) -> None:
    """Between these moments the store does not answer this instance."""

    def silent(_call: Call) -> None:
        if began <= world.timeline.now < ended:
            raise StoreError("silent")

    store_of(app).before.append(silent)


def cut_off_and_followed(world: World, app: App, seconds: float) -> None:
    """The store does not answer a poller until its call does, after so many seconds; shortly before
    another poller runs."""
    now = world.timeline.now
    cut_off(world, app, now + 20.0, now + seconds - 5.0)
    world.timeline.after(seconds - 40.0, lambda: world.timeline.thread(lambda: run(world, 15.0)))


@pytest.mark.parametrize("on_unknown", [None, "resend"])
def test_no_call_is_given_up_before_its_poller_has_had_time_to_reach_the_store(
    on_unknown: str | None,
) -> None:
    world = synchronous()
    world.studio.seconds = LATE
    world.queued("cat", **({"on_unknown": on_unknown} if on_unknown else {}))
    app = world.app("cut off")
    cut_off_and_followed(world, app, seconds=LATE)
    poll(world, 400.0, app)
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "RUNNING", "SUCCEEDED"]
    assert len(world.studio.posts) == 1


@pytest.mark.parametrize("on_unknown", [None, "resend"])
def test_an_answer_that_comes_after_its_call_was_given_up_is_kept(on_unknown: str | None) -> None:
    """Its poller could neither renew the lease nor say that it lives, and has heard it all the
    same."""
    world = synchronous()
    world.studio.seconds = LATE + INSISTS
    world.queued("cat", **({"on_unknown": on_unknown} if on_unknown else {}))
    app = world.app("cut off")
    seen: list[str] = []
    cut_off_and_followed(world, app, seconds=LATE + INSISTS)
    world.timeline.after(LATE + INSISTS - 10.0, lambda: seen.append(world.state("cat")))
    if on_unknown:  # it is not its turn yet
        world.studio.limits = {MODEL: FAST}
        pause_later(world, LATE + INSISTS - 45.0)
    poll(world, 400.0, app)
    assert seen == ["QUEUED" if on_unknown else "NEEDS_ATTENTION"]
    assert world.states("cat")[-2:] == ["RUNNING", "SUCCEEDED"]
    assert world.manifest("cat")["state"] == "SUCCEEDED"
    assert len(world.studio.posts) == 1
    assert (world.slots(), world.markers()) == ([], [])


def given_up_and_answered(world: World) -> App:
    """A poller whose call another gave up before its answer came, not yet run."""
    world.studio.seconds = LATE + INSISTS
    world.queued("cat")
    app = world.app("cut off")
    cut_off_and_followed(world, app, seconds=LATE + INSISTS)
    return app


LATE_RECORD = layout.record("cat", 4)


def test_the_slot_of_a_late_answer_is_put_back_if_it_was_freed_before_its_record_came() -> None:
    world = synchronous()
    app = given_up_and_answered(world)

    def freed(call: Call) -> None:
        if (call.kind, call.key) == ("create", LATE_RECORD):
            for slot in world.slots():
                app.ledger.slots.free(slot_at(slot))

    store_of(app).before.append(freed)
    with_slot: list[list[str]] = []
    images = store_of(app).before
    images.append(lambda call: with_slot.append(world.slots()) if "image-1" in call.key else None)
    poll(world, 400.0, app)
    assert [len(slots) for slots in with_slot] == [1]
    assert world.states("cat")[-2:] == ["RUNNING", "SUCCEEDED"]
    assert (world.slots(), world.markers()) == ([], [])


def test_a_late_answer_whose_record_was_written_unheard_is_not_left_alone() -> None:
    world = synchronous()
    app = given_up_and_answered(world)
    unheard = once("create", LATE_RECORD, fail)
    store_of(app).after.append(unheard)
    poll(world, 400.0, app)
    assert world.states("cat")[-2:] == ["RUNNING", "SUCCEEDED"]
    assert (world.slots(), world.markers()) == ([], [])


def pause_later(world: World, seconds: float) -> None:
    error = ServiceError("AllocationQuota.FreeTierOnly", "spent", 403)
    app = world.app("person")
    rule = app.rules.errors.classify(error.code, error.message, error.http)
    world.timeline.after(seconds, lambda: app.ledger.breakers.pause(MODEL, error, rule))


def test_a_call_whose_poller_is_gone_is_lost_once_its_sign_of_life_is_old() -> None:
    world = synchronous()
    app = world.app("killed")
    assert app.ledger.lease.take(POLLER)
    app.ledger.open_calls.announce(app.ledger.lease.number)
    last = world.queued("cat")
    slot = app.ledger.slots.claim(MODEL, "cat", 2)
    draft = last.following("SUBMITTING").claimed(slot)
    app.ledger.records.append(replace(draft, attempt=1, epoch=app.ledger.lease.epoch, call=True))
    app.ledger.lease.release()
    began = world.timeline.now
    run(world)
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert Timing().dead_after <= world.timeline.now - began <= Timing().dead_after + 60.0
    assert world.studio.posts == []


@pytest.mark.parametrize("epoch", [57, None])
def test_a_call_of_an_epoch_that_nobody_will_reach_is_given_up_in_the_end(
    epoch: int | None,
) -> None:
    """As where the lease's objects are lost, or a bucket was copied without them."""
    world = synchronous()
    app, last = world.app("long ago"), world.queued("cat")
    slot = app.ledger.slots.claim(MODEL, "cat", 2)
    draft = last.following("SUBMITTING").claimed(slot)
    app.ledger.records.append(replace(draft, attempt=1, epoch=epoch, call=True))
    run(world, 900.0)
    assert world.state("cat") == "SUBMITTING"
    world.timeline.wait(RETENTION)
    run(world)
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert (world.slots(), world.studio.posts) == ([], [])


def test_no_call_is_begun_that_could_not_be_answered_in_time() -> None:
    world = synchronous()
    world.queued("cat")
    app = world.app("poller")
    now = app.clock.monotonic()
    app.poller.run(now + 30.0, ends=now + 600.0 + STORING - 1.0)
    assert world.studio.posts == []
    assert world.states("cat") == ["QUEUED"]
    run(world)
    assert world.state("cat") == "SUCCEEDED"


def test_the_next_poller_is_woken_for_what_this_one_has_no_time_to_call() -> None:
    """Also where another model rests for long, and nothing else is left to do."""
    world = synchronous(Limits(submissions=1, per_seconds=60, concurrent=None, queue_ahead=0))
    for job, name in (("first", MODEL), ("second", MODEL), ("paused", OTHER)):
        world.queued(job, name)
    app = world.app("poller")
    error = ServiceError("AllocationQuota.FreeTierOnly", "spent", 403)
    rule = app.rules.errors.classify(error.code, error.message, error.http)
    app.ledger.breakers.pause(OTHER, error, rule)
    now = app.clock.monotonic()
    word = app.poller.run(now + 400.0, ends=now + 600.0 + STORING + 30.0)
    assert word == HANDED_OVER[DEADLINE]
    assert world.states("first")[-1] == "SUCCEEDED"
    assert (world.states("second"), world.states("paused")) == (["QUEUED"], ["QUEUED"])
    assert world.bucket.holds(layout.WAKE)


def silent_until(world: World, app: App, until: float) -> None:
    """Until then the store does not take the record of the answer."""

    def silent(call: Call) -> None:
        is_answer = call.kind == "create" and "records/cat/000003" in call.key
        if is_answer and world.timeline.now < until:
            raise StoreError("silent")

    store_of(app).before.append(silent)


def test_an_answer_is_written_down_although_the_store_is_silent_for_a_minute() -> None:
    world = synchronous()
    world.queued("cat")
    app = world.app("poller")
    silent_until(world, app, world.timeline.now + world.studio.seconds + INSISTS / 2)
    run(world, app=app)
    assert world.state("cat") == "SUCCEEDED"


def test_an_answer_is_held_for_as_long_as_its_poller_lives() -> None:
    world = synchronous()
    world.queued("cat")
    app = world.app("poller")
    silent_until(world, app, world.timeline.now + world.studio.seconds + 4 * INSISTS)
    poll(world, 30.0, app)
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.posts) == 1


def test_what_comes_too_late_to_be_fetched_is_left_to_the_next_poller() -> None:
    world = synchronous()
    world.studio.seconds = 60.0
    world.queued("cat")
    app = world.app("poller", call_timeout=61.0)
    silent_until(world, app, world.timeline.now + 61.0 + STORING - FETCHING + 10.0)
    now = app.clock.monotonic()
    app.poller.run(now + 30.0, ends=now + 61.0 + STORING + 5.0)
    assert world.state("cat") == "RUNNING"
    run(world)
    assert world.state("cat") == "SUCCEEDED"


def test_the_next_poller_does_not_fetch_in_a_hurry_what_cannot_be_fetched() -> None:
    world = synchronous()
    world.studio.seconds = 60.0
    world.queued("cat")
    world.images.answers[result_url("task-1", 1)] = 500
    world.timeline.after(45.0, lambda: world.timeline.thread(lambda: run(world, 200.0)))
    poll(world, 30.0)
    world.timeline.wait(200.0)
    assert world.state("cat") == "RUNNING"
    assert 2 <= len(world.images.fetched) <= 12


def test_the_lease_is_not_given_back_before_a_call_is_written_completely() -> None:
    """The next holder would not know when its permit returns."""
    world = synchronous(Limits(1, 60.0, None, 0))
    world.studio.seconds = LATE
    world.queued("cat")
    app = world.app("poller")
    session: Any = app.http
    call, free = session._call, list[bool]()

    def slow(*what: Any) -> Any:
        world.timeline.wait(20.0)
        return call(*what)

    session._call = slow
    world.timeline.after(18.0, lambda: free.append(world.lease_is_free()))
    world.timeline.after(30.0, lambda: free.append(world.lease_is_free()))
    poll(world, 10.0, app)
    assert free == [False, True]
    spent = json.loads(world.bucket.peek(world.bucket.keys(layout.LEASE)[0]))["permits"]
    assert 50.0 < spent[MODEL][0] <= 61.0
