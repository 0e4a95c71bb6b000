"""Breakers: one per model and one for the key; and jobs whose time ends behind them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.catalogue.models import Limits
from shared.ledger.breaker import KEY
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from tests.kit.studio import refuse
from tests.kit.world import MODEL, OTHER, World, job_file, model, run, submit

QUOTA, ARREARS = "AllocationQuota.FreeTierOnly", "Arrearage"
AFTER = 610.0
"""Seconds after which a breaker that opened just now has let go."""


@pytest.fixture()
def world() -> World:
    return World()


def of(world: World, name: str) -> list[float]:
    """When a model was asked for a task."""
    return [post.at for post in world.studio.posts if post.body["model"] == name]


def paused(world: World, name: str) -> bool:
    states = world.app("looking").ledger.model_states
    return states.get(name).paused_for(world.timeline.now) > 0


def in_arrears() -> None:
    raise ServiceError(ARREARS, "pay first", 400)


def counted(listed: list[float], world: World) -> Callable[[], object]:
    return lambda: listed.append(world.timeline.now)


def test_a_models_breaker_stops_that_model_alone(world: World) -> None:
    for number in range(3):
        world.queued(f"cat-{number}", MODEL)
        world.queued(f"dog-{number}", OTHER)
    world.studio.script.append(refuse(QUOTA, 403))
    assert run(world) == "everything left is paused"
    assert [world.state(f"dog-{number}") for number in range(3)] == ["SUCCEEDED"] * 3
    assert [world.state(f"cat-{number}") for number in range(3)] == ["QUEUED"] * 3
    assert len(of(world, MODEL)) == 1
    assert (paused(world, MODEL), paused(world, OTHER), paused(world, KEY)) == (True, False, False)


def test_the_breaker_of_the_key_stops_every_model(world: World) -> None:
    world.queued("cat", MODEL)
    world.queued("dog", OTHER)
    world.studio.script.append(refuse(ARREARS, 400))
    assert run(world) == "everything left is paused"
    assert len(world.studio.posts) == 1
    assert [world.state(job) for job in ("cat", "dog")] == ["QUEUED", "QUEUED"]
    assert paused(world, KEY)
    assert world.record("cat").get("attempt", 0) == 0, "a refusal must not count as an attempt"


def test_half_open_a_single_job_finds_out(world: World) -> None:
    world.models = (model(limits=Limits(5, 1, 4, 0)),)
    for number in range(4):
        world.queued(f"cat-{number}")
    world.studio.script.append(refuse(QUOTA, 403))
    run(world)
    world.timeline.wait(AFTER)
    world.studio.script.append(refuse(QUOTA, 403))
    run(world)
    assert len(world.studio.posts) == 2, "one question is enough"
    assert paused(world, MODEL)
    world.timeline.wait(AFTER)
    in_flight: list[int] = []
    world.studio.on_create = lambda: in_flight.append(len(world.slots()))
    assert run(world) == "nothing left"
    assert in_flight == [1, 2, 3, 4], "once one was accepted, all the others follow"
    assert [world.state(f"cat-{number}") for number in range(4)] == ["SUCCEEDED"] * 4


def test_half_open_a_submission_counts_what_is_in_flight(world: World) -> None:
    """One task is in flight, and nobody knows yet whether the model goes on."""
    world.models = (model(limits=Limits(5, 1, 4, 0)),)
    world.studio.seconds = 2 * AFTER
    world.queued("cat")
    submit(world, "cat")
    world.studio.script.append(refuse(QUOTA, 403))
    world.bucket.write("jobs/dog.json", job_file(id="dog"))
    world.app("submit").acceptance.job_file("jobs/dog.json")
    world.timeline.wait(AFTER)
    assert not paused(world, MODEL)
    world.app("submit").acceptance.job_file("jobs/dog.json")
    assert world.state("dog") == "QUEUED"
    assert len(world.studio.posts) == 2


def test_after_the_pause_the_key_is_tried_by_something_free(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(refuse(ARREARS, 400))
    run(world)
    world.timeline.wait(AFTER)
    posts_before: list[int] = []
    world.studio.on_listed = lambda: posts_before.append(len(world.studio.posts))
    assert run(world) == "nothing left"
    assert posts_before == [1], "asked once, before anything was sent"
    assert world.state("cat") == "SUCCEEDED"
    assert not paused(world, KEY)


def test_as_long_as_the_key_is_refused_nothing_is_sent(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(refuse(ARREARS, 400))
    run(world)
    world.studio.on_listed = in_arrears
    for _ in range(3):
        world.timeline.wait(AFTER)
        run(world)
    assert len(world.studio.posts) == 1
    assert paused(world, KEY)
    world.studio.on_listed = lambda: None
    world.timeline.wait(AFTER)
    run(world)
    assert world.state("cat") == "SUCCEEDED"


def test_the_key_is_not_tried_while_it_is_given_time(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(refuse(ARREARS, 400))
    run(world)
    listed: list[float] = []
    world.studio.on_listed = counted(listed, world)
    for _ in range(4):
        world.timeline.wait(60)
        run(world)
    assert listed == []
    assert len(world.studio.posts) == 1


def test_a_key_that_is_refused_when_a_task_is_asked_for_stops_submissions(world: World) -> None:
    world.queued("cat", MODEL)
    submit(world, "cat")
    world.studio.on_query = in_arrears
    world.timeline.after(2.0, lambda: world.queued("dog", OTHER))
    run(world, 30.0)
    assert paused(world, KEY)
    assert len(world.studio.posts) == 1
    world.studio.on_query = lambda: None
    world.timeline.wait(AFTER)
    run(world)
    assert [world.state(job) for job in ("cat", "dog")] == ["SUCCEEDED", "SUCCEEDED"]


def test_resuming_a_model_lets_its_jobs_go_at_once(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(refuse(QUOTA, 403))
    run(world)
    world.app("person").ledger.breakers.resume(MODEL)
    before = world.timeline.now
    assert run(world) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    assert world.studio.posts[-1].at - before < 5.0


def test_resuming_is_heard_by_a_poller_that_is_at_work(world: World) -> None:
    world.studio.seconds = 300.0
    world.queued("dog", OTHER)
    submit(world, "dog")
    world.queued("cat", MODEL)
    world.studio.script.append(refuse(QUOTA, 403))
    world.timeline.after(20.0, lambda: world.app("person").ledger.breakers.resume(MODEL))
    before = world.timeline.now
    run(world, 120.0)
    assert [at - before < 60.0 for at in of(world, MODEL)] == [True, True]


def test_no_breaker_opens_for_the_callers_mistake(world: World) -> None:
    world.queued("cat")
    world.queued("dog")
    world.studio.script.append(refuse("InvalidParameter", 400))
    run(world)
    assert [world.state(job) for job in ("cat", "dog")] == ["FAILED", "SUCCEEDED"]


def many_and_one_in_a_hurry(world: World, jobs: int = 20) -> None:
    """A queue at whose very end a job waits that gives up after a minute."""
    for number in range(jobs):
        world.queued(f"job-{number:02d}")
    world.queued("hasty", expires_after="1m", priority=9)


def test_deep_in_the_queue_of_a_busy_model_jobs_expire_in_time(world: World) -> None:
    world.studio.seconds = 1000.0
    many_and_one_in_a_hurry(world)
    assert world.markers()[-1] == "hasty"
    run(world, 150.0)
    assert world.state("hasty") == "EXPIRED"
    assert world.manifest("hasty")["error"]["code"] == "Expired"
    assert "hasty" not in world.markers()
    assert world.bucket.keys(layout.EXPIRY) == []
    assert len(world.markers()) == 19, "one is in flight, the others wait"


def test_deep_in_the_queue_of_a_blocked_model_jobs_expire_in_time(world: World) -> None:
    many_and_one_in_a_hurry(world)
    world.studio.script.append(refuse(QUOTA, 403))
    run(world)
    world.timeline.wait(61)
    run(world)
    assert world.state("hasty") == "EXPIRED"
    assert world.bucket.keys(layout.EXPIRY) == []
    assert len(world.markers()) == 20


def test_a_job_on_its_way_does_not_expire(world: World) -> None:
    world.studio.seconds = 200.0
    world.queued("cat", expires_after="1m")
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert world.bucket.keys(layout.EXPIRY) == []


def test_a_task_that_was_sent_before_a_refusal_does_not_end_its_pause(world: World) -> None:
    """Several are sent at once: the answer to the first may come after the refusal of the next."""
    app = world.app("a")
    before, breakers = world.timeline.now, app.ledger.breakers
    world.timeline.wait(0.1)
    rule = app.rules.errors.classify(QUOTA, "", 403)
    breakers.pause(MODEL, ServiceError(QUOTA, "used up", 403), rule)
    breakers.accepted(MODEL, before)
    assert paused(world, MODEL)
    breakers.accepted(MODEL, world.timeline.now)
    assert not paused(world, MODEL)


def test_too_many_requests_neither_close_a_breaker_nor_shorten_its_pause() -> None:
    """A running task may fail with 429 while the model's free tier is used up."""
    app = World().app()
    breakers, errors = app.ledger.breakers, app.rules.errors
    used_up = ServiceError("AllocationQuota.FreeTierOnly", "The free tier is exhausted.", 403)
    too_fast = ServiceError("Throttling.RateQuota", "Requests rate limit exceeded.", 429)
    breakers.pause(MODEL, used_up, errors.classify(used_up.code, used_up.message, used_up.http))
    paused = breakers.paused_for(MODEL)
    rule = errors.classify(too_fast.code, too_fast.message, too_fast.http)
    breakers.pause(MODEL, too_fast, rule)
    assert breakers.is_open(MODEL)
    assert breakers.paused_for(MODEL) == paused > 60
