"""Making the indexes again from the records, also while the functions run."""

from __future__ import annotations

import pytest

from shared.catalogue.models import Limits
from shared.jobs.rebuild import CLAIMS_FOR
from shared.jobs.rebuilt import Rebuilt
from shared.storage import layout
from tests.kit.hooks import Killed, at, at_every_request, die
from tests.kit.studio import accept_with, lose_answer, lose_request
from tests.kit.world import MODEL, World, model, run, store_of, submit

FILE = "jobs/cat.json"


@pytest.fixture()
def world() -> World:
    return World()


def rebuilt(world: World, batch: int = 1000, from_start: bool = False) -> Rebuilt:
    rebuild = world.app("operator").rebuild
    rebuild.batch = batch
    return rebuild.run(from_start=from_start)


def changes(done: Rebuilt, *, but_claims: bool = False) -> dict[str, int]:
    """What was made or removed; `but_claims`: apart from the claims of tasks."""
    assert not done.damaged
    apart = ("jobs", "claims_made") if but_claims else ("jobs",)
    return {name: number for name, number in done.counts.items() if number and name not in apart}


def one_of_each(world: World) -> None:
    """A job that is over, one in flight and one that waits."""
    world.queued("done")
    run(world)
    for job in ("flying", "waiting"):
        world.queued(job)
    submit(world, "flying")


def test_nothing_is_changed_where_nothing_is_wrong(world: World) -> None:
    one_of_each(world)
    before = {key: world.bucket.peek(key) for key in world.bucket.keys("")}
    done = rebuilt(world)
    assert (done.jobs, changes(done)) == (3, {})
    after = {key: world.bucket.peek(key) for key in world.bucket.keys("")}
    assert after.pop(layout.WAKE), "there is work, and nobody polls"
    assert after == before


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_every_index_deleted_by_hand_is_made_again(world: World, batch: int) -> None:
    one_of_each(world)
    world.bucket.page = batch
    indexes = (layout.QUEUE, layout.SLOTS, layout.JOBS, layout.result("done"))
    before = [world.bucket.keys(index) for index in indexes]
    manifest = world.manifest("done")
    for index in indexes:
        for key in world.bucket.keys(index):
            world.bucket.remove(key)
    assert changes(rebuilt(world, batch), but_claims=True) == {
        "markers_made": 1,
        "slots_made": 1,
        "manifests_made": 1,
        "index_entries_made": 3,
    }
    assert [world.bucket.keys(index) for index in indexes] == before
    assert world.manifest("done") == manifest


def test_the_claim_of_a_job_that_had_one_task_is_made_again(world: World) -> None:
    world.queued("cat")
    run(world)
    (key,) = world.bucket.keys(layout.TASKS)
    claim = world.bucket.peek(key)
    world.bucket.remove(key)
    assert changes(rebuilt(world)) == {"claims_made": 1}
    assert world.bucket.peek(key) == claim


def two_attempts(world: World) -> dict[str, bytes]:
    """A job that has had two tasks; returns the claims of both."""
    world.queued("cat")
    world.studio.script.append(accept_with(status="FAILED", code="InternalError", message="busy"))
    run(world)
    claims = {key: world.bucket.peek(key) for key in world.bucket.keys(layout.TASKS)}
    assert list(claims) == [layout.task("task-1"), layout.task("task-2")]
    return claims


def test_the_claims_of_all_tasks_that_a_job_has_had_are_made_again(world: World) -> None:
    claims = two_attempts(world)
    for key in claims:
        world.bucket.remove(key)
    assert changes(rebuilt(world)) == {"claims_made": 2}
    assert {key: world.bucket.peek(key) for key in world.bucket.keys(layout.TASKS)} == claims


def test_a_claim_that_is_there_is_not_changed(world: World) -> None:
    claims = two_attempts(world)
    world.bucket.write(layout.task("task-1"), b'{"job": "dog", "seq": 2}')
    world.bucket.remove(layout.task("task-2"))
    assert changes(rebuilt(world)) == {"claims_made": 1}
    assert world.app().ledger.tasks.owner("task-1") == ("dog", 2)
    assert world.bucket.peek(layout.task("task-2")) == claims[layout.task("task-2")]


def test_claims_that_no_list_can_ask_for_are_not_made_again(world: World) -> None:
    """The service shows a task for a day."""
    two_attempts(world)
    for key in world.bucket.keys(layout.TASKS):
        world.bucket.remove(key)
    world.timeline.wait(CLAIMS_FOR)
    assert changes(rebuilt(world)) == {}


def test_the_reminder_that_a_job_expires_is_made_again(world: World) -> None:
    world.queued("hasty", expires_after="1h")
    before = world.bucket.keys(layout.EXPIRY)
    world.bucket.remove(before[0])
    rebuilt(world)
    assert world.bucket.keys(layout.EXPIRY) == before


def test_the_manifest_of_a_rejection_is_made_again(world: World) -> None:
    world.bucket.write(FILE, b'{"model": "brush"}')
    (taken,) = world.app("submit").acceptance.job_file(FILE)
    manifest = world.manifest(taken.job)
    world.bucket.remove(layout.result(taken.job))
    assert changes(rebuilt(world)) == {"manifests_made": 1}
    assert world.manifest(taken.job) == manifest


