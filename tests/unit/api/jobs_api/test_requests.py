"""Requests in the many ways that HTTP lets clients write them."""

from __future__ import annotations

import pytest

from shared.api.jobs_api import create_app
from shared.api.jobs_api.carried import SMALL_BODY
from shared.app import App
from shared.platform.concurrency import Room
from tests.kit.http import Reply, ask
from tests.kit.world import TOKEN, World
from tests.simulation.wsgi import Request, call


@pytest.fixture()
def world() -> World:
    return World()


def send(world: World, target: str, **headers: str) -> Reply:
    return ask(world, "GET", target, b"", TOKEN, **headers)


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
def test_header_names_may_be_written_in_any_way(world: World, name: str) -> None:
    request = Request("GET", "/jobs", {name: f"Bearer {TOKEN}"})
    assert call(create_app(world.app()), request).status == 200


def test_several_tags_in_one_header(world: World) -> None:
    world.queued("cat")
    tag = send(world, "/jobs/cat").headers["etag"]
    assert send(world, "/jobs/cat", If_None_Match=f'W/"old", {tag}').status == 304


def test_a_parameter_may_come_twice_and_a_value_hold_a_comma(world: World) -> None:
    world.queued("both", labels={"a": "1,5", "b": "2"})
    world.queued("one", labels={"a": "1,5"})
    world.queued("joined", labels={"a": "1,5,b:2"})
    answer = send(world, "/jobs?label=a:1,5&label=b:2")
    assert [job["job"] for job in answer.json["jobs"]] == ["both"]


def test_encoded_paths_are_decoded_once(world: World) -> None:
    world.queued("cat")
    assert send(world, "/jobs/c%61t").json["job"] == "cat"
    assert send(world, "/jobs/c%2561t").status == 404
    assert send(world, "/jobs%2Fcat").status == 200


def test_a_trailing_slash_is_the_same_endpoint(world: World) -> None:
    assert send(world, "/jobs/").status == 200


def test_an_answer_without_a_body(world: World) -> None:
    world.queued("cat")
    tag = send(world, "/jobs/cat").headers["etag"]
    reply = send(world, "/jobs/cat", If_None_Match=tag)
    assert (reply.status, reply.raw) == (304, b"")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/invoke", "/initialize", "/pre-stop", "/pre-freeze"])
def test_the_platforms_own_paths_are_unknown_like_any_other(
    world: World, method: str, path: str
) -> None:
    asked, other = ask(world, method, path), ask(world, method, "/nobody-knows-this")
    assert asked.status == 404
    assert asked.json == other.json | ({"instance": path} if "instance" in other.json else {})
    assert ask(world, method, path, given="").status == 401


LARGE = b" " * (SMALL_BODY + 1)


def full(world: World) -> App:
    """An instance whose room for bodies is taken, and that does not wait for it."""
    app = world.app("full")
    app.instance.bodies = Room(SMALL_BODY, patience=0.0)
    assert app.instance.bodies.take(1)
    return app


def test_large_bodies_wait_for_room_and_small_ones_do_not(world: World) -> None:
    app = full(world)
    busy = ask(app, "POST", "/jobs", LARGE)
    assert (busy.status, busy.json["title"], busy.headers["retry-after"]) == (503, "Busy", "5")
    wire = ask(app, "POST", "/api/v1/services/aigc/image2image/image-synthesis", LARGE)
    assert (wire.status, wire.json["code"]) == (503, "ServiceUnavailable")
    assert ask(app, "POST", "/jobs", b"{}").status == 422
    assert ask(app, "POST", "/jobs", LARGE, given="wrong").status == 401
    app.instance.bodies.give(1)
    assert ask(app, "POST", "/jobs", LARGE).status == 422


def test_a_body_gives_its_room_back_whatever_becomes_of_it(world: World) -> None:
    app = world.app()
    app.instance.bodies = room = Room(SMALL_BODY, patience=0.0)
    for path in ("/jobs", "/uploads", "/nothing", "/jobs?unknown=1"):
        assert ask(app, "POST", path, LARGE).status in (400, 404, 413, 422)
        assert room.take(SMALL_BODY)
        room.give(SMALL_BODY)
