"""What a person can do about a job that the system will not decide: adopt a task, cancel."""

from __future__ import annotations

import pytest

from shared.jobs.adopt import NotAdoptable
from shared.jobs.cancel import NotCancelable
from shared.ledger.lease import SUBMIT
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from tests.kit.hooks import at, at_every_request
from tests.kit.http import ask, token
from tests.kit.studio import UNREACHABLE, lose_answer, lose_request
from tests.kit.world import MODEL, OTHER, World, run, store_of, submit

GRACE = 120.0


@pytest.fixture()
def world() -> World:
    return World()


def in_doubt(world: World, job: str = "cat", *, made: bool = True) -> None:
    """A job whose submission was not answered."""
    world.queued(job)
    world.studio.script.append(lose_answer if made else lose_request)
    app = world.app("submit")
    assert app.ledger.lease.take(SUBMIT)
    last = app.ledger.records.last(job)
    assert last is not None
    app.submission.submit(last, 5.0)
    app.ledger.lease.release()


def undecided(world: World, job: str = "cat") -> None:
    """A job that needs attention: another program's task is as likely its own."""
    in_doubt(world, job)
    world.studio.make(MODEL)
    world.timeline.wait(GRACE)
    run(world)
    assert world.state(job) == "NEEDS_ATTENTION"


def test_an_adopted_task_brings_its_images(world: World) -> None:
    undecided(world)
    made = world.app().adoption.adopt("cat", "task-1")
    assert (made.state, made.task_id) == ("PENDING", "task-1")
    run(world)
    assert world.states("cat")[-3:] == ["NEEDS_ATTENTION", "PENDING", "SUCCEEDED"]
    assert len(world.manifest("cat")["images"]) == 1
    assert world.slots() == []
    assert len(world.studio.posts) == 1, "nothing is paid for again"


def test_a_task_that_another_job_waits_for_is_refused(world: World) -> None:
    undecided(world)
    world.queued("dog")
    submit(world, "dog")
    task = world.record("dog")["task_id"]
    world.timeline.wait(60)
    with pytest.raises(NotAdoptable, match="The task belongs to job dog"):
        world.app("person").adoption.adopt("cat", task)
    assert world.state("cat") == "NEEDS_ATTENTION"


def test_a_damaged_job_that_is_in_flight_keeps_no_task_from_its_job(world: World) -> None:
    undecided(world)
    world.queued("dog")
    submit(world, "dog")
    world.bucket.write(f"{layout.RECORDS}dog/000001.json", b"{")
    world.bucket.write(f"{layout.RECORDS}dog/000003.json", b"{")
    assert world.app("person").adoption.adopt("cat", "task-1").state == "PENDING"


def test_adopting_wakes_a_poller(world: World) -> None:
    undecided(world)
    before = world.bucket.peek(layout.WAKE) if world.bucket.holds(layout.WAKE) else b""
    world.app("person").adoption.adopt("cat", "task-1")
    assert world.bucket.peek(layout.WAKE) != before


def test_adopting_twice_changes_nothing(world: World) -> None:
    undecided(world)
    first = world.app().adoption.adopt("cat", "task-1")
    assert world.app().adoption.adopt("cat", "task-1").seq == first.seq
    run(world)
    assert world.app().adoption.adopt("cat", "task-1").state == "SUCCEEDED"


def test_a_job_in_doubt_can_take_a_task_before_the_grace_is_over(world: World) -> None:
    in_doubt(world)
    assert world.app().adoption.adopt("cat", "task-1").state == "PENDING"
    run(world)
    assert world.state("cat") == "SUCCEEDED"


def test_nobody_else_adopts_a_task_that_was_adopted(world: World) -> None:
    undecided(world)
    world.app().adoption.adopt("cat", "task-1")
    in_doubt(world, "dog", made=False)
    with pytest.raises(NotAdoptable, match="belongs to job cat"):
        world.app().adoption.adopt("dog", "task-1")


def test_two_who_adopt_a_task_at_the_same_moment_do_not_both_get_it() -> None:
    def play(number: int) -> bool:
        world, got, asked = World(), list[str](), list[str]()
        in_doubt(world, "cat")
        in_doubt(world, "dog", made=False)

        def adopt(job: str) -> None:
            asked.append(job)
            try:
                world.app(job).adoption.adopt(job, "task-1")
                got.append(job)
            except NotAdoptable as error:
                assert "belongs to job" in str(error)

        store_of(first := world.app("first")).before.append(at(number, lambda: adopt("dog")))
        try:
            first.adoption.adopt("cat", "task-1")
            got.append("cat")
        except NotAdoptable as error:
            assert "belongs to job dog" in str(error)
        assert len(got) == 1 or not asked
        free = [one for one in ("cat", "dog") if one not in got]
        assert all(world.record(one)["state"] == "SUBMITTING" for one in free)
        assert len(world.slots()) == 2, "the slots of both attempts, and no other"
        return bool(asked)

    assert at_every_request(play) > 10


def test_a_task_that_two_jobs_have_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.queued("cat")
    run(world)
    world.studio.script.append(lambda studio, body: studio.tasks["task-1"])
    world.queued("dog")
    run(world)
    assert world.record("dog")["task_id"] == "task-1"
    said = [vars(one)["fields"] for one in caplog.records if "as well" in one.getMessage()]
    assert [(one["event"], one["job"]) for one in said] == [("job.task_shared", "dog")]


