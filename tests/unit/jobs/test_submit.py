"""Submitting one job: the order of effects, and what each answer of the service leads to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.app import App
from shared.catalogue.models import Limits
from shared.jobs.intake import Source
from shared.jobs.submit import INTENTS, SEND_WITHIN, RetryLater
from shared.ledger.lease import SUBMIT
from shared.ledger.record import Record
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.doubt import resolve
from tests.kit.hooks import Call, Killed, die, fail, once
from tests.kit.lease import WrongClock
from tests.kit.studio import accept_with, lose_answer, lose_request, refuse
from tests.kit.world import MODEL, World, job_file, model, run, store_of, submit


@pytest.fixture()
def world() -> World:
    return World()


def test_intent_comes_before_the_post_and_the_marker_goes_last(world: World) -> None:
    world.queued("cat")
    app = world.app()
    story: list[str] = []

    def note(call: Call) -> None:
        if call.kind in ("create", "put", "delete"):
            story.append(f"{call.kind} {call.key.split('/')[1]}")

    store_of(app).after.append(note)
    world.studio.on_create = lambda: story.append(f"POST as {world.state('cat')}")
    made = submit(app, "cat")
    assert isinstance(made, Record)
    assert story == [
        "create lease",
        "create slots",
        "create records",
        "POST as SUBMITTING",
        "create records",
        "delete queue",
        "put lease",
    ]
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "PENDING"]
    assert world.held() == [f"{MODEL}/cat~000002"], "the task in flight must keep its slot"


def test_the_record_names_the_task_and_its_attempt(world: World) -> None:
    world.queued("cat")
    submit(world.app(), "cat")
    record = world.record("cat")
    assert (record["task_id"], record["create_request_id"]) == ("task-1", "r-task-1")
    assert record["attempt"] == 1
    assert record["epoch"] == 1


def test_the_request_is_the_job_files_own(world: World) -> None:
    world.queued("cat")
    submit(world.app(), "cat")
    (post,) = world.studio.posts
    assert post.endpoint == model().endpoint
    assert post.body["model"] == MODEL
    assert post.body["input"]["prompt"] == "prompt of cat"
    assert post.body["input"]["base_image_url"] == "https://pictures.invalid/base.png"


@pytest.mark.parametrize(
    ("code", "http", "blocked"),
    [
        ("Throttling.RateQuota", 429, False),
        ("Unreachable", 0, False),
        ("AllocationQuota", 403, True),
    ],
)
def test_a_refusal_that_passes_puts_the_job_back_at_its_place(
    world: World, code: str, http: int, blocked: bool
) -> None:
    world.queued("cat")
    world.queued("dog")
    before = world.bucket.keys(layout.QUEUE)
    world.studio.script.append(refuse(code, http))
    app = world.app()
    made = submit(app, "cat")
    assert isinstance(made, Record)
    assert world.bucket.keys(layout.QUEUE) == before
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "QUEUED"]
    assert world.slots() == []
    assert made.attempt == 0, "a refusal must not count as an attempt"
    assert made.error is not None and made.error.code == code
    pause = app.ledger.model_states.get(MODEL).pause
    assert pause is not None
    assert pause.blocked is blocked


def test_a_paused_model_is_not_asked_and_another_one_is(world: World) -> None:
    world.queued("cat")
    world.queued("dog", "pencil")
    world.studio.script.append(refuse("AllocationQuota", 403))
    app = world.app()
    submit(app, "cat")
    assert isinstance(submit(world.app("b"), "cat"), RetryLater), "another instance must know, too"
    assert isinstance(submit(app, "dog"), Record)
    assert [post.body["model"] for post in world.studio.posts] == ["brush", "pencil"]


def test_refusals_in_a_row_wait_longer_each_time_up_to_a_minute(world: World) -> None:
    world.queued("cat")
    app = world.app()
    waits: list[float] = []
    for _ in range(9):
        world.studio.script.append(refuse("Throttling", 429))
        submit(app, "cat")
        waits.append(app.ledger.model_states.get(MODEL).paused_for(app.clock.now()))
        world.timeline.wait(700)
    assert 1.0 <= waits[0] <= 2.0
    assert waits[1] > waits[0] / 1.1
    assert 30.0 <= waits[-1] <= 60.0
    assert isinstance(submit(app, "cat"), Record)
    assert app.ledger.model_states.get(MODEL).pause is None, "an accepted task ends the pause"


def test_the_callers_mistake_ends_the_job_with_a_manifest(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(refuse("InvalidParameter", 400, "prompt is bad"))
    submit(world.app(), "cat")
    assert world.state("cat") == "FAILED"
    manifest = world.manifest("cat")
    assert manifest["state"] == "FAILED"
    assert manifest["error"]["message"] == "prompt is bad"
    assert manifest["error"]["retryable"] is False
    assert (world.slots(), world.markers()) == ([], [])


def test_an_input_that_cannot_be_fetched_is_tried_three_times(world: World) -> None:
    world.queued("cat")
    app = world.app()
    for _ in range(3):
        world.studio.script.append(refuse("InputDownloadFailed", 400))
        world.timeline.wait(600)
        submit(app, "cat")
    assert world.state("cat") == "FAILED"
    assert len(world.studio.posts) == 3


@pytest.mark.parametrize("lost", [lose_answer, lose_request])
def test_an_unknown_outcome_keeps_slot_and_marker_and_sends_nothing_more(
    world: World, lost: Any
) -> None:
    world.queued("cat")
    world.studio.script.append(lost)
    app = world.app()
    made = submit(app, "cat")
    assert isinstance(made, Record)
    assert made.state == "SUBMITTING"
    assert "ReadTimeout" in (made.unknown or "")
    assert world.held() == [f"{MODEL}/cat~000002"]
    assert submit(world.app("b"), "cat") is None, "it is under way"
    assert len(world.studio.posts) == 1


def test_an_expired_job_is_not_submitted(world: World) -> None:
    world.queued("cat", expires_after="1m")
    world.timeline.wait(60.1)
    submit(world.app(), "cat")
    assert world.state("cat") == "EXPIRED"
    assert world.manifest("cat")["error"]["code"] == "Expired"
    assert world.studio.posts == []
    assert world.markers() == []


def test_an_input_image_that_vanished_ends_the_job(world: World) -> None:
    world.queued("cat")
    app = world.app()

    def vanished(_spec: object) -> dict[str, str]:
        return {"/input/base_image_url": str(app.store.read("inputs/gone.png", 10).body)}

    app.submission.input_urls = vanished
    submit(app, "cat")
    assert world.state("cat") == "FAILED"


def test_a_signed_url_that_ends_while_the_job_waits_costs_no_submission(world: World) -> None:
    until = int(world.app().clock.now()) + 100
    signed = f"https://pictures.invalid/b.png?Expires={until}&OSSAccessKeyId=K&Signature=S"
    document = json.loads(job_file(id="cat"))
    document["input"]["base_image_url"] = signed
    source = Source("jobs/cat.json", "ETAG")
    world.app("intake").acceptance.intake.take(json.dumps(document).encode(), source)
    assert world.states("cat") == ["QUEUED"]
    world.timeline.wait(101)
    submit(world.app(), "cat")
    assert world.states("cat") == ["QUEUED", "FAILED"]
    error = world.manifest("cat")["error"]
    assert error["code"] == "InputExpired"
    assert "/input/base_image_url" in error["message"]
    assert world.studio.posts == []


def test_a_task_with_several_images_is_asked_for_as_such(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(accept_with(images=4))
    submit(world.app(), "cat")
    assert world.studio.tasks["task-1"].images == 4


# Permits and the lease


def test_without_a_permit_in_time_nothing_is_claimed() -> None:
    world = World(models=(model(limits=Limits(2, 60, 5, 0)),))
    for job in ("cat", "dog", "cow"):
        world.queued(job)
    for job in ("cat", "dog"):
        submit(world, job)
    outcome = submit(world.app("b"), "cow")
    assert isinstance(outcome, RetryLater)
    assert 55 < outcome.seconds <= 60
    assert world.held() == [f"{MODEL}/cat~000002", f"{MODEL}/dog~000002"]
    assert world.states("cow") == ["QUEUED"]


def test_a_short_wait_for_a_permit_is_waited_out() -> None:
    world = World(models=(model(limits=Limits(1, 1, 5, 0)),))
    world.queued("cat")
    world.queued("dog")
    submit(world, "cat")
    assert isinstance(submit(world.app("b"), "dog"), Record)
    first, second = (post.at for post in world.studio.posts)
    assert 1.0 <= second - first < 1.1


def test_who_does_not_hold_the_lease_claims_and_sends_nothing(world: World) -> None:
    world.queued("cat")
    app = world.app()
    last = app.ledger.records.last("cat")
    assert last is not None
    assert isinstance(app.submission.submit(last, 2.5), RetryLater)
    assert (world.slots(), world.states("cat")) == ([], ["QUEUED"])


def test_two_instances_submit_one_job_once(world: World) -> None:
    world.queued("cat")
    first, second = world.app("a"), world.app("b")
    outcomes: list[object] = []
    meanwhile = once("create", layout.SLOTS, lambda: outcomes.append(submit(second, "cat")))
    store_of(first).before.append(meanwhile)
    outcomes.append(submit(first, "cat"))
    assert outcomes[0] is None
    assert len(world.studio.posts) == 1
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "PENDING"]
    assert len(world.slots()) == 1


def slow_records(world: World, *seconds: float) -> App:
    """An instance whose intents take so long to be written, one after the other."""
    app, left = world.app(), list(seconds)

    def wait(call: Call) -> None:
        if call.kind == "create" and "records/cat" in call.key and left:
            world.timeline.wait(left.pop(0))

    store_of(app).after.append(wait)
    return app


def test_an_intent_that_came_too_late_is_replaced(world: World) -> None:
    """The store's date of the intent must say when the attempt was sent."""
    world.queued("cat")
    submit(slow_records(world, SEND_WITHIN + 0.1, SEND_WITHIN + 0.1), "cat")
    assert world.states("cat") == ["QUEUED", *["SUBMITTING"] * INTENTS, "PENDING"]
    (post,) = world.studio.posts
    intent = world.bucket.objects[layout.record("cat", 1 + INTENTS)]
    assert post.at - intent.modified <= 1.0
    assert world.held() == [f"{MODEL}/cat~000002"], "it is the same attempt"
    assert world.record("cat")["attempt"] == 1