def test_a_manifest_spoiled_by_hand_is_made_again(world: World) -> None:
    world.queued("done")
    run(world)
    manifest = world.manifest("done")
    world.bucket.write(layout.result("done"), b"{")
    assert changes(rebuilt(world)) == {"manifests_made": 1}
    assert world.manifest("done") == manifest


def test_what_is_left_over_is_removed(world: World) -> None:
    one_of_each(world)
    (marker,) = world.bucket.keys(layout.QUEUE)
    stray = [
        layout.marker(MODEL, 5, "-", 1, "done"),
        layout.marker(MODEL, 5, "-", 1, "nobody"),
        layout.marker(MODEL, 0, "-", 1, "waiting"),
        layout.slot("-", MODEL, "done", 2, "0123456789ab"),
        layout.slot("-", MODEL, "flying", 2, "0123456789ab"),
    ]
    (slot,) = world.slots()
    for key in stray:
        world.bucket.write(key, b"")
    assert changes(rebuilt(world), but_claims=True) == {"markers_dropped": 3, "slots_freed": 2}
    assert world.bucket.keys(layout.QUEUE) == [marker]
    assert world.slots() == [slot]


def test_a_claim_whose_record_is_about_to_be_made_is_left_alone(world: World) -> None:
    world.queued("cat")
    slot = world.app("submit").ledger.slots.claim(MODEL, "cat", 2)
    assert changes(rebuilt(world)) == {}
    assert world.slots() == [slot.key]


def test_a_job_in_flight_whose_slot_was_lost_is_brought_home(world: World) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.bucket.remove(world.slots()[0])
    run(world)
    assert world.state("cat") == "PENDING", "without its slot nobody sees it"
    rebuilt(world)
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.posts) == 1


def home(world: World, *jobs: str) -> None:
    """Nothing was lost and nothing doubled, once the poller has been there."""
    world.timeline.wait(60)
    assert run(world, 3000.0) == "nothing left"
    assert [world.state(job) for job in jobs] == ["SUCCEEDED"] * len(jobs)
    assert len(world.studio.tasks) == len(jobs), "paid twice"
    assert (world.slots(), world.markers()) == ([], [])
    assert changes(rebuilt(world)) == {}


@pytest.mark.parametrize("phase", ["before", "after"])
def test_rebuilding_between_any_two_steps_of_a_run_does_no_harm(phase: str) -> None:
    def play(number: int) -> bool:
        world = World()
        world.queued("cat")
        app, done = world.app("poller"), []
        hook = at(number, lambda: done.append(rebuilt(world)))
        store = store_of(app)
        (store.before if phase == "before" else store.after).append(hook)
        run(world, app=app)
        home(world, "cat")
        return bool(done)

    assert at_every_request(play) > 25


def test_a_run_between_any_two_steps_of_a_rebuild_does_no_harm() -> None:
    def play(number: int) -> bool:
        world = World()
        for job in ("cat", "dog"):
            world.queued(job)
        submit(world, "cat")
        operator, done = world.app("operator"), []
        hook = at(number, lambda: done.append(run(world)))
        store_of(operator).before.append(hook)
        operator.rebuild.run()
        home(world, "cat", "dog")
        return bool(done)

    assert at_every_request(play) > 10


def test_a_submission_between_any_two_steps_of_a_rebuild_does_no_harm() -> None:
    def play(number: int) -> bool:
        world = World()
        world.queued("cat")
        operator, done = world.app("operator"), []

        def act() -> None:
            submit(world, "cat")
            done.append(True)

        store_of(operator).before.append(at(number, act))
        operator.rebuild.run()
        if done:
            assert world.held() == [f"{MODEL}/cat~000002"], "the task in flight lost its slot"
        home(world, "cat")
        return bool(done)

    assert at_every_request(play) > 5


@pytest.mark.parametrize("batch", [1, 1000])
def test_killed_at_any_request_rebuilding_again_does_the_rest(batch: int) -> None:
    def play(number: int) -> bool:
        world = World()
        one_of_each(world)
        for key in (*world.bucket.keys(layout.QUEUE), *world.slots(), layout.result("done")):
            world.bucket.remove(key)
        operator = world.app("operator")
        operator.rebuild.batch = batch
        store_of(operator).before.append(at(number, die))
        try:
            operator.rebuild.run()
        except Killed:
            assert rebuilt(world, batch).jobs == 3
            assert not world.bucket.holds(layout.REBUILD)
            home(world, "done", "flying", "waiting")
            return True
        return False

    assert at_every_request(play) > 10


def test_rebuilding_while_attempts_are_in_doubt_leaves_the_evidence_alone(world: World) -> None:
    world.models = (model(limits=Limits(5, 1, 4, 0)),)
    for job, skew, outcome in [("cat", 2.0, lose_answer), ("dog", 0.0, lose_request)]:
        world.queued(job)
        world.studio.script.append(outcome)
        submit(world.app(job, skew), job)
        world.timeline.wait(0.1)
    world.timeline.wait(20)
    rebuilt(world)
    run(world)
    assert world.record("dog").get("task_id") is None, "dog has taken the task made for cat"
    assert len(world.studio.posts) == 2
