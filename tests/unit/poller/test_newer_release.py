"""What a newer release has written is left alone, and keeps nothing else waiting.

A newer release may have run here before, or may run beside this one while an upgrade is under way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.ledger.lease import POLLER, Timing
from shared.ledger.record import READABLE
from shared.storage import layout
from shared.storage.objects import ObjectNewer
from tests.kit.doubt import GRACE, in_doubt, resolve
from tests.kit.http import ask
from tests.kit.studio import refuse
from tests.kit.world import MODEL, OTHER, World, job_file, run, submit

NEWER: list[dict[str, Any]] = [
    {"version": READABLE + 1},
    {"state": "UPSCALING"},
    {"version": READABLE + 1, "state": "UPSCALING"},
]


@pytest.fixture
def world() -> World:
    made = World()
    made.bucket.most_calls = 3000
    return made


def change(world: World, job: str, **fields: Any) -> None:
    """A newer release has written the job's last record."""
    key = world.bucket.keys(f"{layout.RECORDS}{job}/")[-1]
    world.bucket.write(key, json.dumps(json.loads(world.bucket.peek(key)) | fields).encode())


def state_of(world: World, part: str) -> dict[str, bytes]:
    """All below state/ whose key holds `part`."""
    return {key: world.bucket.peek(key) for key in world.bucket.keys("state/") if part in key}


def waits(world: World) -> None:
    world.queued("cat", expires_after="1m")


def is_at_the_service(world: World) -> None:
    waits(world)
    submit(world, "cat")


def is_in_doubt(world: World) -> None:
    in_doubt(world, "cat", made=True)


# Records


@pytest.mark.parametrize("fields", NEWER)
@pytest.mark.parametrize("place", [waits, is_at_the_service, is_in_doubt])
def test_a_newer_record_is_left_alone_and_others_go_on(
    world: World, place: Callable[[World], None], fields: dict[str, Any]
) -> None:
    place(world)
    change(world, "cat", **fields)
    before, sent = state_of(world, "cat"), len(world.studio.posts)
    world.queued("dog", OTHER)
    for _ in range(3):
        run(world)
        world.timeline.wait(400.0)
    assert world.state("dog") == "SUCCEEDED"
    assert state_of(world, "cat") == before, "records, marker, reminder and slot"
    assert len(world.studio.posts) == sent + 1
    assert world.lease_is_free(), "nobody stays awake for it"


def test_jobs_behind_newer_ones_are_sent(world: World) -> None:
    for number in range(8):
        world.queued(f"new-{number}", priority=0)
        change(world, f"new-{number}", version=READABLE + 1)
    world.queued("cat")
    run(world)
    assert world.state("cat") == "SUCCEEDED"


def test_the_newer_release_finds_its_job_as_it_left_it(world: World) -> None:
    """Rolled back, and forward again."""
    is_at_the_service(world)
    change(world, "cat", version=READABLE + 1)
    run(world)
    change(world, "cat", version=READABLE)
    world.timeline.wait(400.0)
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.posts) == 1


def test_fields_nobody_knows_are_passed_over(world: World) -> None:
    waits(world)
    change(world, "cat", mood="good", weather={"is": "fine"})
    run(world)
    assert world.state("cat") == "SUCCEEDED"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/jobs/cat"), ("POST", "/jobs/cat/cancel"), ("POST", "/jobs/cat/retry")],
)
def test_who_asks_for_it_is_told_to_wait(world: World, method: str, path: str) -> None:
    waits(world)
    change(world, "cat", version=READABLE + 1)
    before = state_of(world, "cat")
    reply = ask(world, method, path)
    assert (reply.status, reply.json["title"]) == (503, "Job of a newer release")
    assert f"{layout.record('cat', 1)} is of a newer release" in reply.json["detail"]
    assert state_of(world, "cat") == before


def test_the_list_shows_the_others(world: World) -> None:
    waits(world)
    change(world, "cat", version=READABLE + 1)
    world.queued("dog")
    assert [row["job"] for row in ask(world, "GET", "/jobs").json["jobs"]] == ["dog"]


def test_its_job_file_is_not_taken_in_again(world: World) -> None:
    waits(world)
    change(world, "cat", version=READABLE + 1)
    before = state_of(world, "cat")
    world.bucket.write("jobs/cat.json", job_file(id="cat"))
    with pytest.raises(ObjectNewer):
        world.app("submit").acceptance.job_file("jobs/cat.json")
    assert state_of(world, "cat") == before


def test_a_rebuild_names_it_and_leaves_it_as_it_is(world: World) -> None:
    is_at_the_service(world)
    change(world, "cat", version=READABLE + 1)
    world.queued("dog")
    before = state_of(world, "cat")
    done = world.app("person").rebuild.run()
    assert list(done.damaged) == ["cat"]
    assert "newer release" in done.damaged["cat"]
    assert state_of(world, "cat") == before


