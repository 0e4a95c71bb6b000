"""Several tasks in flight: who runs first at the service, and who must not wait for whom."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from shared.catalogue.models import Limits
from shared.ledger.record import PENDING, RUNNING, SUBMITTING, Record
from shared.ledger.slots import HeldSlot, Slot
from shared.platform.clock import iso
from shared.poller.in_flight import InFlightTasks
from shared.poller.line import InFlight
from tests.kit.world import MODEL, OTHER, World, model, run, submit

MARKS = {"cat": "0" * 12, "dog": "1" * 12}


def under_way(world: World, job: str, later: float = 0.0) -> Record:
    """The record of a task that was sent so many seconds from now."""
    sent_at = iso(world.timeline.now + later)
    return Record(job=job, seq=3, state=PENDING, at=sent_at, submitted_at=sent_at)


def test_an_attempt_in_doubt_is_looked_up_wherever_it_stands_in_line() -> None:
    world = World()
    in_flight, now = world.app().poller.in_flight, world.timeline.now
    doubtful = replace(under_way(world, "dog"), state=SUBMITTING, submitted_at=None)
    in_flight.track(
        HeldSlot(Slot("-", MODEL, "cat", 2, MARKS["cat"]), now), under_way(world, "cat")
    )
    dog = in_flight.track(HeldSlot(Slot("-", MODEL, "dog", 2, MARKS["dog"]), now), doubtful)
    in_flight.line_up()
    assert dog.behind
    assert dog.ask_at <= world.app().clock.monotonic(), "no task of the line is waited for"


@pytest.mark.parametrize("order", [("cat", "dog"), ("dog", "cat")])
def test_of_two_slots_of_one_second_the_task_that_was_sent_first_runs(
    order: tuple[str, str],
) -> None:
    """Slots are made before there is a permit, and are dated in whole seconds."""
    world = World()
    in_flight = world.app().poller.in_flight
    slots_made = float(int(world.timeline.now))
    for job in sorted(order):
        last = under_way(world, job, order.index(job))
        held = HeldSlot(Slot("-", MODEL, job, 2, MARKS[job]), slots_made)
        in_flight.track(held, last)
    world.timeline.wait(2)

    in_flight.line_up()

    assert [one.slot.job for one in in_flight if not one.behind] == [order[0]]


def followed(world: World, in_flight: InFlightTasks, *jobs: str) -> list[InFlight]:
    """Tasks that this run has just sent, a tenth of a second apart."""
    made = []
    for job in jobs:
        last = replace(under_way(world, job), task_id=f"task of {job}")
        held = HeldSlot(Slot("-", MODEL, job, 2, "2" * 12), world.timeline.now)
        made.append(in_flight.track(held, last, sent_now=True))
        world.timeline.wait(0.1)
    in_flight.line_up()
    return made


def test_the_services_word_on_what_runs_beats_the_order_of_sending() -> None:
    """Calls that overlap may arrive the other way round. A wrong order would last for as long as
    jobs keep coming, and every task would seem to take twice its time."""
    world = World()
    in_flight, clock = world.app().poller.in_flight, world.app().clock
    cat, dog = followed(world, in_flight, "cat", "dog")
    assert (cat.behind, dog.behind) == (False, True)
    world.timeline.wait(1)

    cat.asked_at = clock.monotonic()
    in_flight.seen_open(cat, PENDING)
    assert dog.is_due(clock.monotonic()), "which of them runs, then?"
    dog.asked_at, dog.ask_at = clock.monotonic(), clock.monotonic() + 90
    in_flight.seen_open(dog, RUNNING)
    in_flight.line_up()
    assert (cat.behind, dog.behind) == (True, False)

    in_flight.seen_open(dog, PENDING)
    assert not cat.is_due(clock.monotonic() + 1), "it is behind, and that is known"
    dog.open_at = clock.monotonic()
    world.timeline.wait(1)
    assert in_flight.finish_remotely(dog) is None, "nobody saw when it began"
    in_flight.drop(dog)
    in_flight.line_up()
    assert not cat.behind
    assert clock.monotonic() - cat.started == pytest.approx(0.5)


def test_the_time_that_a_task_waits_at_the_service_is_no_part_of_what_it_takes() -> None:
    """Others' tasks took the model for ten minutes: what is learned then is what comes after."""
    world = World()
    app = world.app()
    in_flight, clock = app.poller.in_flight, app.clock
    [cat] = followed(world, in_flight, "cat")
    for _ in range(120):
        world.timeline.wait(5)
        in_flight.seen_open(cat, PENDING)
        cat.open_at = clock.monotonic()
        assert cat.ask_at - clock.monotonic() <= 5, "it may begin at any moment"
    world.timeline.wait(2)
    in_flight.seen_open(cat, RUNNING)
    cat.open_at = clock.monotonic()
    world.timeline.wait(19)
    took = in_flight.finish_remotely(cat)
    assert took is None, "it may have ended long ago"
    cat.finished_remotely, cat.open_at = False, clock.monotonic() - 1
    took = in_flight.finish_remotely(cat)
    assert took is not None and 18 <= took <= 21


def test_a_task_that_ends_before_it_was_seen_running_teaches_nothing() -> None:
    world = World()
    in_flight, clock = world.app().poller.in_flight, world.app().clock
    [cat] = followed(world, in_flight, "cat")
    world.timeline.wait(600)
    in_flight.seen_open(cat, PENDING)
    cat.open_at = clock.monotonic()
    world.timeline.wait(1)
    assert in_flight.finish_remotely(cat) is None


