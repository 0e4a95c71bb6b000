"""Where nothing may wait at the service, the next job's slot is claimed before there is room."""

from __future__ import annotations

from itertools import pairwise

import pytest

from shared.catalogue.models import Limits
from shared.jobs.submit import RetryLater
from shared.ledger.lease import POLLER
from shared.ledger.record import Record
from shared.modelstudio.client import ServiceError
from shared.poller.poll_intervals import EAGER
from shared.storage import layout
from tests.kit.hooks import Call, Killed, die, once
from tests.kit.world import MODEL, World, model, run, store_of, submit

SECONDS = 20.0


@pytest.fixture()
def world() -> World:
    made = World(models=(model(limits=Limits(5, 1, 1, 0)),))
    made.studio.seconds = SECONDS
    return made


def calls_of(world: World, seconds: float = 600.0) -> list[Call]:
    """Every call of a poller, in order."""
    app, calls = world.app("poller"), list[Call]()
    store_of(app).before.append(calls.append)
    run(world, seconds, app)
    return calls


def is_for(call: Call, post: Call) -> bool:
    """Whether a call is for the job of this POST."""
    return post.key.rsplit(" ", 1)[-1] in call.key


@pytest.mark.parametrize("seconds", [0.3, SECONDS])
def test_between_an_end_and_the_next_task_there_is_one_request_to_the_store(
    world: World, seconds: float
) -> None:
    """Also where tasks end sooner than the queues are looked at again."""
    world.studio.seconds = seconds
    for number in range(9):
        world.queued(f"job-{number}")
    calls = calls_of(world)
    posts = [place for place, call in enumerate(calls) if call.kind == "POST"]
    assert len(posts) == 9
    for place in posts[1:]:
        asked = max(before for before in range(place) if calls[before].kind == "GET")
        between = [one.kind for one in calls[asked + 1 : place] if is_for(one, calls[place])]
        assert between == ["create"], "the record of the attempt"
    assert world.slots() == []


def test_a_slot_claimed_ahead_is_given_back_at_the_hand_over(world: World) -> None:
    world.queued("cat")
    world.queued("cow")
    calls_of(world, SECONDS / 2)
    assert world.held() == ["brush/cat~000002"]
    assert world.states("cow") == ["QUEUED"]


def test_a_job_that_comes_before_the_one_made_ready_is_sent_first(world: World) -> None:
    world.queued("cat")
    world.queued("cow")
    app, most = world.app("poller"), list[int]()
    store_of(app).after.append(lambda _call: most.append("".join(world.slots()).count("cow~")))

    def put_before(call: Call) -> None:
        if call.kind == "create" and "cow~000002" in call.key:
            world.queued("dog", priority=0)

    store_of(app).after.append(put_before)
    run(world, app=app)
    assert [post.body["input"]["prompt"] for post in world.studio.posts] == [
        f"prompt of {job}" for job in ("cat", "dog", "cow")
    ]
    assert max(most) == 1


def test_looks_at_the_slots_leave_the_one_claimed_ahead_alone(world: World) -> None:
    """It is neither counted nor taken for one that a dead instance left behind."""
    world.studio.seconds = 300.0
    for job in ("cat", "cow", "dog"):
        world.queued(job)
    assert run(world, 1500.0) == "nothing left"
    assert [world.states(job)[1] for job in ("cat", "cow", "dog")] == ["SUBMITTING"] * 3
    sent = [post.at for post in world.studio.posts]
    assert sent[1] - sent[0] < 310 and sent[2] - sent[1] < 310