# Keys of another form


def test_markers_of_another_form_hide_none_of_ours(world: World) -> None:
    theirs = [f"{layout.QUEUE}{MODEL}/0/a/b/{number:03d}" for number in range(120)]
    theirs += [f"{layout.QUEUE}{OTHER}/0+{number:03d}" for number in range(120)]
    for key in theirs:
        world.bucket.write(key, b"")
    world.queued("cat")
    world.queued("dog", OTHER)
    assert run(world) == "nothing left"
    assert (world.state("cat"), world.state("dog")) == ("SUCCEEDED", "SUCCEEDED")
    assert set(theirs) <= set(world.bucket.keys(layout.QUEUE))


def test_reminders_of_another_form_hide_none_of_ours(world: World) -> None:
    theirs = [f"{layout.EXPIRY}0+{number}" for number in range(30)]
    for key in theirs:
        world.bucket.write(key, b"")
    world.queued("cat", expires_after="1m")
    assert world.app("poller").ledger.queue.next_expiry() == pytest.approx(
        world.timeline.now + 60, abs=1
    )
    world.timeline.wait(61)
    run(world)
    assert world.state("cat") == "EXPIRED"
    assert set(theirs) <= set(world.bucket.keys(layout.EXPIRY))


@pytest.mark.parametrize("theirs", [f"{layout.SLOTS}-/{MODEL}/dog~1", f"{layout.SLOTS}v2/~/x"])
def test_a_slot_of_another_form_stays_and_others_go_on(world: World, theirs: str) -> None:
    world.bucket.write(theirs, b"")
    world.queued("cat")
    assert run(world) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    assert world.slots() == [theirs]


@pytest.mark.parametrize(
    "theirs", [f"{layout.SLOTS}-/{MODEL}/dog~1", f"{layout.DOUBTS}-/{MODEL}/dog~1"]
)
def test_no_task_is_adopted_that_may_be_a_newer_releases(world: World, theirs: str) -> None:
    world.bucket.write(theirs, b"")
    in_doubt(world, "cat", made=True)
    for _ in range(3):
        with pytest.raises(ObjectNewer):
            resolve(world, "cat")
        world.timeline.wait(GRACE)
    assert world.state("cat") == "SUBMITTING"
    world.bucket.remove(theirs)
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.posts) == 1


# The lease


def write_lease(world: World, **fields: Any) -> None:
    said = {"owner": "x", "kind": POLLER, "released": True, "permits": {}} | fields
    world.bucket.write(layout.lease(1), json.dumps(said).encode())


def test_a_lease_of_a_higher_version_counts_as_held_until_it_is_old(world: World) -> None:
    world.queued("cat")
    write_lease(world, version=2)
    before = world.timeline.now
    assert not world.app("submit").ledger.lease.take("submitter")
    assert run(world) == "nothing left"
    assert world.studio.posts[0].at - before > Timing().dead_after
    assert world.state("cat") == "SUCCEEDED"


@pytest.mark.parametrize("fields", [{"mood": "good"}, {"kind": "scheduler"}, {"permits": "all"}])
def test_what_else_a_newer_lease_says_is_passed_over(world: World, fields: dict[str, Any]) -> None:
    write_lease(world, **fields)
    assert world.app("submit").ledger.lease.take("submitter")


def test_epochs_of_another_form_hide_none_of_ours(world: World) -> None:
    for number in range(30):
        world.bucket.write(f"{layout.LEASE}0+{number:02d}", b"")
    world.bucket.write(layout.lease(40), json.dumps({"owner": "x", "kind": POLLER}).encode())
    assert not world.app("other").ledger.lease.take(POLLER)
    world.timeline.wait(Timing().dead_after + 1)
    late = world.app("late").ledger.lease
    assert late.take(POLLER)
    assert late.epoch == 41


# What is learned of a model


def test_what_a_newer_release_has_learned_is_not_written_over(world: World) -> None:
    key = layout.model_state(MODEL)
    theirs = json.dumps({"version": 2, "pause": {"until": 9e12}, "durations": "many"}).encode()
    world.bucket.write(key, theirs)
    world.queued("cat")
    world.studio.script.append(refuse("Throttling", 429))
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert world.bucket.peek(key) == theirs


def test_a_pause_with_fields_nobody_knows_is_kept(world: World) -> None:
    pause = {"until": world.timeline.now + 300, "code": "Arrearage", "message": "", "blocked": True}
    state = {"pause": pause | {"since": 1, "by": "somebody"}, "mood": "good"}
    world.bucket.write(layout.model_state(MODEL), json.dumps(state).encode())
    world.queued("cat")
    assert run(world) == "everything left is paused"
    assert world.studio.posts == []
