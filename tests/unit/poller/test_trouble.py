"""What must not stop the pump, and what must not make it race."""

from __future__ import annotations

import json

import pytest

from shared.ledger.lease import POLLER, SUBMIT, Timing
from shared.ledger.wakeups import ACCEPTED
from shared.storage import layout
from tests.kit.hooks import Call, Killed, die, fail, once
from tests.kit.http import ask
from tests.kit.studio import accept_with, lose_answer
from tests.kit.world import MODEL, OTHER, World, model, run, store_of, submit
from tests.simulation.studio import result_url


@pytest.fixture()
def world() -> World:
    made = World()
    made.bucket.most_calls = 3000
    return made


def test_an_unreadable_record_does_not_make_the_poller_race(world: World) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.bucket.write(layout.record("cat", 3), b"{")
    run(world, 60.0)
    assert world.bucket.count() < 1000


def test_a_store_that_refuses_one_kind_of_request_is_not_stormed(world: World) -> None:
    world.queued("cat")
    victim = world.app("victim")
    store_of(victim).before.append(once("delete", "slots", die))
    with pytest.raises(Killed):
        run(world, app=victim)
    world.timeline.wait(60)
    app = world.app("poller")

    def no_deletes(call: Call) -> None:
        if call.kind == "delete" and "slots" in call.key:
            fail()

    store_of(app).before.append(no_deletes)
    before = world.bucket.count()
    run(world, 60.0, app)
    assert (world.bucket.count() - before) / 60.0 < 20.0, "requests a second"


def test_an_image_that_is_never_there_is_fetched_ever_more_rarely(world: World) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.images.answers[result_url("task-1", 1)] = 503
    run(world, 600.0)
    assert 5 < len(world.images.fetched) < 15, "every five seconds it would be 120"
    del world.images.answers[result_url("task-1", 1)]
    run(world, 600.0)
    assert world.state("cat") == "SUCCEEDED"


def test_one_jobs_strange_answer_does_not_stop_the_others(world: World) -> None:
    world.queued("cat", MODEL)
    world.queued("dog", OTHER)
    submit(world, "cat")
    world.studio.shown["task-1"] = {"usage": {"image_count": None}}
    run(world, 60.0)
    assert world.state("dog") == "SUCCEEDED"


def test_a_job_whose_model_left_the_catalogue_does_not_keep_the_poller_awake(
    world: World,
) -> None:
    world.queued("cat", OTHER)
    world.models = (model(MODEL),)
    assert run(world, 60.0) != "handed over at the deadline"


def test_a_doubtful_attempt_that_others_ended_gives_its_slot_back(world: World) -> None:
    world.queued("cat")
    world.queued("dog")
    world.studio.script.append(lose_answer)
    submit(world, "cat")
    world.studio.make(MODEL)  # a second candidate: nobody adopts before the grace is over

    def another_instance_gives_up_and_dies() -> None:
        other = world.app("other")
        last = other.ledger.records.last("cat")
        assert last is not None
        store_of(other).before.append(once("delete", "queue", die))
        with pytest.raises(Killed):
            other.transitions.finish(last, "NEEDS_ATTENTION")

    world.timeline.after(30.0, another_instance_gives_up_and_dies)
    run(world, 100.0)
    assert world.state("dog") == "SUCCEEDED"


def test_a_models_state_changed_by_hand_costs_nothing_but_time(world: World) -> None:
    world.bucket.write(layout.model_state(MODEL), b"[]")
    world.queued("cat")
    run(world, 60.0)
    assert world.state("cat") == "SUCCEEDED"


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"released": false}', b"[]", b"\xff"])
def test_a_lease_changed_by_hand_counts_as_held_until_it_is_old(world: World, body: bytes) -> None:
    world.bucket.write(layout.lease(1), body)
    world.queued("cat")
    before = world.timeline.now
    assert run(world) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    assert world.studio.posts[0].at - before > Timing().dead_after


def test_jobs_expire_while_their_model_is_blocked(world: World) -> None:
    world.queued("cat", expires_after="1m")
    until = world.timeline.now + 3600
    pause = {"until": until, "code": "Arrearage", "message": "", "blocked": True, "count": 1}
    state = {"durations": [], "pause": pause, "ahead_off_until": 0}
    world.bucket.write(layout.model_state(MODEL), json.dumps(state).encode())
    world.timeline.wait(61)
    run(world)
    assert world.state("cat") == "EXPIRED"


def test_a_wake_is_written_only_when_nobody_polls(world: World) -> None:
    alive, caller = world.app("alive").ledger.lease, world.app("caller").ledger.wake
    assert alive.take(POLLER)
    caller.because(ACCEPTED)
    assert not world.bucket.holds(layout.WAKE)
    alive.release()
    caller.because(ACCEPTED)
    assert world.bucket.holds(layout.WAKE)


def test_a_submission_at_work_is_nobody_who_polls(world: World) -> None:
    assert world.app("alive").ledger.lease.take(SUBMIT)
    world.app("caller").ledger.wake.because(ACCEPTED)
    assert world.bucket.holds(layout.WAKE)


def test_a_poller_at_work_is_always_seen(world: World) -> None:
    world.studio.seconds = 200.0
    world.queued("cat")
    seen: list[bool] = []
    looking = world.app("looking").ledger.lease
    for moment in range(1, 190):
        world.timeline.after(float(moment), lambda: seen.append(looking.poller_lives()))
    run(world)
    assert seen == [True] * 189


FOLDERS = [f"{layout.QUEUE}{MODEL}/", layout.SLOTS, f"{layout.SLOTS}{MODEL}/", layout.EXPIRY]
FOLDERS += [layout.JOBS, f"{layout.RECORDS}cat/", layout.RECORDS, layout.QUEUE]


@pytest.mark.parametrize("key", FOLDERS)
def test_a_folder_that_a_console_made_stops_nothing(world: World, key: str) -> None:
    world.bucket.write(key, b"")
    world.queued("cat", expires_after="1h")
    assert run(world) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    world.app("person").rebuild.run()
    assert [row["job"] for row in ask(world, "GET", "/jobs").json["jobs"]] == ["cat"]


def test_jobs_that_cannot_be_read_at_the_head_delay_themselves_alone(world: World) -> None:
    for number in range(8):
        world.queued(f"bad-{number}", priority=0)
        key = layout.record(f"bad-{number}", 1)
        world.bucket.write(key, b"{")
    world.queued("cat")
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    reads = [call for call in world.bucket.calls if call.key == layout.record("bad-0", 1)]
    assert len(reads) < 20, "left alone, longer each time"


def test_a_task_whose_record_cannot_be_read_delays_itself_alone(world: World) -> None:
    world.queued("bad")
    submit(world, "bad")
    world.bucket.write(layout.record("bad", 3), b"{")
    world.queued("cat", OTHER)
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    reads = [call for call in world.bucket.calls if call.key == layout.record("bad", 3)]
    assert len(reads) < 20, "left alone, longer each time"


@pytest.mark.parametrize(
    "url", ["http://[::1", "not a url", "https://", "//x", 7, "http://127.1\\@x"]
)
def test_a_result_url_that_is_none_ends_its_own_job(world: World, url: object) -> None:
    rows = [{"url": url}]
    output = {"task_status": "SUCCEEDED", "results": rows}
    world.queued("cat")
    world.queued("dog")
    world.studio.script.append(accept_with(output=output))
    assert run(world) == "nothing left"
    assert (world.state("cat"), world.state("dog")) == ("FAILED", "SUCCEEDED")
    assert world.manifest("cat")["failed_images"][0]["code"] == "ResultHostRefused"
