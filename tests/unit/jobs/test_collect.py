"""Following one task to its end: images first, then the last record, then the manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from shared.app import App
from shared.ledger.breaker import BLOCKED_PAUSE, KEY
from shared.ledger.record import Record
from shared.modelstudio.client import ServiceError
from shared.modelstudio.download import REFUSED
from shared.storage import layout
from tests.kit.hooks import Call, Killed, die, fail, once
from tests.kit.studio import accept_with
from tests.kit.world import MODEL, World, run, store_of, submit
from tests.simulation.kernel import InstanceClock
from tests.simulation.studio import result_url

DAY = 24 * 3600.0


@pytest.fixture()
def world() -> World:
    return World()


def in_flight(world: World, job: str = "cat", **task: Any) -> None:
    """A job whose task was accepted; `task` says how it ends."""
    world.queued(job)
    world.studio.script.append(accept_with(**task))
    submit(world, job)


def advance(world: World, app: App | None = None, job: str = "cat") -> Record | None:
    app = app or world.app()
    last = app.ledger.records.last(job)
    assert last is not None
    collection = app.poller.follower.collection
    return collection.take(last, collection.ask(last))


def test_a_running_task_is_written_down_once(world: World) -> None:
    in_flight(world)
    world.timeline.wait(1)
    for _ in range(3):
        advance(world)
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "PENDING", "RUNNING"]


def test_the_images_lie_there_before_record_and_manifest_name_them(world: World) -> None:
    in_flight(world, images=2)
    world.timeline.wait(6)
    app = world.app()
    (slot,) = world.slots()
    written: list[str] = []

    def note(call: Call) -> None:
        if call.kind in ("put", "create", "delete") and "models" not in call.key:
            written.append(call.key.replace("results/cat/", ""))

    store_of(app).after.append(note)
    advance(world, app)
    assert written[:4] == [
        "image-1.png",
        "image-2.png",
        layout.record("cat", 4),
        "result.json",
    ]
    assert slot in written[4:]
    assert world.state("cat") == "SUCCEEDED"


def test_the_manifest_tells_everything_about_an_image(world: World) -> None:
    in_flight(world)
    world.timeline.wait(6)
    advance(world)
    manifest = world.manifest("cat")
    (image,) = manifest["images"]
    body = world.bucket.peek(image["key"])
    assert image["key"] == "results/cat/image-1.png"
    assert image["sha256"] == hashlib.sha256(body).hexdigest()
    assert (image["format"], image["width"], image["bytes"]) == ("PNG", 1, len(body))
    assert world.bucket.objects[image["key"]].content_type == "image/png"
    assert manifest["state"] == "SUCCEEDED"
    assert manifest["task"]["id"] == "task-1"
    assert manifest["price"]["images"] == 1
    assert manifest["spec"]["input"]["prompt"] == "prompt of cat"


@pytest.mark.parametrize("where", ["image-1.png", "image-2.png", "result.json", "000004.json"])
def test_killed_at_any_write_the_next_run_ends_with_the_same_objects(
    world: World, where: str
) -> None:
    in_flight(world, images=2)
    world.timeline.wait(6)
    victim = world.app("victim")
    kind = "put" if where.startswith("image") else "create"
    store_of(victim).after.append(once(kind, where, die))
    with pytest.raises(Killed):
        advance(world, victim)
    world.timeline.wait(60)
    world.app("next").poller.run(world.timeline.now + 1000)
    assert world.states("cat")[-1] == "SUCCEEDED"
    assert world.bucket.keys("results/cat/") == [
        "results/cat/image-1.png",
        "results/cat/image-2.png",
        "results/cat/result.json",
    ]
    assert (world.slots(), world.markers()) == ([], [])
    for image in world.manifest("cat")["images"]:
        body = world.bucket.peek(image["key"])
        assert hashlib.sha256(body).hexdigest() == image["sha256"]


def test_a_task_that_failed_says_why_and_whether_to_try_again(world: World) -> None:
    in_flight(world, status="FAILED", code="InvalidParameter.Task", message="no such style")
    world.timeline.wait(6)
    advance(world)
    assert world.state("cat") == "FAILED"
    error = world.manifest("cat")["error"]
    assert (error["code"], error["message"]) == ("InvalidParameter.Task", "no such style")
    assert error["retryable"] is False


def test_one_failed_image_among_good_ones_is_a_success_that_names_it(world: World) -> None:
    results = [{"url": result_url("x", 1)}, {"code": "DataInspection", "message": "refused"}]
    in_flight(world, output={"task_status": "SUCCEEDED", "results": results})
    world.timeline.wait(6)
    advance(world)
    manifest = world.manifest("cat")
    assert manifest["state"] == "SUCCEEDED"
    assert [image["number"] for image in manifest["images"]] == [1]
    (failed,) = manifest["failed_images"]
    assert (failed["number"], failed["code"], failed["message"]) == (2, "DataInspection", "refused")


def test_a_success_without_any_image_is_a_failure(world: World) -> None:
    in_flight(world, output={"task_status": "SUCCEEDED", "results": []})
    world.timeline.wait(6)
    advance(world)
    assert world.state("cat") == "FAILED"
    assert world.manifest("cat")["error"]["code"] == "NoImages"


def test_an_image_host_in_trouble_is_asked_again(world: World) -> None:
    in_flight(world)
    world.timeline.wait(6)
    url = result_url("task-1", 1)
    world.images.answers[url] = 503
    last = advance(world)
    assert last is not None
    assert last.state == "PENDING"
    assert not world.bucket.holds(layout.result("cat"))
    del world.images.answers[url]
    advance(world)
    assert world.state("cat") == "SUCCEEDED"


def test_a_refused_download_is_tried_for_a_while_then_the_image_is_lost(world: World) -> None:
    in_flight(world)
    world.timeline.wait(6)
    world.images.answers[result_url("task-1", 1)] = 403
    advance(world)
    assert world.state("cat") == "PENDING", "the image is paid for"
    world.timeline.wait(REFUSED)
    advance(world)
    assert world.state("cat") == "FAILED"
    assert world.manifest("cat")["failed_images"][0]["code"] == "ResultExpired"


def stored_without_record(world: World, images: int, dies_at: str) -> None:
    """A task whose images are stored by an instance that then dies, before it says so."""
    world.queued("cat", parameters={"n": images})
    world.studio.script.append(accept_with(images=images))
    submit(world, "cat")
    world.timeline.wait(6)
    app = world.app("dies")
    store_of(app).before.append(once("create", dies_at, die))
    with pytest.raises(Killed):
        advance(world, app)
    assert world.state("cat") == "PENDING"
    assert world.bucket.holds(layout.image("cat", 1, "png"))


def test_an_image_that_lies_there_is_not_lost_when_its_link_is(world: World) -> None:
    stored_without_record(world, 1, "state/records/")
    before = world.bucket.body(layout.image("cat", 1, "png"))
    world.images.answers[result_url("task-1", 1)] = 403
    world.timeline.wait(REFUSED)
    advance(world)
    assert world.state("cat") == "SUCCEEDED"
    (image,) = world.manifest("cat")["images"]
    assert before is not None
    assert image["sha256"] == hashlib.sha256(before).hexdigest()
    assert (image["bytes"], image["format"]) == (len(before), "PNG")
    assert world.manifest("cat")["failed_images"] == []


def test_images_that_lie_there_are_not_lost_when_the_task_is_forgotten(world: World) -> None:
    stored_without_record(world, 2, "state/records/")
    world.bucket.delete_object(layout.image("cat", 2, "png"))
    world.studio.tasks.clear()
    world.timeline.wait(DAY)
    advance(world)
    assert world.state("cat") == "SUCCEEDED"
    assert [image["number"] for image in world.manifest("cat")["images"]] == [1]
    (failed,) = world.manifest("cat")["failed_images"]
    assert (failed["number"], failed["code"]) == (2, "TaskExpired")
    assert world.slots() == []


def test_a_cancelled_task_is_a_cancelled_job(world: World) -> None:
    in_flight(world, status="CANCELED")
    advance(world)
    assert world.state("cat") == "CANCELED"
    assert world.slots() == []


def test_a_task_the_service_does_not_know_for_hours_is_fetched_when_it_does(world: World) -> None:
    in_flight(world)
    forgotten = dict(world.studio.tasks)
    world.studio.tasks.clear()
    for _ in range(20):
        world.timeline.wait(3600)
        advance(world)
        assert world.state("cat") == "PENDING"
    world.studio.tasks.update(forgotten)
    advance(world)
    assert world.state("cat") == "SUCCEEDED"


@pytest.mark.parametrize("status", ["PENDING", "SUSPENDED", "RUNNING", "DREAMING"])
def test_a_task_that_never_ends_is_put_before_a_person_after_a_day(
    world: World, status: str
) -> None:
    in_flight(world)
    world.studio.shown["task-1"] = {"output": {"task_id": "task-1", "task_status": status}}
    world.timeline.wait(DAY - 60)
    advance(world)
    assert world.state("cat") != "NEEDS_ATTENTION"
    world.timeline.wait(60)
    advance(world)
    assert world.manifest("cat")["error"]["code"] == "TaskStuck"
    assert world.slots() == []


@pytest.mark.parametrize(("code", "breaker"), [("AllocationQuota.X", MODEL), ("Arrearage", KEY)])
def test_an_account_error_in_a_task_stops_the_queue_and_not_the_job(
    world: World, code: str, breaker: str
) -> None:
    for number in range(3):
        in_flight(world, f"cat-{number}", status="FAILED", code=code, message="no")
        world.timeline.wait(60)
        advance(world, job=f"cat-{number}")
        world.app("person").ledger.breakers.resume(breaker)
    for number in range(3):
        record = world.record(f"cat-{number}")
        assert (record["state"], record.get("attempt", 0)) == ("QUEUED", 0)
    in_flight(world, "dog", status="FAILED", code=code, message="no")
    world.timeline.wait(60)
    app = world.app()
    advance(world, app, "dog")
    assert app.ledger.breakers.paused_for(MODEL) > 100


@pytest.mark.parametrize("on_partial", ["keep", "retry-failed"])
def test_an_account_error_of_one_image_opens_the_breaker(world: World, on_partial: str) -> None:
    rows = [{"url": result_url("t", 1)}, {"code": "Arrearage", "message": "no"}]
    output = {"task_status": "SUCCEEDED", "results": rows}
    world.queued("cat", parameters={"n": 2}, on_partial=on_partial)
    world.studio.script.append(accept_with(output=output))
    submit(world, "cat")
    world.timeline.wait(60)
    app = world.app()
    advance(world, app)
    assert app.ledger.model_states.get(KEY).pause is not None
    expected = "SUCCEEDED" if on_partial == "keep" else "QUEUED"
    assert world.state("cat") == expected


@pytest.mark.parametrize("on_partial", ["keep", "retry-failed"])
@pytest.mark.parametrize(("code", "posts"), [("Throttling.X", 5), ("Arrearage", 8)])
def test_images_that_fail_for_the_accounts_sake_are_made_again_within_bounds(
    world: World, code: str, posts: int, on_partial: str
) -> None:
    """A task was made each time, and may be billed: attempts are counted, or else their price."""
    world.models = (replace(world.models[0], price=replace(world.models[0].price, per_image=1.2)),)
    output = {"task_status": "SUCCEEDED", "results": [{"code": code, "message": "no"}]}
    failing = accept_with(output=output, usage={"image_count": 1})
    world.queued("cat", on_partial=on_partial)
    world.studio.script.extend([failing] * 40)
    for _ in range(40):
        run(world)
        world.timeline.wait(BLOCKED_PAUSE + 1.0)
    assert len(world.studio.posts) == posts
    assert world.manifest("cat")["error"]["code"] == code


@pytest.mark.parametrize("count", [-5, 10**30, True, "4", None, 2.5])
def test_a_count_of_images_that_cannot_be_is_not_billed(world: World, count: Any) -> None:
    in_flight(world, usage={"image_count": count})
    world.timeline.wait(60)
    advance(world)
    assert world.manifest("cat")["usage"]["image_count"] == 1


def test_times_that_cannot_be_are_not_learned(world: World) -> None:
    in_flight(world)
    world.timeline.wait(60)
    app = world.app()
    last = app.ledger.records.last("cat")
    assert last is not None
    task = app.poller.follower.collection.ask(last)
    absurd = {"scheduled_time": world.timeline.now, "end_time": 253_402_300_799.0}
    app.poller.follower.collection.take(last, replace(task, times=absurd))
    assert world.state("cat") == "SUCCEEDED"
    assert list(app.ledger.durations.of(MODEL)) == []


def test_after_a_day_a_forgotten_task_is_lost(world: World) -> None:
    in_flight(world)
    world.studio.tasks.clear()
    world.timeline.wait(DAY)
    advance(world)
    assert world.manifest("cat")["error"]["code"] == "TaskExpired"


def test_a_store_in_trouble_leaves_the_job_where_it_was(world: World) -> None:
    in_flight(world)
    world.timeline.wait(6)
    app = world.app()
    store_of(app).before.append(once("put", "image-1", fail))
    with pytest.raises(Exception, match="OSS"):
        advance(world, app)
    assert world.state("cat") == "PENDING"
    advance(world, app)
    assert world.state("cat") == "SUCCEEDED"


def test_durations_of_finished_tasks_are_learned(world: World) -> None:
    in_flight(world)
    world.timeline.wait(6)
    app = world.app()
    advance(world, app)
    app.ledger.model_states.flush()
    assert world.app("next").ledger.model_states.get(MODEL).durations == [5.0]


def test_the_loser_of_a_race_does_not_leave_its_manifest_behind(world: World) -> None:
    world.queued("cat", expires_after="1m")
    world.timeline.wait(59)
    slow = world.app("slow")
    last = slow.ledger.records.last("cat")
    assert last is not None

    def the_other_finishes_the_job() -> None:
        other = world.app("other")
        submit(other, "cat")
        world.timeline.wait(6)
        advance(world, other)
        assert world.manifest("cat")["state"] == "SUCCEEDED"

    assert isinstance(slow.clock, InstanceClock)
    slow.clock.skew = 2.0  # for this instance the minute is over
    record = layout.record("cat", 2)
    store_of(slow).before.append(once("create", record, the_other_finishes_the_job))
    assert slow.submission.expire(last) is None
    assert world.state("cat") == "SUCCEEDED"
    assert world.manifest("cat")["state"] == "SUCCEEDED"


@pytest.mark.parametrize("usage", [{"image_count": None}, {"image_count": "many"}, [1]])
def test_a_paid_image_is_kept_whatever_usage_says(world: World, usage: Any) -> None:
    in_flight(world)
    world.timeline.wait(6)
    world.studio.shown["task-1"] = {"usage": usage}
    advance(world)
    assert world.state("cat") == "SUCCEEDED"


def test_a_task_that_ends_does_not_lift_a_block_on_new_ones(world: World) -> None:
    in_flight(world)
    app = world.app()
    rule = app.rules.errors.classify("AllocationQuota", "", 403)
    app.ledger.breakers.refused(MODEL, ServiceError("AllocationQuota", "used up", 403), rule)
    world.timeline.wait(6)
    advance(world, app)
    assert app.ledger.model_states.get(MODEL).paused_for(app.clock.now()) > 0


def test_the_manifest_is_json_in_utf_8_for_people(world: World) -> None:
    in_flight(world)
    world.timeline.wait(6)
    advance(world)
    text = world.bucket.peek(layout.result("cat")).decode()
    assert text.startswith("{\n")
    assert json.loads(text)["job"] == "cat"
