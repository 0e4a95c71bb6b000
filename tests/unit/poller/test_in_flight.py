"""Several tasks in flight: who runs first at the service, and who must not wait for whom."""

from __future__ import annotations

from itertools import pairwise

import pytest
from shared.ledger.tickets import tick_length

from shared.catalogue.models import Limits
from shared.ledger.record import PENDING, Record
from shared.ledger.slots import HeldSlot, Slot
from shared.platform.clock import iso
from tests.kit.world import MODEL, OTHER, World, model, run, submit

MARKS = {"cat": "0" * 12, "dog": "1" * 12}


@pytest.mark.parametrize("order", [("cat", "dog"), ("dog", "cat")])
def test_of_two_slots_of_one_second_the_task_that_was_sent_first_runs(
    order: tuple[str, str],
) -> None:
    """Slots are made before there is a ticket, and are dated in whole seconds."""
    world = World()
    in_flight = world.app().poller.in_flight
    slots_made = float(int(world.timeline.now))
    for job in sorted(order):
        sent_at = iso(world.timeline.now + order.index(job))
        last = Record(job=job, seq=3, state=PENDING, at=sent_at, submitted_at=sent_at)
        held = HeldSlot(Slot(MODEL, job, 2, MARKS[job]), slots_made)
        in_flight.track(held, last)
    world.timeline.wait(2)

    in_flight.line_up()

    assert [one.slot.job for one in in_flight if not one.behind] == [order[0]]


MANY = Limits(submissions=2, per_seconds=1, concurrent=8, queue_ahead=0)
DOGS = [f"dog-{number}" for number in range(8)]


def busy_world() -> World:
    """Eight jobs that may all run at once, and need a ticket each; one of another model."""
    world = World(models=(model(MODEL, MANY), model(OTHER)))
    world.queued("cat", OTHER)
    for job in DOGS:
        world.queued(job)
    return world


def test_waiting_for_one_models_tickets_does_not_keep_another_models_image() -> None:
    world = busy_world()
    submit(world, "cat")
    cat = next(iter(world.studio.tasks.values()))

    run(world)

    seen = min(at for at, task in world.studio.queries if task == cat.task_id and at >= cat.end)
    assert seen - cat.end < tick_length(2, 1)


def test_waiting_for_one_models_tickets_does_not_keep_another_models_job() -> None:
    world = busy_world()
    begun = world.timeline.now

    run(world)

    posts = {post.body["model"]: post.at for post in reversed(world.studio.posts)}
    assert posts[OTHER] - begun < tick_length(2, 1)
    sent = [post.at for post in world.studio.posts if post.body["model"] == MODEL]
    assert max(later - earlier for earlier, later in pairwise(sent)) < tick_length(2, 1) + 1.0


def test_a_slot_whose_task_is_over_makes_room_once() -> None:
    """It may have been freed by somebody else since, and another job be in its place."""
    slots = World().app().ledger.slots
    over = slots.claim(MODEL, "cat", 2, window=1)
    assert over is not None
    assert slots.claim(MODEL, "dog", 2, window=1) is None
    assert slots.claim(MODEL, "dog", 2, window=1, finished_remotely={over})
    slots.free(over)
    assert slots.claim(MODEL, "cow", 2, window=1, finished_remotely={over}) is None
