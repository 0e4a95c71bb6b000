"""Tasks whose questions get no usable answer: what is wrong with one task delays it alone."""

from __future__ import annotations

import pytest

from shared.catalogue.models import Limits
from shared.instance import INSTANCE
from shared.ledger.breaker import KEY
from shared.modelstudio.client import ServiceError
from tests.kit.studio import UNREACHABLE
from tests.kit.world import MODEL, OTHER, World, model, run, submit
from tests.simulation.wire import SimAnswer, refusal

HOUR = 3600.0
PAGE = SimAnswer(404, b"<html>")
NOT_FOUND = refusal((404, "NotFound", "no"))
ODD = {
    "no object": SimAnswer(200, b"[]"),
    "a code": refusal((200, "X", "no")),
    "a wrong request": refusal((400, "InvalidParameter", "no")),
    "no access": refusal((403, "AccessDenied", "no")),
    "not found": NOT_FOUND,
    "a page": PAGE,
    "an error": refusal((500, "InternalError", "no")),
}
"""Answers to the question for a task that say nothing of the task."""
BAD_KEY = ServiceError("InvalidApiKey", "Invalid API-key provided.", 401)


@pytest.fixture()
def world() -> World:
    made = World(errors=INSTANCE.yaml[1])
    made.bucket.most_calls = 10**9
    return made


def odd_one(world: World, answer: SimAnswer) -> None:
    """A job in flight whose question is answered so."""
    world.queued("odd")
    submit(world, "odd")
    world.studio.answered["task-1"] = answer


def hours(world: World, count: int) -> None:
    """Each hour a poller runs for ten minutes."""
    for _ in range(count):
        until = world.timeline.now + HOUR
        run(world)
        world.timeline.wait(until - world.timeline.now)


@pytest.mark.parametrize("kind", ODD)
def test_a_task_that_is_never_answered_for_is_put_before_a_person_after_a_day(
    world: World, kind: str
) -> None:
    odd_one(world, ODD[kind])
    hours(world, 23)
    assert world.state("odd") == "PENDING"
    hours(world, 2)
    assert world.state("odd") == "NEEDS_ATTENTION"
    error = world.manifest("odd")["error"]
    assert error["code"] == "TaskStuck"
    assert error["message"] == "Task task-1 is still PENDING 24 hours after it was submitted."
    assert world.slots() == []


@pytest.mark.parametrize("kind", ODD)
def test_a_task_that_is_not_answered_for_keeps_no_room_for_long(world: World, kind: str) -> None:
    odd_one(world, ODD[kind])
    world.queued("next")
    run(world, 590.0)
    assert world.state("next") == "QUEUED"
    run(world, 600.0)
    assert world.state("next") == "SUCCEEDED"
    assert world.state("odd") == "PENDING", "its images may still come"
    del world.studio.answered["task-1"]
    run(world)
    assert world.state("odd") == "SUCCEEDED"


@pytest.mark.parametrize("kind", ODD)
def test_a_task_that_is_not_answered_for_is_asked_for_ever_more_rarely(
    world: World, kind: str
) -> None:
    odd_one(world, ODD[kind])
    run(world, 6 * HOUR)
    assert len(world.studio.queries) < 100, "every thirty seconds it would be 720"


@pytest.mark.parametrize("error", [UNREACHABLE, BAD_KEY, ServiceError("InternalError", "no", 500)])
def test_a_service_that_is_out_for_less_than_a_day_ends_no_job(
    world: World, error: ServiceError
) -> None:
    for job in ("cat", "dog"):
        world.queued(job, MODEL if job == "cat" else OTHER)
        submit(world, job)
    world.studio.refusal = error
    hours(world, 22)
    assert [world.state(job) for job in ("cat", "dog")] == ["PENDING", "PENDING"]
    world.studio.refusal = None
    hours(world, 1)
    assert [world.state(job) for job in ("cat", "dog")] == ["SUCCEEDED", "SUCCEEDED"]


@pytest.mark.parametrize("error", [UNREACHABLE, BAD_KEY])
def test_a_service_that_is_out_for_a_day_leaves_its_tasks_to_a_person(
    world: World, error: ServiceError
) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.studio.refusal = error
    hours(world, 25)
    assert world.manifest("cat")["error"]["code"] == "TaskStuck"


def test_a_mishap_of_a_moment_ends_no_task_that_is_older_than_a_day(world: World) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.timeline.wait(25 * HOUR)
    world.studio.refusal = UNREACHABLE
    world.timeline.after(5.0, lambda: setattr(world.studio, "refusal", None))
    run(world)
    assert world.manifest("cat")["error"]["code"] == "TaskExpired", "what the service says counts"


@pytest.mark.parametrize("answer", [PAGE, NOT_FOUND, SimAnswer(429, b""), ODD["no access"]])
def test_an_answer_to_one_tasks_question_pauses_neither_key_nor_model(
    world: World, answer: SimAnswer
) -> None:
    odd_one(world, answer)
    for number in range(30):
        world.queued(f"job-{number}", OTHER)
    run(world, 360.0)
    assert [world.state(f"job-{number}") for number in range(30)] == ["SUCCEEDED"] * 30
    assert not paused(world, KEY) and not paused(world, MODEL)


def test_an_account_that_answers_no_question_readably_is_paused(world: World) -> None:
    two_at_once(world, PAGE)
    run(world, 30.0)
    assert paused(world, KEY)


def test_where_no_task_is_answered_for_no_more_tasks_are_made(world: World) -> None:
    """Else a gateway that knows no questions would let through what nobody can fetch."""
    two_at_once(world, ODD["a wrong request"])
    world.queued("next")
    run(world, 2 * HOUR)
    assert world.state("next") == "QUEUED"
    assert len(world.studio.posts) == 2


def test_a_task_that_is_answered_for_again_keeps_room_again(world: World) -> None:
    world.studio.seconds = 2 * HOUR
    odd_one(world, NOT_FOUND)
    world.timeline.after(900.0, world.studio.answered.clear)
    app = world.app("poller")
    run(world, 1800.0, app)
    assert app.poller.in_flight.room(world.models[0]) == 0


def two_at_once(world: World, answer: SimAnswer) -> None:
    """Two tasks of a model that runs two, and the question for either is answered so."""
    limits = Limits(submissions=5, per_seconds=1, concurrent=2, queue_ahead=0)
    world.models = (model(limits=limits), model(OTHER))
    world.studio.limits = {one.name: one.limits for one in world.models}
    for number in (1, 2):
        world.queued(f"odd-{number}")
        submit(world, f"odd-{number}")
        world.studio.answered[f"task-{number}"] = answer


def paused(world: World, name: str) -> bool:
    states = world.app("looking").ledger.model_states
    return states.get(name).paused_for(world.timeline.now) > 0