def test_a_task_that_the_service_does_not_know_is_refused(world: World) -> None:
    undecided(world)
    with pytest.raises(NotAdoptable, match="does not know the task"):
        world.app().adoption.adopt("cat", "task-99")


def test_a_task_of_another_model_is_refused(world: World) -> None:
    undecided(world)
    other = world.studio.make(OTHER)
    with pytest.raises(NotAdoptable, match=f"one of {OTHER}, the job is for {MODEL}"):
        world.app().adoption.adopt("cat", other.task_id)


@pytest.mark.parametrize("text", ["../x", "", "a b", "x" * 300])
def test_what_cannot_be_a_task_is_refused(world: World, text: str) -> None:
    undecided(world)
    with pytest.raises(NotAdoptable, match="not the id of a task"):
        world.app().adoption.adopt("cat", text)


def test_a_job_that_is_decided_takes_no_task(world: World) -> None:
    world.queued("cat")
    with pytest.raises(NotAdoptable, match="The job is QUEUED"):
        world.app().adoption.adopt("cat", "task-1")
    with pytest.raises(NotAdoptable, match="no such job"):
        world.app().adoption.adopt("nobody", "task-1")


def test_while_the_service_cannot_be_asked_nothing_is_adopted(world: World) -> None:
    undecided(world)
    world.studio.refusal = UNREACHABLE
    with pytest.raises(ServiceError):
        world.app().adoption.adopt("cat", "task-1")
    assert world.state("cat") == "NEEDS_ATTENTION"


def test_an_attempt_in_doubt_can_be_canceled_and_says_what_that_means(world: World) -> None:
    in_doubt(world)
    assert world.app().cancellation.cancel("cat").state == "CANCELED"
    assert world.manifest("cat")["error"]["code"] == "CanceledInDoubt"
    assert (world.slots(), world.markers()) == ([], [])
    run(world)
    assert world.states("cat")[-1] == "CANCELED"


def test_the_task_of_a_canceled_attempt_is_not_taken_for_another_jobs(world: World) -> None:
    in_doubt(world)
    in_doubt(world, "dog", made=False)
    world.app().cancellation.cancel("cat")
    world.timeline.wait(GRACE)
    run(world)
    assert world.record("dog").get("task_id") is None


def test_an_attempt_that_is_being_sent_cannot_be_canceled(world: World) -> None:
    world.queued("cat")
    refused: list[NotCancelable] = []

    def cancel() -> None:
        with pytest.raises(NotCancelable) as error:
            world.app("person").cancellation.cancel("cat")
        refused.append(error.value)

    world.studio.on_create = cancel
    run(world)
    assert [one.last.state for one in refused if one.last] == ["SUBMITTING"]
    assert world.state("cat") == "SUCCEEDED"


def test_adopting_over_http_needs_an_administrator(world: World) -> None:
    undecided(world)
    assert ask(world, "POST", "/jobs/cat/adopt/task-1", given=token("submit")).status == 403
    reply = ask(world, "POST", "/jobs/cat/adopt/task-2222")
    assert (reply.status, reply.json["title"]) == (409, "Not adopted")
    reply = ask(world, "POST", "/jobs/cat/adopt/task-1")
    assert (reply.status, reply.json["state"]) == (200, "PENDING")
    assert ask(world, "POST", "/jobs/nobody/adopt/task-1").status == 404
    world.studio.refusal = UNREACHABLE
    in_doubt(world, "dog")
    assert ask(world, "POST", "/jobs/dog/adopt/task-3").status == 503


def test_many_jobs_that_expire_together_do_not_hold_up_the_others(world: World) -> None:
    for number in range(60):
        world.queued(f"late-{number}", expires_after="1m")
    world.timeline.wait(61)
    world.queued("cat", OTHER)
    ended: list[int] = []
    world.studio.on_create = lambda: ended.append(
        sum(world.state(f"late-{number}") == "EXPIRED" for number in range(60))
    )
    run(world)
    assert ended[0] <= 20, "the job that is not late waits for all that are"
    assert {world.state(f"late-{number}") for number in range(60)} == {"EXPIRED"}
    assert world.state("cat") == "SUCCEEDED"


def test_a_job_says_that_its_model_is_gone(world: World) -> None:
    world.queued("cat")
    world.models = world.models[1:]
    run(world)
    view = ask(world, "GET", "/jobs/cat").json
    assert (view["state"], view["error"]["code"]) == ("QUEUED", "ModelGone")


def test_while_the_list_does_not_show_a_task_it_is_not_adopted(world: World) -> None:
    undecided(world)
    late = world.studio.make(OTHER)
    late.listed_from = world.timeline.now + 60
    with pytest.raises(NotAdoptable, match="Try again in a minute"):
        world.app().adoption.adopt("cat", late.task_id)


def test_a_job_that_was_canceled_in_doubt_can_take_its_task(world: World) -> None:
    in_doubt(world)
    world.app().cancellation.cancel("cat")
    assert ask(world, "GET", "/jobs").json["jobs"][0]["state"] == "CANCELED"
    assert world.app().adoption.adopt("cat", "task-1").state == "PENDING"
    assert ask(world, "GET", "/jobs").json["jobs"][0]["state"] == "PENDING"
    run(world)
    assert world.state("cat") == "SUCCEEDED"
