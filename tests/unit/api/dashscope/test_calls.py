"""Synchronous calls wait in the queue, and are answered as the path's own models answer."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from shared.api.jobs_api import create_app
from shared.instance import WAITING
from tests.kit.dashscope import (
    BEARER,
    BODY,
    CREATE,
    JSON,
    Reply,
    changed,
    create,
    created,
    poll,
    query,
    send,
)
from tests.kit.studio import accept_with
from tests.kit.world import TOKEN, World, model
from tests.simulation.studio import result_url
from tests.simulation.wsgi import Request


def png(colour: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (300, 300), colour).save(made, "PNG")
    return made.getvalue()


CALL = "/api/v1/services/aigc/multimodal-generation/generation"
TASK = "/api/v1/services/aigc/image-generation/generation"
CHOICES = "/output/choices/*/message/content/*/image"
SYNC = {"X_DashScope_Async": ""}


@pytest.fixture()
def world() -> World:
    """One model of each sort of path."""
    made = World()
    at = CALL.removeprefix("/api/v1")
    talking = replace(model("talking"), endpoint=at, mode="sync", results_at=CHOICES)
    made.models = (model(), talking)
    return made


def call(world: World, body: Any = None, path: str = CALL, **headers: str) -> Reply:
    return create(world, body, path, **SYNC | headers)


def later(world: World, action: Callable[[], object] | None = None, seconds: float = 3.0) -> None:
    """Let the poller run while a call waits, or let something else happen."""
    world.timeline.after(seconds, action or (lambda: poll(world, 30.0)))


def images_of(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    (choice,) = reply.body["output"]["choices"]
    return [item["image"] for item in choice["message"]["content"]]


def test_a_call_is_answered_with_links_to_our_own_images(world: World) -> None:
    later(world)
    reply = call(world, changed(parameters__n=2))
    job = reply.headers["location"].rsplit("/", 1)[1]
    assert images_of(reply) == [
        f"https://bucket.invalid/results/{job}/image-{number}.png?expires=604800"
        for number in (1, 2)
    ]
    assert set(reply.body) == {"output", "usage", "request_id"}
    assert reply.body["usage"] == {"image_count": 2}
    assert query(world, job)["output"]["results"][0]["url"] == images_of(reply)[0]


def test_a_path_answers_in_one_way_alone(world: World) -> None:
    wrong = create(world, path=CALL)
    assert wrong.refusal == (403, "AccessDenied")
    assert wrong.body["message"] == "current user api does not support asynchronous calls."
    for path in (CREATE, TASK):
        assert call(world, path=path).refusal == (403, "AccessDenied")
    assert create(world, path=TASK).body["output"]["task_status"] == "PENDING"
    assert len(world.markers()) == 1


def test_a_call_that_waits_too_long_names_its_job_which_goes_on(world: World) -> None:
    begun = world.timeline.now
    reply = call(world)
    assert 100 <= world.timeline.now - begun < 120, "the function's own time-out is 120 s"
    (job,) = world.markers()
    assert reply.refusal == (408, "RequestTimeOut")
    assert f"/jobs/{job}?wait=30" in reply.body["message"]
    assert f"/api/v1/tasks/{job}" in reply.body["message"]
    poll(world)
    assert send(world, "GET", f"/jobs/{job}").body["state"] == "SUCCEEDED"


@pytest.mark.parametrize(("asked", "waits"), [("3", 3), ("0", 0), ("5000", 100), ("soon", 100)])
def test_a_caller_says_how_long_it_waits(world: World, asked: str, waits: int) -> None:
    begun = world.timeline.now
    assert call(world, X_DashScope_Wait_Timeout=asked).status == 408
    assert waits <= world.timeline.now - begun < waits + 3


def test_the_same_key_is_the_same_job(world: World) -> None:
    key = {"Idempotency_Key": "once", "X_DashScope_Wait_Timeout": "3"}
    assert call(world, **key).status == 408
    later(world, seconds=1.0)
    again = call(world, **key | {"X_DashScope_Wait_Timeout": "50"})
    assert len(images_of(again)) == 1
    assert images_of(call(world, **key)) == images_of(again)
    assert len(world.studio.posts) == 1


def test_the_same_call_again_waits_for_the_job_that_it_left_behind(world: World) -> None:
    waits = {"X_DashScope_Wait_Timeout": "3"}
    for _ in range(3):
        assert call(world, **waits).refusal == (408, "RequestTimeOut")
    (job,) = world.markers()
    assert call(world, changed(input__prompt="a dog"), **waits).status == 408
    assert len(world.markers()) == 2, "another body is another job"
    poll(world)
    reply = call(world, **waits)
    assert reply.headers["location"].endswith(job)
    assert len(images_of(reply)) == 1
    assert call(world, **waits).status == 408, "what was fetched is over: this is a new job"
    assert len(world.markers()) == 1


def test_the_same_call_while_the_first_one_waits_gets_its_job_and_both_are_answered(
    world: World,
) -> None:
    """The SDK sends a call again whose connection broke, and does not say so; nor does everybody
    in between say that its caller has hung up."""
    others: list[Reply] = []
    for seconds in (1.0, 2.0):
        world.timeline.after(seconds, lambda: others.append(call(world)))
    later(world, seconds=4.0)
    first = call(world)
    assert [images_of(one) for one in others] == [images_of(first)] * 2
    assert len(world.studio.posts) == 1
    later(world)
    assert images_of(call(world)) != images_of(first), "all were answered: this is a new job"


def test_a_call_that_says_it_is_a_first_try_is_a_job_of_its_own(world: World) -> None:
    first = {"x_stainless_retry_count": "0"}
    other: list[Reply] = []
    world.timeline.after(1.0, lambda: other.append(call(world, **first)))
    later(world)
    assert images_of(call(world, **first)) != images_of(other[0])
    assert len(world.studio.posts) == 2


def test_tasks_that_are_asked_for_at_once_are_several(world: World) -> None:
    app = world.app("slow")
    made, make = [], app.acceptance.value

    def slowly(*given: Any) -> Any:
        made.append(create(world).body["output"]["task_id"])
        return make(*given)

    app.acceptance.value = slowly  # type: ignore[method-assign,assignment]
    reply = send(app, "POST", CREATE, json.dumps(BODY).encode(), BEARER | JSON)
    assert reply.body["output"]["task_id"] not in made
    assert len(world.markers()) == 2


def test_calls_that_were_left_behind_together_are_taken_up_one_by_one(world: World) -> None:
    waits = {"X_DashScope_Wait_Timeout": "30", "x_stainless_retry_count": "0"}
    first: list[Reply] = []
    later(world, lambda: first.append(call(world, **waits)))
    assert call(world, **waits).status == 408
    assert len(world.markers()) == 2
    poll(world)
    taken = {call(world, **waits).headers["location"] for _ in range(2)}
    assert len(taken) == 2
    assert len(world.studio.posts) == 2


def test_what_was_left_behind_long_ago_is_not_taken_up(world: World) -> None:
    waits = {"X_DashScope_Wait_Timeout": "3"}
    assert call(world, **waits).status == 408
    world.timeline.wait(2 * 3600)
    assert call(world, **waits).status == 408
    assert len(world.markers()) == 2


def test_another_token_s_job_is_not_taken_up(world: World) -> None:
    hashes = tuple(hashlib.sha256(token.encode()).hexdigest() for token in (TOKEN, "other"))
    for token in (TOKEN, "other"):
        app = world.app(token_hashes=hashes)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        headers["X-DashScope-Wait-Timeout"] = "3"
        assert send(app, "POST", CALL, json.dumps(changed()).encode(), headers).status == 408
    assert len(world.markers()) == 2


def uploaded(world: World, number: int, colour: str = "white") -> dict[str, Any]:
    """The request with a file that was uploaded for it, each time to another address."""
    key = f"uploads/11111111-2222-4333-8444-{number:012d}/base.png"
    world.bucket.write(key, png(colour=colour))
    return changed(input__base_image_url=f"oss://{key}")


@pytest.mark.parametrize("key", [{}, {"Idempotency_Key": "once"}])
def test_a_file_that_is_uploaded_again_is_the_same_file(world: World, key: dict[str, str]) -> None:
    more = {"X_DashScope_Wait_Timeout": "3", "X_DashScope_OssResourceResolve": "enable", **key}
    for number in range(3):
        assert call(world, uploaded(world, number), **more).refusal == (408, "RequestTimeOut")
    assert len(world.markers()) == 1
    other = call(world, uploaded(world, 4, "black"), **more)
    assert other.refusal == ((409, "InvalidParameter") if key else (408, "RequestTimeOut"))
    assert len(world.markers()) == (1 if key else 2)


def test_the_order_of_keys_makes_no_other_request(world: World) -> None:
    body = changed()
    turned = dict(reversed(body.items()))
    jobs = {
        create(world, one, Idempotency_Key="k").body["output"]["task_id"] for one in (body, turned)
    }
    assert len(jobs) == 1


def test_a_task_is_made_once_under_a_key(world: World) -> None:
    first, second = (create(world, Idempotency_Key="once").body for _ in range(2))
    assert first["output"] == second["output"]
    other = create(world, changed(input__prompt="a dog"), Idempotency_Key="once")
    assert other.refusal == (409, "InvalidParameter")
    elsewhere = create(world, path=TASK, Idempotency_Key="once")
    assert elsewhere.refusal == (409, "InvalidParameter")
    assert create(world, Idempotency_Key="x" * 256).refusal == (400, "InvalidParameter")
    assert len(world.markers()) == 1


def test_violations_are_the_answer_and_cost_nothing(world: World) -> None:
    begun = world.timeline.now
    reply = call(world, changed(parameters__n=5, parameters__size="10*10"))
    assert reply.refusal == (400, "InvalidParameter")
    assert "/parameters/n" in reply.body["message"]
    assert "/parameters/size" in reply.body["message"]
    assert world.timeline.now - begun < 1
    assert world.studio.posts == []


@pytest.mark.parametrize(
    ("code", "status"), [("DataInspectionFailed", 400), ("InternalError", 500)]
)
def test_a_job_that_failed_is_an_error_in_the_service_s_words(
    world: World, code: str, status: int
) -> None:
    world.policy = replace(world.policy, attempts={"few": 1, "after_backoff": 1})
    world.studio.script.append(accept_with(status="FAILED", code=code, message="no cats"))
    later(world)
    reply = call(world)
    assert reply.refusal == (status, code)
    assert reply.body["message"] == "no cats"
    assert reply.headers["x-should-retry"] == "false"


def test_a_job_that_somebody_cancels_ends_its_call(world: World) -> None:
    later(world, lambda: world.app().cancellation.cancel(world.markers()[0]))
    begun = world.timeline.now
    assert call(world).refusal == (400, "Canceled")
    assert world.timeline.now - begun < 10


def test_images_that_were_not_made_are_left_out_of_a_message(world: World) -> None:
    rows = [{"code": "DataInspectionFailed", "message": "no"}, {"url": result_url("t", 2)}]
    done = {"task_status": "SUCCEEDED", "results": rows}
    world.studio.script.append(accept_with(output=done, usage={"image_count": 1}))
    later(world)
    (image,) = images_of(call(world, changed(parameters__n=2)))
    assert "image-2.png" in image


def test_a_call_that_finds_no_place_to_wait_makes_no_job(world: World) -> None:
    app = world.app()
    with ExitStack() as waiting:
        for number in range(WAITING[1]):
            waiting.enter_context(app.instance.waiting.place(f"caller {number}"))
        reply = send(app, "POST", CALL, b"{}", BEARER)
    assert reply.refusal == (429, "Throttling.RateQuota")
    assert reply.headers["retry-after"]
    assert world.bucket.keys() == []


def test_streams_are_refused(world: World) -> None:
    reply = call(world, X_DashScope_SSE="enable")
    assert reply.refusal == (400, "InvalidParameter")
    assert "stream" in reply.body["message"]
    assert world.bucket.keys() == []


def test_large_bodies_give_their_room_back_before_they_wait(world: World) -> None:
    app, held = world.app(), list[bool]()
    app.instance.bodies._size = 100_000
    body = changed(input__negative_prompt="x" * 80_000)
    world.timeline.after(3.0, lambda: held.append(app.instance.bodies.take(90_000)))
    raw = json.dumps(body).encode()
    headers = BEARER | {"Content-Type": "application/json", "X-DashScope-Wait-Timeout": "6"}
    assert send(app, "POST", CALL, raw, headers).status == 408
    assert held == [True]


def cut(world: World, path: str, received: int, **headers: str) -> None:
    """A request whose connection breaks after so many pieces of its answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in (BEARER | JSON | named).items() if value}
    request = Request("POST", path, sent, json.dumps(BODY).encode())
    chunks = create_app(world.app("cut"))(request.environ(), lambda *_: None)
    parts = iter(chunks)
    for _ in range(received):
        next(parts)
    chunks.close()  # type: ignore[attr-defined]  # as a server does that cannot send


