"""What waits for an answer keeps nothing else waiting."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.catalogue.models import Limits
from shared.platform.clock import iso
from shared.poller.schedule import LAST_LOOK
from shared.storage import layout
from tests.kit.hooks import Call
from tests.kit.world import MODEL, OTHER, World, model, run, store_of

SLOW = 25.0


def run_slow(world: World, kind: str, key_part: str) -> None:
    """A poller some of whose requests take long."""
    app = world.app("poller")

    def wait(call: Call) -> None:
        if call.kind == kind and key_part in call.key:
            world.timeline.wait(SLOW)

    store_of(app).before.append(wait)
    run(world, app=app)


@pytest.mark.parametrize(
    ("kind", "key"),
    [("put", "cat/image"), ("read", "records/cat"), ("create", "records/cat/000002")],
)
def test_one_slow_request_delays_its_own_job_alone(kind: str, key: str) -> None:
    world = World()
    world.queued("cat", MODEL)
    world.queued("dog", OTHER)
    began = world.timeline.now
    run_slow(world, kind, key)
    assert [world.state(job) for job in ("cat", "dog")] == ["SUCCEEDED"] * 2
    written = world.bucket.objects[layout.result("dog")].modified
    assert written - began < world.studio.seconds + SLOW / 2


def test_submissions_of_a_model_overlap() -> None:
    """An answer that takes long does not use up the rate."""
    world = World(models=(model(limits=Limits(5, 1, 10, 0)),))
    for number in range(5):
        world.queued(f"job-{number}")
    app = world.app("poller")
    store_of(app).network.answer_delay = lambda: 0.5
    run(world, app=app)
    sent = [post.at for post in world.studio.posts]
    assert len(sent) == 5
    assert max(sent) - min(sent) < 5 * 0.5, "each waited for the answer before"


def test_the_next_poller_need_not_wait_for_a_slow_image() -> None:
    world = World()
    world.queued("cat")
    app, began, released = world.app("poller"), world.timeline.now, list[float]()

    def watch(call: Call) -> None:
        if call.kind == "put" and "cat/image" in call.key:
            world.timeline.wait(SLOW)
        if call.kind == "put" and call.key.startswith(layout.LEASE):
            released.append(world.timeline.now - began)

    store_of(app).before.append(watch)
    assert run(world, 2 * world.studio.seconds, app=app) == "handed over at the deadline"
    assert released[-1] < 3 * world.studio.seconds < SLOW
    assert world.state("cat") == "SUCCEEDED", "what was under way is seen to its end"


def test_slow_images_of_one_model_keep_no_other_model_waiting() -> None:
    limits = Limits(50, 1, 40, 0)
    world = World(models=(model(limits=limits), model(OTHER)))
    world.studio.limits = {MODEL: limits, OTHER: limits}
    for number in range(40):
        world.queued(f"cat-{number}", MODEL)
    app, queued = world.app("poller"), list[float]()

    def wait(call: Call) -> None:
        if call.kind == "put" and "results/cat" in call.key:
            if not queued:
                queued.append(world.timeline.now)
                world.queued("dog", OTHER)
            world.timeline.wait(SLOW)

    store_of(app).before.append(wait)
    run(world, app=app)
    written = world.bucket.objects[layout.result("dog")].modified
    assert written - queued[0] < LAST_LOOK + world.studio.seconds + SLOW / 2


def test_at_the_hand_over_no_image_is_begun() -> None:
    """Those that wait for their turn would keep the instance busy beyond its time."""
    limits = Limits(100, 1, 100, 0)
    world = World(models=(model(limits=limits),))
    world.studio.limits = {MODEL: limits, OTHER: limits}
    for number in range(100):
        world.queued(f"job-{number:03}")
    app, begun, deadline = world.app("poller"), list[float](), 2 * SLOW
    end = world.timeline.now + deadline

    def slow(call: Call) -> None:
        if call.kind == "put" and "/image" in call.key:
            begun.append(world.timeline.now)
            world.timeline.wait(SLOW)

    store_of(app).before.append(slow)
    assert run(world, deadline, app=app) == "handed over at the deadline"
    assert begun and max(begun) <= end
    assert world.timeline.now <= end + 2 * SLOW
    run(world)
    assert {world.state(f"job-{number:03}") for number in range(100)} == {"SUCCEEDED"}


def test_what_was_learned_is_written_before_the_lease_is_given_back() -> None:
    world = World()
    world.queued("cat")
    app, calls = world.app("poller"), list[Call]()

    def watch(call: Call) -> None:
        if call.kind == "put" and "cat/image" in call.key:
            world.timeline.wait(SLOW)
        calls.append(call)

    store_of(app).before.append(watch)
    run(world, 2 * world.studio.seconds, app=app)
    puts = [call.key for call in calls if call.kind == "put"]
    released = max(place for place, key in enumerate(puts) if key.startswith(layout.LEASE))
    assert any(key.startswith(layout.MODELS) for key in puts[:released])


@pytest.mark.parametrize(("seconds", "ends"), [(1000.0, "nothing left"), (25.0, "handed over")])
def test_a_limit_per_minute_is_used_whole(seconds: float, ends: str) -> None:
    """In one run, and where runs follow each other while all permits are spent."""
    world = World(models=(model(limits=Limits(2, 60, 20, 0)),))
    for number in range(6):
        world.queued(f"job-{number}")
    while world.markers():
        assert run(world, seconds).startswith((ends, "nothing left"))
        world.timeline.wait(2.0)
    sent = sorted(post.at for post in world.studio.posts)
    assert all(60 <= after - before < 64 for before, after in zip(sent, sent[2:], strict=False))


def test_a_job_that_has_to_wait_is_read_once() -> None:
    """Each look at the queue read it anew, with the whole of its history."""
    world = World(models=(model(limits=Limits(5, 1, 4, 0)),))
    for number in range(3):
        world.queued(f"late-{number}")
        app = world.app("other")
        last = app.ledger.records.last(f"late-{number}")
        assert last is not None
        until = iso(world.timeline.now + 300.0)
        app.ledger.records.append(replace(last.following("QUEUED"), not_before=until))
    world.queued("now")
    world.studio.seconds = 200.0
    poller, calls = world.app("poller"), list[Call]()
    store_of(poller).before.append(calls.append)
    run(world, 240.0, poller)
    looks = sum(call.kind == "list" and call.key == layout.QUEUE for call in calls)
    reads = sum("records/late-" in call.key for call in calls)
    assert looks > 5
    assert reads <= 3 * 5, "its records, once"