@pytest.mark.parametrize("waits", [[SEND_WITHIN + 0.1] * INTENTS, [60.0] * INTENTS])
def test_an_attempt_that_is_late_each_time_goes_back_unsent(
    world: World, waits: list[float]
) -> None:
    world.queued("cat")
    made = submit(slow_records(world, *waits), "cat")
    assert isinstance(made, Record)
    assert world.studio.posts == []
    assert (made.state, made.attempt) == ("QUEUED", 0)
    assert made.error is not None and made.error.code == "NotSent"
    assert (world.slots(), world.markers()) == ([], ["cat"])
    assert world.bucket.keys(layout.DOUBTS) == [], "it surely made no task"


def test_an_attempt_whose_record_could_not_be_acknowledged_goes_back_at_once(world: World) -> None:
    """Its process knows that it sent nothing, and need not ask the service's list for long."""
    world.queued("cat")
    app = world.app()
    store_of(app).after.append(once("create", layout.record("cat", 2), fail))
    with pytest.raises(StoreError):
        submit(app, "cat")
    made = resolve(app, "cat")
    assert isinstance(made, Record)
    assert (made.state, made.attempt, world.markers()) == ("QUEUED", 0, ["cat"])
    submit(app, "cat")
    assert (world.state("cat"), len(world.studio.posts)) == ("PENDING", 1)


