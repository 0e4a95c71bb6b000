"""The pump: nothing waits longer than it must, nothing is asked more than it must."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from itertools import pairwise

import pytest

from shared.catalogue.models import Limits
from shared.jobs.intake import Source
from shared.ledger.lease import POLLER, Timing
from shared.poller.follower import ORPHAN_AGE
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.calls import Calls
from tests.kit.hooks import Call, Killed, die, fail, once
from tests.kit.studio import UNREACHABLE, accept_with, lose_answer, lose_request, refuse
from tests.kit.world import LONG, MODEL, OTHER, World, job_file, model, run, store_of, submit

TIMING = Timing()


@pytest.fixture()
def world() -> World:
    return World()


def test_an_idle_system_rests_at_once(world: World) -> None:
    before = world.timeline.now
    assert run(world) == "nothing left"
    assert world.timeline.now == before
    assert world.lease_is_free()
    assert world.bucket.count() < 12


def test_jobs_over_a_one_slot_model_follow_each_other_without_a_gap(world: World) -> None:
    jobs = ["cat", "dog", "cow", "hen"]
    for job in jobs:
        world.queued(job)
    assert run(world) == "nothing left"
    assert [world.state(job) for job in jobs] == ["SUCCEEDED"] * 4
    tasks = list(world.studio.tasks.values())
    assert all(later.created >= earlier.end for earlier, later in pairwise(tasks))
    idle = [later.start - earlier.end for earlier, later in pairwise(tasks)]
    assert max(idle) < 2.0, "the slot stood idle"
    assert (world.slots(), world.markers()) == ([], [])
    assert world.lease_is_free()


def test_jobs_are_served_in_order_of_priority_then_arrival(world: World) -> None:
    for job, priority in [("late", 5), ("last", 9), ("urgent", 0), ("later", 5)]:
        world.queued(job, priority=priority)
    run(world)
    prompts = [post.body["input"]["prompt"].split()[-1] for post in world.studio.posts]
    assert prompts == ["urgent", "late", "later", "last"]


def test_each_job_is_submitted_once_and_each_task_collected_once(world: World) -> None:
    for number in range(6):
        world.queued(f"job-{number}", (MODEL, OTHER)[number % 2])
    run(world)
    assert len(world.studio.posts) == 6
    assert len(world.images.fetched) == 6


def test_models_run_side_by_side(world: World) -> None:
    world.queued("cat", MODEL)
    world.queued("dog", OTHER)
    before = world.timeline.now
    run(world)
    assert world.timeline.now - before < 1.8 * world.studio.seconds


def test_a_job_that_arrives_while_polling_is_picked_up(world: World) -> None:
    world.queued("cat")
    world.timeline.after(2.0, lambda: world.queued("dog", OTHER))
    run(world)
    assert world.state("dog") == "SUCCEEDED"
    assert world.studio.tasks["task-2"].created < world.studio.tasks["task-1"].end


def test_a_job_that_arrives_as_the_poller_goes_to_rest_is_not_left_behind(world: World) -> None:
    app = world.app("poller")
    store_of(app).before.append(once("put", layout.LEASE, lambda: world.queued("cat")))
    assert run(world, app=app) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"


def test_at_the_deadline_the_next_run_is_woken(world: World) -> None:
    world.studio.seconds = 100.0
    world.queued("cat")
    before = world.timeline.now
    assert run(world, 20.0) == "handed over at the deadline"
    assert world.timeline.now - before <= 20.0
    assert world.bucket.holds(layout.WAKE)
    assert world.lease_is_free()
    assert run(world) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.posts) == 1


def test_a_second_poller_leaves_when_the_first_one_shows_that_it_lives(world: World) -> None:
    first = world.app("first").ledger.lease
    assert first.take(POLLER)
    for moment in range(1, 31):
        world.timeline.after(float(moment), first.renew)
    world.queued("cat")
    before = world.timeline.now
    assert Calls(world).run() == "another instance is at work"
    assert 1 < world.timeline.now - before <= TIMING.renew_after + 3
    assert world.state("cat") == "QUEUED"
    assert not world.lease_is_free(), "the other poller's lease was taken away"
    world.timeline.wait(TIMING.dead_after)
    assert run(world) == "nothing left", "a dead poller's lease must not count for ever"


def test_a_poller_waits_until_the_one_before_counts_as_dead(world: World) -> None:
    """It may have been killed, and where no timer comes every minute nothing comes for its jobs."""
    world.app("killed").ledger.lease.take(POLLER)
    world.queued("cat")
    before = world.timeline.now
    assert Calls(world).run() == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    permits = TIMING.request + model().limits.per_seconds
    waited = world.studio.posts[0].at - before - TIMING.dead_after - permits
    assert 0 <= waited < 4, "nobody knows what the one before sent last"


def test_a_poller_that_was_replaced_while_it_was_frozen_goes(world: World) -> None:
    world.studio.seconds = 60.0
    world.queued("cat")
    world.queued("dog", OTHER)
    frozen, other = world.app("frozen"), world.app("other").ledger.lease
    world.timeline.after(90.0, lambda: other.take(POLLER))
    before: list[Call] = []
    began = world.timeline.now

    def freeze() -> None:
        world.timeline.freeze(100)
        before.extend(world.bucket.calls)

    store_of(frozen).after.append(once("create", "records/cat/000003", freeze))
    words: list[str] = []
    world.timeline.spawn(
        "frozen", lambda: words.append(run(world, app=frozen)), LONG, lambda *_: None
    )
    while not words:
        world.timeline.step()
    assert words == ["another poller took over"]
    assert max(post.at for post in world.studio.posts) < began + 90
    asked = [call.key for call in world.bucket.calls[len(before) :] if call.instance == "frozen"]
    assert layout.queue_of(OTHER) not in asked, "it went on with another step"
    assert other.may_send()
    assert not world.lease_is_free(), "the other poller's lease was taken away"


def test_a_store_that_cannot_be_written_for_a_minute_does_not_end_a_run(world: World) -> None:
    """Nor is anything sent once the lease cannot be counted on."""
    world.studio.seconds = 100.0
    world.queued("cat", MODEL)
    app, began = world.app("poller"), world.timeline.now

    def no_renewal(call: Call) -> None:
        if layout.LEASE in call.key and began + 5 < world.timeline.now < began + 65:
            fail()

    store_of(app).before.append(no_renewal)
    world.timeline.after(45.0, lambda: world.queued("dog", OTHER))
    assert run(world, app=app) == "nothing left"
    assert [world.state(job) for job in ("cat", "dog")] == ["SUCCEEDED", "SUCCEEDED"]
    assert 65 <= world.studio.posts[1].at - began < 75


def test_a_poller_without_a_renewal_for_too_long_ends(world: World) -> None:
    world.studio.seconds = 300.0
    world.queued("cat")
    app, began = world.app("poller"), world.timeline.now

    def no_renewal(call: Call) -> None:
        silent = world.timeline.now - began < TIMING.dead_after
        if call.kind == "put" and layout.LEASE in call.key and silent:
            fail()

    store_of(app).before.append(no_renewal)
    assert run(world, app=app) == "another poller took over"
    assert world.timeline.now - began <= TIMING.dead_after + 3
    assert world.lease_is_free(), "the next one need not wait"


def test_a_paused_model_does_not_hold_up_another(world: World) -> None:
    world.queued("cat", MODEL)
    world.queued("dog", OTHER)
    world.studio.script.append(refuse("AllocationQuota.FreeTierOnly", 403))
    assert run(world) == "everything left is paused"
    assert [world.state(job) for job in ("cat", "dog")] == ["QUEUED", "SUCCEEDED"]
    assert world.markers() == ["cat"]
    assert world.lease_is_free()


def test_a_throttled_model_is_waited_for(world: World) -> None:
    world.queued("cat")
    world.studio.script.extend([refuse("Throttling", 429)] * 3)
    assert run(world) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.posts) == 4
    assert world.manifest("cat")["task"]["attempt"] == 1


def test_an_orphaned_slot_is_voided_and_its_job_runs(world: World) -> None:
    world.queued("cat")
    victim = world.app("victim")
    store_of(victim).before.append(once("create", "records/cat/000002", fail))
    with pytest.raises(StoreError):
        submit(victim, "cat")
    before = world.timeline.now
    assert run(world) == "nothing left"
    assert world.states("cat")[:3] == ["QUEUED", "QUEUED", "SUBMITTING"]
    assert world.state("cat") == "SUCCEEDED"
    assert world.studio.posts[0].at - before >= ORPHAN_AGE - 1
    assert world.slots() == []


def test_the_place_of_an_orphaned_slot_is_used_at_once(world: World) -> None:
    world.queued("cat")
    victim = world.app("victim")
    store_of(victim).before.append(once("create", "records/cat/000002", fail))
    with pytest.raises(StoreError):
        submit(victim, "cat")
    before = world.timeline.now
    run(world)
    assert world.studio.posts[0].at - before < ORPHAN_AGE + 5


def test_a_young_orphan_alone_is_waited_for_at_leisure(world: World) -> None:
    world.app("victim").ledger.slots.claim(MODEL, "nobody", 2)
    before = world.timeline.now
    assert run(world) == "nothing left"
    assert world.slots() == []
    assert world.timeline.now - before < ORPHAN_AGE + 5
    assert world.bucket.count() < 20 * ORPHAN_AGE


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("create", "lease"),
        ("create", "slots"),
        ("create", "records/cat/000002"),
        ("create", "records/cat/000003"),
        ("delete", "queue"),
        ("put", "image-1"),
        ("create", "result.json"),
        ("create", "records/cat/000004"),
        ("create", "records/cat/000005"),
        ("create", "state/tasks"),
        ("delete", "slots"),
        ("put", "lease"),
    ],
)
@pytest.mark.parametrize("phase", ["before", "after"])
def test_killed_at_any_request_the_next_run_brings_the_job_home(
    world: World, kind: str, where: str, phase: str
) -> None:
    world.queued("cat")
    victim = world.app("victim")
    hooks = store_of(victim).before if phase == "before" else store_of(victim).after
    hooks.append(once(kind, where, die))
    with pytest.raises(Killed):
        run(world, app=victim)
    world.timeline.wait(60)
    run(world, 3 * LONG)
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.tasks) == 1, "paid twice"
    assert (world.slots(), world.markers()) == ([], [])
    assert world.manifest("cat")["state"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("list", "slots"),
        ("list", "queue"),
        ("create", "slots"),
        ("create", "records/cat/000003"),
        ("delete", "slots"),
        ("create", "result.json"),
    ],
)
def test_one_lost_request_does_not_end_the_run(world: World, kind: str, where: str) -> None:
    world.queued("cat")
    app = world.app("poller")
    store_of(app).before.append(once(kind, where, fail))
    with suppress(StoreError) if kind == "list" else nullcontext():
        run(world, app=app)  # without its listings a round has nothing to go by
    world.timeline.wait(60)
    run(world, 3 * LONG)
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.tasks) == 1


@pytest.mark.parametrize("lost", [lose_answer, lose_request])
def test_a_lost_submission_ends_well_without_a_second_task(world: World, lost: object) -> None:
    world.queued("cat")
    world.studio.script.append(lose_answer if lost is lose_answer else lose_request)
    assert run(world, 2 * LONG) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.tasks) == 1
    assert len(world.studio.posts) == (1 if lost is lose_answer else 2)


def test_a_service_that_cannot_be_asked_is_asked_again_at_a_decent_pace(world: World) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.studio.refusal = UNREACHABLE
    world.timeline.after(60.0, lambda: setattr(world.studio, "refusal", None))
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert world.bucket.count() < 400


def test_a_long_task_is_asked_for_rarely(world: World) -> None:
    world.studio.seconds = 100.0
    world.queued("cat")
    run(world)
    (task,) = world.studio.tasks.values()
    late = world.studio.queries[-1][0] - task.end
    assert late <= 5.1
    assert len(world.studio.queries) < 90


def test_experience_sets_the_first_question(world: World) -> None:
    for number in range(6):
        world.queued(f"job-{number}")
    run(world)
    world.studio.queries.clear()
    world.queued("cat")
    run(world)
    assert len(world.studio.queries) <= 3, "six tasks took five seconds each"


def test_a_marker_whose_job_is_over_is_removed(world: World) -> None:
    world.queued("cat")
    stale = world.bucket.keys(layout.QUEUE)[0]
    run(world)
    world.bucket.write(stale, b"")
    assert run(world) == "nothing left"
    assert world.markers() == []
    assert len(world.studio.posts) == 1


def test_a_window_of_several_is_used(world: World) -> None:
    world.models = (model(limits=Limits(5, 1, 3, 1)),)
    for number in range(6):
        world.queued(f"job-{number}")
    counts: list[int] = []

    def count() -> None:
        now, tasks = world.timeline.now, world.studio.tasks.values()
        counts.append(1 + sum(task.end > now for task in tasks))

    world.studio.on_create = count
    run(world)
    assert max(counts) == 4, "three run, one waits at the service's door"
    assert len(world.studio.tasks) == 6


def test_several_images_of_one_task(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(accept_with(images=3))
    run(world)
    assert [image["number"] for image in world.manifest("cat")["images"]] == [1, 2, 3]


def test_a_task_that_failed_for_a_passing_reason_is_tried_again(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(accept_with(status="FAILED", code="InternalError", message="busy"))
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert world.manifest("cat")["task"]["id"] == "task-2"
    assert world.manifest("cat")["task"]["attempt"] == 2


def test_a_job_that_comes_while_everything_else_is_paused_is_not_left_behind(world: World) -> None:
    """It saw a poller that was about to leave, and so woke nobody."""
    world.queued("cat")
    world.studio.script.append(refuse("AllocationQuota", 403))
    poller = world.app("poller")

    def another_model_gets_a_job() -> None:
        body = job_file(id="dog", model=OTHER)
        world.app("api").acceptance.body(body, Source("jobs/dog.json", "E"))

    store_of(poller).before.append(once("put", layout.LEASE, another_model_gets_a_job))
    assert run(world, 60.0, poller) == "everything left is paused"
    assert (world.state("cat"), world.state("dog")) == ("QUEUED", "SUCCEEDED")