def test_a_task_that_waits_is_asked_once_though_the_one_before_it_waits_on() -> None:
    world = World()
    in_flight, clock = world.app().poller.in_flight, world.app().clock
    cat, dog = followed(world, in_flight, "cat", "dog")
    dog.asked_at, dog.ask_at = clock.monotonic(), clock.monotonic() + 90
    in_flight.seen_open(cat, PENDING)
    assert not dog.is_due(clock.monotonic() + 80)


def test_an_end_that_nobody_waited_for_is_nobodys_beginning() -> None:
    """Of two tasks in a wrong order the one behind ends; what is sent next begins later."""
    world = World()
    in_flight, clock = world.app().poller.in_flight, world.app().clock
    cat, dog = followed(world, in_flight, "cat", "dog")
    [bird] = followed(world, in_flight, "bird")
    in_flight.finish_remotely(dog)
    in_flight.drop(dog)
    in_flight.line_up()
    assert bird.behind
    world.timeline.wait(30)
    cat.open_at = clock.monotonic() - 1
    in_flight.finish_remotely(cat)
    in_flight.drop(cat)
    in_flight.line_up()
    assert clock.monotonic() - bird.started == pytest.approx(0.5)


@pytest.mark.parametrize(("within", "early"), [(0.9, False), (3.0, True)])
def test_a_task_whose_start_is_hardly_known_is_asked_for_early(within: float, early: bool) -> None:
    """What is found late would make the next one late as well."""
    one_waits = Limits(submissions=2, per_seconds=1, concurrent=1, queue_ahead=1)
    world = World(models=(model(MODEL, one_waits),))
    app = world.app()
    for number in range(40):
        app.ledger.durations.learn(MODEL, 21.0 + number % 13)
    in_flight, clock = app.poller.in_flight, app.clock
    app.ledger.rng.random = lambda: 0.9  # type: ignore[method-assign]
    cat, dog = followed(world, in_flight, "cat", "dog")
    world.timeline.wait(27)
    cat.open_at = clock.monotonic() - within
    in_flight.finish_remotely(cat)
    in_flight.drop(cat)
    in_flight.line_up()
    assert dog.early == early


MANY = Limits(submissions=2, per_seconds=1, concurrent=8, queue_ahead=0)
DOGS = [f"dog-{number}" for number in range(8)]


def busy_world() -> World:
    """Eight jobs that may all run at once, two of them in a second; one of another model."""
    world = World(models=(model(MODEL, MANY), model(OTHER)))
    world.queued("cat", OTHER)
    for job in DOGS:
        world.queued(job)
    return world


def test_waiting_for_one_models_permits_does_not_keep_another_models_image() -> None:
    world = busy_world()
    submit(world, "cat")
    cat = next(iter(world.studio.tasks.values()))

    run(world)

    seen = min(at for at, task in world.studio.queries if task == cat.task_id and at >= cat.end)
    assert seen - cat.end < MANY.per_seconds


def test_waiting_for_one_models_permits_does_not_keep_another_models_job() -> None:
    world = busy_world()
    begun = world.timeline.now

    run(world)

    posts = {post.body["model"]: post.at for post in reversed(world.studio.posts)}
    assert posts[OTHER] - begun < MANY.per_seconds
    sent = [post.at for post in world.studio.posts if post.body["model"] == MODEL]
    assert max(later - earlier for earlier, later in pairwise(sent)) < MANY.per_seconds + 1.0


def test_a_slot_whose_task_is_over_makes_room_once() -> None:
    """It may have been freed by somebody else since, and another job be in its place."""
    world, brush = World(), model()
    ledger, in_flight = world.app().ledger, world.app().poller.in_flight
    over = HeldSlot(ledger.slots.claim(MODEL, "cat", 2), world.timeline.now)
    in_flight.keep_only(ledger.slots.held())
    assert in_flight.room(brush) == 0
    task = in_flight.track(over, under_way(world, "cat"))
    assert in_flight.room(brush) == 0, "it is the slot that was counted"
    in_flight.finish_remotely(task)
    assert in_flight.room(brush) == 1
    next_one = HeldSlot(ledger.slots.claim(MODEL, "dog", 2), world.timeline.now)
    in_flight.track(next_one, under_way(world, "dog"))
    assert in_flight.room(brush) == 0
    ledger.slots.free(over.slot)
    for _ in range(2):
        in_flight.keep_only(ledger.slots.held())
        assert in_flight.room(brush) == 0
    in_flight.drop(task)
    assert in_flight.room(brush) == 0


def test_before_the_slots_are_counted_there_is_no_room() -> None:
    world, brush = World(), model()
    in_flight = world.app().poller.in_flight
    assert (in_flight.counted, in_flight.room(brush)) == (False, 0)
    in_flight.keep_only([])
    assert (in_flight.counted, in_flight.room(brush)) == (True, 1)
    in_flight.count_again()
    assert (in_flight.counted, in_flight.room(brush)) == (False, 0)


def test_slots_of_other_models_take_no_room() -> None:
    world = World()
    slots, in_flight = world.app().ledger.slots, world.app().poller.in_flight
    slots.claim(OTHER, "dog", 2)
    in_flight.keep_only(slots.held())
    assert [in_flight.room(model(name)) for name in (MODEL, OTHER)] == [1, 0]
