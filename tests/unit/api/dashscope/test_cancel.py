"""Canceling: what waits is taken back for good, what runs is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.ledger.record import CANCELED
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from tests.kit.dashscope import Reply, created, poll, send, status
from tests.kit.hooks import Killed, at, at_every_request, die, fail, once
from tests.kit.world import World, store_of, submit

SCHEMA = Path(__file__).resolve().parents[4] / "schemas/result.schema.yaml"


@pytest.fixture()
def world() -> World:
    return World()


def cancel(world: World, job: str) -> Reply:
    return send(world, "POST", f"/api/v1/tasks/{job}/cancel")


def valid_manifest(world: World, job: str) -> dict[str, object]:
    manifest = world.manifest(job)
    schema = yaml.safe_load(SCHEMA.read_text("utf-8"))
    assert not [e.message for e in Draft202012Validator(schema).iter_errors(manifest)]
    return manifest


def test_a_queued_job_is_canceled_and_never_sent(world: World) -> None:
    job = created(world)
    reply = cancel(world, job)
    assert (reply.status, set(reply.body)) == (200, {"request_id"})
    assert world.states(job) == ["QUEUED", "CANCELED"]
    assert world.markers() == []
    assert status(world, job) == "CANCELED"
    manifest = valid_manifest(world, job)
    assert (manifest["state"], manifest["images"], manifest["task"]) == ("CANCELED", [], None)
    poll(world)
    assert world.studio.posts == []


def test_a_task_that_waits_at_the_service_is_canceled_there(world: World) -> None:
    world.studio.make("brush")
    job = created(world)
    submit(world, job)
    assert world.state(job) == "PENDING"
    assert cancel(world, job).status == 200
    assert world.studio.tasks["task-2"].canceled
    assert world.state(job) == "CANCELED"
    assert world.slots() == []
    assert valid_manifest(world, job)["task"]


def test_running_and_finished_tasks_are_not_canceled(world: World) -> None:
    job = created(world)
    submit(world, job)
    running = cancel(world, job)
    assert running.refusal == (400, "UnsupportedOperation")
    assert running.body["message"] == (
        "Failed to cancel the task, please confirm if the task is in PENDING status."
    )
    assert world.state(job) == "PENDING"
    poll(world)
    assert cancel(world, job).refusal == (400, "UnsupportedOperation")
    assert status(world, job) == "SUCCEEDED"


@pytest.mark.parametrize("job", ["no-such-job", "..", "a%20b"])
def test_an_unknown_task_is_refused_like_one_that_is_over(world: World, job: str) -> None:
    assert cancel(world, job).refusal == (400, "UnsupportedOperation")


def test_a_submission_that_is_faster_wins_and_leaves_no_manifest_of_a_cancel(world: World) -> None:
    job = created(world)
    app = world.app("canceling")
    store_of(app).before.append(once("create", layout.record(job, 2), lambda: submit(world, job)))
    reply = send(app, "POST", f"/api/v1/tasks/{job}/cancel")
    assert reply.refusal == (400, "UnsupportedOperation")
    assert world.states(job) == ["QUEUED", "SUBMITTING", "PENDING"]
    assert not world.bucket.holds(layout.result(job))


def test_a_cancel_that_is_faster_keeps_the_job_from_being_sent(world: World) -> None:
    job = created(world)
    app = world.app("submitting")
    store_of(app).before.append(once("create", layout.record(job, 2), lambda: cancel(world, job)))
    assert submit(app, job) is None
    assert world.states(job) == ["QUEUED", "CANCELED"]
    assert world.studio.posts == []
    assert world.slots() == []


@pytest.mark.parametrize("place", [("create", layout.RESULTS), ("delete", layout.QUEUE)])
def test_a_cancel_whose_instance_died_halfway_is_finished_by_the_next(
    world: World, place: tuple[str, str]
) -> None:
    job = created(world)
    app = world.app("dying")
    store_of(app).before.append(once(*place, die))
    with pytest.raises(Killed):
        send(app, "POST", f"/api/v1/tasks/{job}/cancel")
    assert world.states(job) == ["QUEUED", "CANCELED"]
    assert cancel(world, job).refusal == (400, "UnsupportedOperation")
    assert valid_manifest(world, job)["state"] == CANCELED
    assert world.markers() == []


def consistent(world: World, job: str, reply: Reply) -> None:
    """A yes is the end of it; after a no the job goes on as if nobody had asked."""
    world.timeline.wait(60)
    poll(world, 600.0)
    ended = "CANCELED" if reply.status == 200 else "SUCCEEDED"
    assert (world.state(job), world.manifest(job)["state"]) == (ended, ended)
    assert (world.slots(), world.markers()) == ([], [])
    made = [task for task in world.studio.tasks.values() if task.images]
    assert len(made) <= (0 if reply.status == 200 else 1), "paid for what was canceled"


def test_a_cancel_at_any_step_of_a_submission_is_a_clear_yes_or_no() -> None:
    answers: list[int] = []

    def play(number: int) -> bool:
        made = World()
        job = created(made)
        app = made.app("submitting")
        replies: list[Reply] = []
        store_of(app).before.append(at(number, lambda: replies.append(cancel(made, job))))
        submit(app, job)
        for reply in replies:
            answers.append(reply.status)
            consistent(made, job, reply)
        return bool(replies)

    assert at_every_request(play) >= 6
    assert set(answers) == {200, 400}


def test_a_cancel_at_any_step_of_a_run_is_a_clear_yes_or_no() -> None:
    answers: list[int] = []

    def play(number: int) -> bool:
        made = World()
        made.studio.make("brush", status="FAILED")  # the account is busy for a while
        job = created(made)
        app = made.app("polling")
        replies: list[Reply] = []
        store_of(app).before.append(at(number, lambda: replies.append(cancel(made, job))))
        app.poller.run(app.clock.monotonic() + 600.0)
        for reply in replies:
            answers.append(reply.status)
            consistent(made, job, reply)
        return bool(replies)

    assert at_every_request(play) > 30
    assert set(answers) == {200, 400}


def waiting_at_the_service(world: World) -> str:
    """A job whose task the service has queued."""
    world.studio.make("brush", status="FAILED")
    job = created(world)
    submit(world, job)
    return job


def test_a_poller_that_writes_the_cancel_down_first_changes_nothing(world: World) -> None:
    job = waiting_at_the_service(world)
    app = world.app("canceling")

    def the_poller_sees_it() -> None:
        other = world.app("other")
        last = other.ledger.records.last(job)
        assert last is not None
        collection = other.poller.follower.collection
        collection.take(last, collection.ask(last))

    store_of(app).before.append(once("create", layout.record(job, 4), the_poller_sees_it))
    assert send(app, "POST", f"/api/v1/tasks/{job}/cancel").status == 200
    assert world.states(job) == ["QUEUED", "SUBMITTING", "PENDING", "CANCELED"]


def test_killed_after_the_service_canceled_the_next_poll_writes_it_down(world: World) -> None:
    job = waiting_at_the_service(world)
    app = world.app("dying")
    store_of(app).before.append(once("create", layout.record(job, 4), die))
    with pytest.raises(Killed):
        send(app, "POST", f"/api/v1/tasks/{job}/cancel")
    assert world.state(job) == "PENDING"
    poll(world)
    assert world.state(job) == "CANCELED"
    assert world.slots() == []


def test_two_cancels_at_once_cancel_once(world: World) -> None:
    job = created(world)
    first = world.app("first")
    replies: list[Reply] = []
    meanwhile = once("create", layout.record(job, 2), lambda: replies.append(cancel(world, job)))
    store_of(first).before.append(meanwhile)
    replies.append(send(first, "POST", f"/api/v1/tasks/{job}/cancel"))
    assert sorted(reply.status for reply in replies) == [200, 400]
    assert world.states(job) == ["QUEUED", "CANCELED"]


def test_a_store_in_trouble_is_no_yes(world: World) -> None:
    job = created(world)
    app = world.app()
    store_of(app).before.append(once("create", "records", fail))
    reply = send(app, "POST", f"/api/v1/tasks/{job}/cancel")
    assert reply.refusal == (503, "ServiceUnavailable")
    assert status(world, job) == "PENDING"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServiceError("Throttling.RateQuota", "slow", 429), (429, "Throttling.RateQuota")),
        (ServiceError("InvalidApiKey", "Invalid API-key", 401), (503, "ServiceUnavailable")),
        (ServiceError("Unreachable", "ConnectionError", 0), (503, "ServiceUnavailable")),
    ],
)
def test_a_service_that_cannot_be_asked(
    world: World, error: ServiceError, expected: tuple[int, str]
) -> None:
    job = created(world)
    submit(world, job)
    world.studio.refusal = error
    assert cancel(world, job).refusal == expected
    assert world.state(job) == "PENDING"


def test_what_earlier_attempts_made_stays_in_the_manifest(world: World) -> None:
    job = created(world)
    path = layout.record(job, 1)
    record = json.loads(world.bucket.peek(path))
    image = {"number": 1, "key": layout.image(job, 1, "png"), "format": "PNG", "width": 8}
    image |= {"height": 8, "bytes": 9, "sha256": "0" * 64}
    image |= {"orig_prompt": None, "actual_prompt": None}
    world.bucket.write(path, json.dumps(record | {"kept": [image], "paid": 1}).encode())
    assert cancel(world, job).status == 200
    manifest = valid_manifest(world, job)
    assert manifest["images"] == [image]
    assert manifest["usage"] == {"image_count": 1}
