"""A job as server-sent events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.api.jobs_api import create_app
from shared.platform.concurrency import Places
from shared.storage.objects import StoreError
from tests.kit.http import PREFIX, TOKENS, Reply, ask, token
from tests.kit.world import World, run, store_of
from tests.simulation.wsgi import Request


@pytest.fixture()
def world() -> World:
    return World()


def stream(to: Any, seen: str = "", job: str = "cat") -> Reply:
    return ask(to, "GET", f"/jobs/{job}/stream", given=token("read"), Last_Event_ID=seen)


def events(reply: Reply) -> list[tuple[str, dict[str, Any]]]:
    """Ids and jobs; what a client makes of a stream."""
    found = []
    for block in reply.text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if "data" in fields:
            assert fields["event"] == "job"
            found.append((fields["id"], json.loads(fields["data"])))
    return found


def test_a_job_is_told_until_it_is_over(world: World) -> None:
    world.queued("cat")
    app, begun = world.app("http", tokens=TOKENS), world.timeline.now

    def cancel(_call: object) -> None:
        if world.timeline.now > begun + 20:
            store_of(app).before.clear()
            world.app().cancellation.cancel("cat")

    store_of(app).before.append(cancel)
    reply = stream(app)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert [job["state"] for _, job in events(reply)] == ["QUEUED", "CANCELED"]
    assert events(reply)[-1][1] == ask(world, "GET", "/jobs/cat").json
    assert 20 <= world.timeline.now - begun < 24
    assert ": nothing new" in reply.text


def test_a_stream_is_bounded_and_the_next_one_goes_on_from_there(world: World) -> None:
    world.queued("cat")
    begun = world.timeline.now
    ((seen, _),) = events(stream(world))
    assert 100 <= world.timeline.now - begun < 102
    begun = world.timeline.now
    assert events(stream(world, seen)) == []
    assert world.timeline.now - begun >= 100
    run(world)
    ((last, job),) = events(stream(world, seen))
    assert job["state"] == "SUCCEEDED"
    over = stream(world, last)
    assert (over.status, over.raw) == (204, b""), (
        "a client that has seen the end need not ask again"
    )


def test_an_open_stream_holds_a_place_until_its_client_has_gone(world: World) -> None:
    world.queued("cat")
    app = world.app("http", tokens=TOKENS)
    app.instance.waiting = Places(1, 1)
    headers = {"Authorization": f"Bearer {token('read')}"}
    request = Request("GET", "/jobs/cat/stream", headers, b"")
    body = create_app(app)(request.environ(), lambda *_: None)
    assert next(iter(body)) == b"retry: 2000\n\n"
    refused = stream(app)
    assert (refused.status, refused.headers["retry-after"]) == (429, "5")
    body.close()  # type: ignore[attr-defined]
    assert stream(app).status == 200


def test_a_stream_that_never_began_gives_its_place_back(world: World) -> None:
    world.queued("cat")
    app = world.app("http", tokens=TOKENS)
    app.instance.waiting = Places(1, 1)
    headers = {"Authorization": f"Bearer {token('read')}"}
    request = Request("GET", "/jobs/cat/stream", headers, b"")
    create_app(app)(request.environ(), lambda *_: None).close()  # type: ignore[attr-defined]
    assert app.instance.waiting.held == 0


def test_a_bucket_that_does_not_answer_ends_the_stream(world: World) -> None:
    world.queued("cat")
    app = world.app("http", tokens=TOKENS)
    begun = world.timeline.now

    def fail(_call: object) -> None:
        if world.timeline.now > begun + 5:
            raise StoreError("no answer")

    store_of(app).before.append(fail)
    assert len(events(stream(app))) == 1
    assert world.timeline.now < begun + 60
    assert app.instance.waiting.held == 0


def test_nobody_streams_a_job_of_others(world: World) -> None:
    world.queued("team-b-cat")
    path = "/jobs/team-b-cat/stream"
    assert ask(world, "GET", path, given=token("read", PREFIX)).status == 404
    assert stream(world, job="nobody").status == 404