def test_an_attempt_that_was_sent_is_never_taken_for_another_one_that_was_not(
    world: World,
) -> None:
    """A thread that believes in an older record is about to try the same job once more."""
    world.queued("cat")
    app, seen = world.app(), list[bool]()
    world.studio.script.append(lose_answer)
    store_of(app).before.append(once("create", layout.record("cat", 3), fail))
    assert app.ledger.lease.take(SUBMIT)
    first = app.ledger.records.get("cat", 1)
    assert first is not None
    with pytest.raises(StoreError):
        app.submission.submit(first)
    sent = app.ledger.records.get("cat", 2)
    assert sent is not None

    def look() -> None:
        seen.append(app.submission.is_unsent(sent))

    store_of(app).before.append(once("create", layout.record("cat", 2), look))
    assert app.submission.submit(first) is None
    assert seen == [False]


def test_a_pause_that_begins_while_a_job_stands_in_line_is_kept() -> None:
    world = World(models=(model(limits=Limits(1, 2, 5, 0)),))
    for job in ("cat", "dog"):
        world.queued(job)
    app = world.app()
    assert app.ledger.lease.take(SUBMIT)
    first, second = (app.ledger.records.last(job) for job in ("cat", "dog"))
    assert first is not None and second is not None
    assert isinstance(app.submission.submit(first), Record)
    error = ServiceError("Throttling", "slowly", 429)
    rule = app.rules.errors.classify("Throttling", "slowly", 429)
    world.timeline.after(1.0, lambda: app.ledger.breakers.pause(MODEL, error, rule))
    outcome = app.submission.submit(second, patience=5.0)
    assert isinstance(outcome, RetryLater) and outcome.model_wide
    assert len(world.studio.posts) == 1
    assert len(world.slots()) == 1, "the place in line gave its slot back"