@pytest.mark.parametrize("received", [0, 1, 2])
def test_a_call_whose_answer_was_cut_gets_the_same_job_again(world: World, received: int) -> None:
    later(world)
    cut(world, CALL, received, **SYNC)
    assert len(images_of(call(world))) == 1
    assert len(world.studio.posts) == 1


@pytest.mark.parametrize("received", [0, 1, 2])
def test_a_task_whose_id_never_arrived_is_not_made_twice(world: World, received: int) -> None:
    cut(world, CREATE, received)
    (job,) = world.markers()
    assert create(world).body["output"]["task_id"] == job
    assert create(world).body["output"]["task_id"] != job, "what arrived is not repeated"


def test_a_call_whose_job_was_erased_is_an_error_that_says_so(world: World) -> None:
    later(world)
    first = call(world, Idempotency_Key="one")
    assert images_of(first)
    job = first.headers["location"].rsplit("/", 1)[1]
    world.app("person").erasure.erase(job)
    again = call(world, Idempotency_Key="one")
    assert again.refusal == (410, "JobErased")
    assert job in again.body["message"]
    assert "another Idempotency-Key" in again.body["message"]


def test_a_task_whose_job_was_erased_is_an_error_and_unknown(world: World) -> None:
    task = created(world, Idempotency_Key="one")
    poll(world)
    world.app("person").erasure.erase(task)
    assert create(world, Idempotency_Key="one").refusal == (410, "JobErased")
    output = query(world, task)["output"]
    assert (output["task_status"], output["code"]) == ("UNKNOWN", "JobErased")
