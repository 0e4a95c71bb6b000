"""What goes wrong with one thing delays that one alone, also where works run side by side."""

from __future__ import annotations

import pytest

from shared.catalogue.models import Limits
from shared.jobs.submit import INTENTS, SEND_WITHIN
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from shared.storage.objects import ObjectForbidden, StoreError
from tests.kit.hooks import Call, fail
from tests.kit.studio import refuse
from tests.kit.world import MODEL, OTHER, World, model, run, store_of


def test_a_refusal_that_meets_a_look_at_the_slots_leaves_no_place_taken() -> None:
    world = World()
    for job in ("cat", "cow"):
        world.queued(job)
    world.studio.script.append(refuse("Throttling.RateQuota", 429))
    app, began, failed = world.app("poller"), world.timeline.now, list[Call]()

    def disturb(call: Call) -> None:
        since = world.timeline.now - began
        if call.kind == "POST":
            world.timeline.wait(6.0)
        is_look = call.kind == "list" and call.key.startswith(layout.QUEUE)
        if is_look and 1 < since < 6 and not failed:
            failed.append(call)
            fail()

    store_of(app).before.append(disturb)
    run(world, app=app)
    first, second = sorted(post.at - began for post in world.studio.posts)[:2]
    assert failed, "the slots were not looked at in between"
    assert second - first < 30, "the slot that was given back kept the model idle"


@pytest.mark.parametrize("error", [ObjectForbidden("denied"), KeyError("unexpected")])
def test_an_image_that_cannot_be_stored_is_fetched_less_and_less_often(error: Exception) -> None:
    world = World()
    world.queued("cat")
    app, puts = world.app("poller"), list[Call]()

    def refuse_image(call: Call) -> None:
        if call.kind == "put" and "/image" in call.key:
            puts.append(call)
            raise error

    store_of(app).before.append(refuse_image)
    run(world, 300.0, app)
    assert 2 < len(puts) < 15


@pytest.mark.parametrize("since", [60.0, 100.0, 140.0])
def test_advice_that_cannot_be_read_for_a_while_does_not_end_a_run(since: float) -> None:
    world = World(models=(model(limits=Limits(5, 1, 5, 1)),))
    world.studio.seconds = 200.0
    for number in range(8):
        world.queued(f"job-{number}")
    app, began, made = world.app("poller"), world.timeline.now, list[float]()

    def refuse_the_sixth() -> None:
        made.append(world.timeline.now)
        if len(made) > 5:
            raise ServiceError("Throttling.RateQuota", "no", 429)

    def disturb(call: Call) -> None:
        if call.kind == "GET":
            world.timeline.wait(0.3)
        is_advice = call.kind == "read" and call.key.startswith(layout.MODELS)
        if is_advice and since < world.timeline.now - began < since + 5:
            fail()

    world.studio.on_create = refuse_the_sixth
    store_of(app).before.append(disturb)
    assert run(world, 300.0, app) == "handed over at the deadline"


def test_one_models_advice_that_cannot_be_read_keeps_no_other_model_waiting() -> None:
    world = World()
    world.studio.seconds = 20.0
    world.queued("cat", MODEL)
    world.queued("dog", OTHER)
    app, began = world.app("poller"), world.timeline.now
    states = app.ledger.model_states
    get = states.get

    def unreadable(name: str) -> object:
        if name == MODEL and world.timeline.now - began > 5:
            raise StoreError("it cannot be read")
        return get(name)

    states.get = unreadable  # type: ignore[method-assign,assignment]
    run(world, 200.0, app)
    assert world.state("dog") == "SUCCEEDED"


def test_a_renewal_that_fails_as_a_job_is_settled_makes_no_room() -> None:
    world = World(models=(model(limits=Limits(5, 1, 1, 0)),))
    world.studio.seconds = 60.0
    for number in range(3):
        world.queued(f"job-{number}")
    app, began = world.app("poller"), world.timeline.now
    lease, sending = app.ledger.lease, app.poller.scheduler.in_flight.sending
    renew, failed = lease.renew, list[float]()

    def fail_once() -> bool:
        # The job's POST is over and it is no longer being sent: this is where it is settled.
        if world.studio.posts and not sending and not failed:
            failed.append(world.timeline.now)
            raise StoreError("OSS could not be reached")
        return renew()

    lease.renew = fail_once  # type: ignore[method-assign]
    run(world, 50.0, app)
    assert failed and failed[0] - began < 5
    assert len(world.studio.posts) == 1, "one task at once"


def test_a_job_whose_records_came_too_late_is_not_overtaken() -> None:
    """Each record of its attempt takes longer than the POST may follow it: nothing was sent."""
    limits = Limits(5, 1, 5, 0)
    world = World(models=(model(limits=limits),))
    world.studio.limits = {MODEL: limits}
    for job in ("cat", "cow", "dog"):
        world.queued(job)
    app, slow = world.app("poller"), list[Call]()

    def delay(call: Call) -> None:
        if call.kind == "create" and "records/cat/" in call.key and len(slow) < INTENTS:
            slow.append(call)
            world.timeline.wait(SEND_WITHIN + 0.5)

    store_of(app).before.append(delay)
    run(world, app=app)
    assert len(slow) == INTENTS
    assert [post.body["input"]["prompt"] for post in world.studio.posts] == [
        f"prompt of {job}" for job in ("cat", "cow", "dog")
    ]