def test_an_attempt_whose_lease_ran_out_goes_back_unsent(world: World) -> None:
    """Each request is quick enough, all together are not."""
    world.queued("cat")
    app = world.app()
    send_for = app.ledger.timing.send_for
    store_of(app).after.append(
        once("create", layout.SLOTS, lambda: world.timeline.wait(send_for - 1))
    )
    store_of(app).after.append(once("create", "records/cat", lambda: world.timeline.wait(1.2)))
    made = submit(app, "cat")
    assert isinstance(made, Record)
    assert world.studio.posts == []
    assert (made.state, made.attempt) == ("QUEUED", 0)
    assert (world.slots(), world.markers()) == ([], ["cat"])


@pytest.mark.parametrize("frozen", [3.0, 60.0, 100.0])
def test_a_frozen_instance_whose_wall_clock_alone_went_on_sends_nothing(
    world: World, frozen: float
) -> None:
    world.queued("cat")
    app = world.app()
    app.clock = clock = WrongClock(world.timeline)

    def freeze(call: Call) -> None:
        if call.kind == "create" and "records/cat" in call.key:
            world.timeline.wait(frozen)
            clock.stood_still += frozen

    store_of(app).after.append(freeze)
    submit(app, "cat")
    assert world.studio.posts == []
    assert world.state("cat") == "QUEUED"


@pytest.mark.parametrize("where", [layout.SLOTS, "records/cat/000002"])
def test_a_frozen_instance_that_wakes_after_a_poller_took_over_sends_nothing(
    world: World, where: str
) -> None:
    world.queued("cat")
    world.studio.seconds = 100.0
    frozen = world.app("frozen")

    def a_poller_takes_over() -> None:
        run(world, 120.0)

    store_of(frozen).before.append(once("create", where, a_poller_takes_over))
    assert not isinstance(submit(frozen, "cat"), Record)
    run(world, 5.0)
    assert len(world.studio.posts) == 1
    made = world.record("cat")
    assert world.slots() == [layout.slot("-", MODEL, "cat", made["slot_seq"], made["slot_mark"])]


def test_killed_before_the_intent_the_job_is_still_queued(world: World) -> None:
    world.queued("cat")
    app = world.app()
    store_of(app).after.append(once("create", layout.SLOTS, die))
    with pytest.raises(Killed):
        submit(app, "cat")
    assert world.states("cat") == ["QUEUED"]
    assert world.studio.posts == []


def test_queueing_ahead_ends_where_the_service_answers_429_to_it() -> None:
    brush = model(limits=Limits(5, 1, 1, 1))
    world = World(models=(brush,))
    for job in ("cat", "dog"):
        world.queued(job)
    submit(world, "cat")
    world.studio.script.append(refuse("Throttling", 429))
    app = world.app()
    assert app.ledger.breakers.window(brush) == 2
    submit(app, "dog")
    world.timeline.wait(app.ledger.model_states.get(MODEL).paused_for(app.clock.now()))
    assert world.app("b").ledger.breakers.window(brush) == 1


@pytest.mark.parametrize("left", [layout.QUEUE, layout.SLOTS])
def test_what_a_job_left_when_its_instance_died_goes_when_its_event_comes_again(
    world: World, left: str
) -> None:
    """The job is over, so no poller would be woken for it."""
    world.studio.script.append(refuse("DataInspectionFailed", 400))
    world.bucket.write("jobs/cat.json", job_file(id="cat"))
    app = world.app()
    store_of(app).before.append(once("delete", left, die))
    with pytest.raises(Killed):
        app.acceptance.job_file("jobs/cat.json")
    assert world.state("cat") == "FAILED"
    assert world.bucket.keys(left)
    world.timeline.wait(120)
    world.app("again").acceptance.job_file("jobs/cat.json")
    assert (world.markers(), world.slots()) == ([], [])