@pytest.mark.parametrize("seconds", [0.0, 61.0])
def test_a_job_that_has_to_wait_or_expires_gives_its_slot_back(
    world: World, seconds: float
) -> None:
    last = world.queued("cat", expires_after="1m")
    app = world.app("poller")
    assert app.ledger.lease.take(POLLER)
    slot = app.ledger.slots.claim(MODEL, "cat", last.seq + 1)
    world.timeline.wait(seconds)
    rule = app.rules.errors.classify("AllocationQuota", "", 403)
    app.ledger.breakers.pause(MODEL, ServiceError("AllocationQuota", "used up", 403), rule)
    permit = app.submission.line_up(world.models[0])
    outcome = app.submission.submit(last, permit=permit, claimed=slot)
    assert isinstance(outcome, Record if seconds else RetryLater)
    assert world.slots() == []


def test_a_canceled_job_leaves_no_slot_and_is_not_sent(world: World) -> None:
    for job in ("cat", "cow", "dog"):
        world.queued(job)
    app = world.app("poller")

    def cancel(call: Call) -> None:
        if call.kind == "create" and "cow~000002" in call.key:
            assert world.app("api").cancellation.cancel("cow")

    store_of(app).after.append(cancel)
    assert run(world, app=app) == "nothing left"
    assert [world.state(job) for job in ("cat", "cow", "dog")] == [
        "SUCCEEDED",
        "CANCELED",
        "SUCCEEDED",
    ]
    assert len(world.studio.posts) == 2
    assert world.slots() == []


def test_what_a_killed_poller_claimed_ahead_is_freed(world: World) -> None:
    world.queued("cat")
    world.queued("cow")
    victim = world.app("victim")
    store_of(victim).after.append(once("create", "cow~000002", die))
    with pytest.raises(Killed):
        run(world, app=victim)
    assert "brush/cow~000002" in world.held()
    world.timeline.wait(80.0)
    assert run(world) == "nothing left"
    assert [world.state(job) for job in ("cat", "cow")] == ["SUCCEEDED"] * 2
    assert world.slots() == []
    assert world.bucket.keys(layout.QUEUE) == []


def test_who_wakes_a_hair_too_early_asks_all_the_same(world: World) -> None:
    for number in range(9):
        world.queued(f"job-{number}")
    run(world)
    asked = [at for at, task in world.studio.queries if task == "task-8"]
    pauses = [round(after - before, 3) for before, after in pairwise(asked)]
    assert set(pauses[1:]) == {EAGER * SECONDS}


def in_doubt(world: World, job: str) -> Record:
    """An attempt whose sender died before its POST."""
    victim = world.app("victim")
    world.timeline.wait(80.0)
    assert victim.ledger.lease.take(POLLER)
    last = victim.ledger.records.last(job)
    assert last is not None
    store_of(victim).after.append(once("create", layout.record(job, last.seq + 1), die))
    with pytest.raises(Killed):
        victim.submission.submit(last)
    began = world.app("looks").ledger.records.last(job)
    assert began is not None and began.state == "SUBMITTING"
    return began


def test_a_job_read_ahead_in_doubt_is_not_overtaken_once_it_waits_again(world: World) -> None:
    for job in ("cat", "cow"):
        world.queued(job)
    app, brush = world.app("poller"), world.models[0]
    why = app.rules.errors.ours("NoTaskMade", seconds=1)
    pending = submit(world, "cat")
    assert isinstance(pending, Record) and app.transitions.requeue(pending, why)  # another marker
    attempt = in_doubt(world, "cat")
    sender = app.poller.scheduler.sender
    markers = world.bucket.keys(layout.QUEUE)
    sender.get_ready(brush, markers)
    assert app.transitions.requeue(attempt, why, in_doubt=True)
    world.timeline.wait(80.0)
    assert app.ledger.lease.take(POLLER)
    world.timeline.wait(35.0)  # until the permits of the dead are back
    sender.in_flight.keep_only([])
    sender.send(brush, world.bucket.keys(layout.QUEUE), 9)
    world.timeline.wait(2.0)
    app.poller.workers.settle()
    world.timeline.wait(2.0)
    assert [post.body["input"]["prompt"] for post in world.studio.posts[1:]] == ["prompt of cat"]
