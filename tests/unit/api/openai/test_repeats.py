"""A request that is sent again, by a client or by a person, is paid once."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace

import pytest

from shared.api.jobs_api import create_app
from shared.instance import WAITING
from tests.kit.dashscope import poll
from tests.kit.openai import BEARER, FIRST, GENERATIONS, Reply, edit, generate, later, png, world_of
from tests.kit.studio import accept_with
from tests.kit.world import World
from tests.simulation.wsgi import Request

MODEL, EDITOR = "wan2.5-t2i-preview", "wanx2.1-imageedit"
AGAIN = {"x-stainless-retry-count": "1"}


@pytest.fixture()
def world() -> World:
    return world_of(MODEL, EDITOR)


def cat(world: World, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return generate(world, named, model=MODEL, prompt="a cat")


def cut(world: World, received: int, **headers: str) -> None:
    """A call whose connection breaks after so many pieces of its answer."""
    sent = BEARER | FIRST | {"Content-Type": "application/json"} | headers
    body = json.dumps({"model": MODEL, "prompt": "a cat"}).encode()
    environ = Request("POST", GENERATIONS, sent, body).environ()
    chunks = create_app(world.app("api"))(environ, lambda *_: None)
    parts = iter(chunks)
    for _ in range(received):
        next(parts)
    chunks.close()  # type: ignore[attr-defined]  # as a server does that cannot send


def test_a_wait_that_ran_out_says_how_to_fetch_the_job_and_not_to_repeat(world: World) -> None:
    begun = world.timeline.now
    reply = cat(world)
    assert 100 <= world.timeline.now - begun < 120
    (job,) = world.markers()
    assert (reply.status, reply.error["code"]) == (504, "job_not_over")
    assert f"/jobs/{job}" in reply.error["message"]
    assert reply.error["job"] == job
    assert reply.headers["x-should-retry"] == "false"


def test_a_job_of_700_seconds_is_paid_once_however_often_it_is_asked_for(world: World) -> None:
    world.studio.seconds = 700.0
    for seconds in range(1, 900, 10):
        world.timeline.after(seconds, lambda: poll(world, 5.0))
    replies = [cat(world) for _ in range(8)]
    assert [one.status for one in replies] == [504] * 7 + [200]
    assert len({one.job for one in replies if one.status == 200} | set(world.markers())) == 1
    assert len(world.studio.posts) == 1


def test_a_client_that_gives_up_early_is_answered_before(world: World) -> None:
    begun = world.timeline.now
    assert cat(world, x_stainless_read_timeout="10").status == 504
    assert 8 <= world.timeline.now - begun < 10


def test_a_repetition_gets_the_job_of_the_call_that_still_waits(world: World) -> None:
    again: list[Reply] = []
    world.timeline.after(5.0, lambda: again.append(cat(world, **AGAIN)))
    later(world, 8.0)
    first = cat(world)
    assert again[0].job == first.job
    assert again[0].urls == first.urls
    assert len(world.studio.posts) == 1


def test_two_calls_at_once_that_are_both_first_are_two_jobs(world: World) -> None:
    other: list[Reply] = []
    world.timeline.after(2.0, lambda: other.append(cat(world)))
    later(world, 5.0)
    assert cat(world).job != other[0].job
    assert len(world.studio.posts) == 2


def test_each_of_two_repetitions_gets_a_job_of_its_own(world: World) -> None:
    found: list[Reply] = []
    world.timeline.after(1.0, lambda: found.append(cat(world)))
    world.timeline.after(2.0, lambda: found.append(cat(world, **AGAIN)))
    world.timeline.after(3.0, lambda: found.append(cat(world, **AGAIN)))
    later(world, 6.0)
    found.append(cat(world))
    assert len({one.job for one in found}) == 2
    assert len(world.studio.posts) == 2


def test_the_same_request_after_its_answer_is_a_new_job(world: World) -> None:
    jobs = set()
    for _ in range(3):
        later(world)
        jobs.add(cat(world).job)
        world.timeline.wait(200)
    assert len(jobs) == len(world.studio.posts) == 3


def test_a_repetition_after_the_answer_left_gets_the_same_images(world: World) -> None:
    later(world)
    first = cat(world)
    assert cat(world, **AGAIN).urls == first.urls
    assert len(world.studio.posts) == 1


@pytest.mark.parametrize("received", [0, 1, 2])
@pytest.mark.parametrize("again", [{}, AGAIN])
def test_a_connection_that_is_cut_during_the_answer_is_paid_once(
    world: World, received: int, again: dict[str, str]
) -> None:
    later(world)
    cut(world, received)
    reply = cat(world, **again)
    assert len(reply.urls) == 1
    assert len(world.studio.posts) == 1


def test_a_caller_that_hung_up_is_not_waited_for(world: World) -> None:
    sent = BEARER | FIRST | {"Content-Type": "application/json"}
    body = json.dumps({"model": MODEL, "prompt": "a cat"}).encode()
    until = world.timeline.now + 5
    environ = Request("POST", GENERATIONS, sent, body).environ()
    environ["waitress.client_disconnected"] = lambda: world.timeline.now > until
    b"".join(create_app(world.app("api"))(environ, lambda *_: None))
    assert world.timeline.now < until + 3
    (job,) = world.markers()
    later(world)
    assert cat(world).job == job


def test_a_call_whose_instance_died_is_taken_up_later(world: World) -> None:
    class Died(BaseException):
        """Nothing can be done after it."""

    def die() -> bool:
        raise Died

    sent = BEARER | FIRST | {"Content-Type": "application/json"}
    body = json.dumps({"model": MODEL, "prompt": "a cat"}).encode()
    environ = Request("POST", GENERATIONS, sent, body).environ()
    environ["waitress.client_disconnected"] = die
    with pytest.raises(Died):
        create_app(world.app("api"))(environ, lambda *_: None)
    (job,) = world.markers()
    world.timeline.wait(200)
    later(world)
    assert cat(world).job == job


def test_what_was_left_behind_long_ago_is_not_taken_up(world: World) -> None:
    assert cat(world).status == 504
    world.timeline.wait(3700)
    assert cat(world).status == 504
    assert len(world.markers()) == 2


def test_the_same_key_is_the_same_job(world: World) -> None:
    later(world)
    first = cat(world, Idempotency_Key="once")
    assert cat(world, Idempotency_Key="once").urls == first.urls
    other = generate(world, {"Idempotency-Key": "once"}, model=MODEL, prompt="a dog")
    assert (other.status, other.error["code"]) == (409, "idempotency_key_reused")
    assert other.headers["x-should-retry"] == "false"
    assert generate(world, {"Idempotency-Key": "x" * 256}, model=MODEL, prompt="a").status == 400
    assert len(world.studio.posts) == 1


def test_the_same_files_again_are_the_same_request(world: World) -> None:
    quick = {"x-stainless-read-timeout": "5"}
    files = [("image", png())]
    for _ in range(2):
        assert edit(world, files, quick, model=EDITOR, prompt="a hat").status == 504
    assert len(world.markers()) == 1
    assert len(world.bucket.keys("inputs/")) == 1
    other = [("image", png(colour="black"))]
    assert edit(world, other, quick, model=EDITOR, prompt="a hat").status == 504
    assert len(world.markers()) == 2


def test_a_refused_call_that_repeats_is_no_repetition_of_an_answered_one(world: World) -> None:
    later(world)
    first = cat(world)
    app = world.app("crowded")
    with ExitStack() as waiting:
        for number in range(WAITING[1]):
            waiting.enter_context(app.instance.waiting.place(f"caller {number}"))
        refused = generate(app, model=MODEL, prompt="a cat")
        assert (refused.status, refused.error["code"]) == (429, "too_many_waiting")
    assert world.markers() == []
    later(world)
    assert cat(world, **AGAIN).job != first.job


def test_a_job_that_failed_is_not_repeated(world: World) -> None:
    world.policy = replace(world.policy, attempts={"few": 1, "after_backoff": 1})
    world.studio.script.append(
        accept_with(status="FAILED", code="DataInspectionFailed", message="no cats")
    )
    later(world)
    reply = cat(world)
    assert (reply.status, reply.error["code"]) == (400, "DataInspectionFailed")
    assert "no cats" in reply.error["message"]
    assert reply.headers["x-should-retry"] == "false"


def test_a_store_that_fails_while_a_call_waits_keeps_the_job(world: World) -> None:
    app = world.app("api")
    world.timeline.after(5.0, lambda: setattr(app.store, "read", _broken))
    body = json.dumps({"model": MODEL, "prompt": "a cat"}).encode()
    headers = BEARER | FIRST | {"Content-Type": "application/json"}
    environ, begun = Request("POST", GENERATIONS, headers, body).environ(), world.timeline.now
    b"".join(create_app(app)(environ, lambda *_: None))
    assert world.timeline.now - begun < 20, "it was answered with the failure"
    (job,) = world.markers()
    later(world)
    assert cat(world).job == job


@pytest.mark.parametrize(("again", "seconds"), [(AGAIN, 0.0), ({}, 10.0)])
def test_a_store_that_fails_while_a_call_is_taken_up_keeps_the_job(
    world: World, again: dict[str, str], seconds: float
) -> None:
    """What was taken up, by a call that could not be written down, is left for the next one."""
    assert cat(world).status == 504
    (job,) = world.markers()
    app = world.app("away")
    create = app.store.create

    def fails_then(key: str, body: bytes) -> object:
        made = create(key, body)
        if key.endswith("~taken"):
            app.store.create = _broken  # type: ignore[method-assign,assignment]
        return made

    app.store.create = fails_then  # type: ignore[method-assign,assignment]
    refused = generate(app, again, model=MODEL, prompt="a cat")
    assert refused.status == 503
    world.timeline.wait(seconds)
    later(world)
    assert cat(world, **again).job == job
    assert len(world.studio.posts) == 1


def _broken(*_: object, **__: object) -> None:
    from shared.storage.objects import StoreError

    raise StoreError("the store is away")


@pytest.mark.parametrize("headers", [{"Idempotency_Key": "one"}, AGAIN])
def test_a_request_whose_job_was_erased_is_an_error_that_says_so(
    world: World, headers: dict[str, str]
) -> None:
    later(world)
    first = cat(world, **headers)
    world.app("person").erasure.erase(first.job)
    again = cat(world, **headers)
    assert (again.status, again.error["code"]) == (410, "job_erased")
    assert first.job in again.error["message"]
    assert "another Idempotency-Key" in again.error["message"]
    assert again.headers["x-should-retry"] == "false"
    later(world)
    assert cat(world, Idempotency_Key="another").urls
    assert len(world.studio.posts) == 2
