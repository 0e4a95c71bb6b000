"""What api shows of its runtime: names of headers, to administrators alone."""

from __future__ import annotations

import pytest

from shared.api.jobs_api import create_app
from shared.api.jobs_api.admin import MOST_NAMES
from shared.platform.web_function import WsgiApp, web_function
from tests.kit.http import TOKENS, Reply
from tests.kit.world import TOKEN, World
from tests.simulation.wsgi import Request, call


@pytest.fixture()
def world() -> World:
    return World()


def shown(world: World, **headers: str) -> Reply:
    """The answer of the web function as a whole."""

    def answering(_: object) -> WsgiApp:
        return create_app(world.app("http", tokens=TOKENS))

    sent = {"Authorization": f"Bearer {TOKEN}"} | headers
    return Reply(call(web_function(answering), Request("GET", "/runtime", sent, b"")))


def test_it_shows_the_names_of_the_platforms_headers_and_no_value(world: World) -> None:
    keys = {
        "x-fc-request-id": "r-1",
        "x-fc-access-key-id": "STS.one",
        "X-Fc-Security-Token": "kept",
    }
    reply = shown(world, **keys)
    assert reply.status == 200
    assert reply.json["headers"] == ["access-key-id", "request-id", "security-token"]
    assert not any(value in reply.text for value in keys.values())


def test_a_caller_who_sends_many_gets_a_bounded_answer(world: World) -> None:
    reply = shown(world, **{f"x-fc-{number:04d}": "1" for number in range(MOST_NAMES + 50)})
    assert len(reply.json["headers"]) == MOST_NAMES
