"""A request whose job is taken in while the store fails, or the instance dies: it is repeated, and
one job is paid for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from shared.app import App
from shared.jobs.transitions import OVERLAP
from shared.ledger.queue import KEPT, PROMISE
from shared.platform.clock import iso
from shared.storage import layout
from tests.kit.hooks import Call, Killed, at, at_every_request, die, fail, once
from tests.kit.http import ask
from tests.kit.world import MODEL, World, job_file, run, store_of

CAT: dict[str, Any] = json.loads(job_file("a cat"))
"""It names no id: the same request again is another job."""


def states(world: World) -> list[str]:
    """Those of all jobs, as the list shows them."""
    return [row["state"] for row in ask(world, "GET", "/jobs").json["jobs"]]


def jobs(world: World) -> set[str]:
    return {layout.parse_record(key)[0] for key in world.bucket.keys(layout.RECORDS)}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", [fail, die])
def test_a_request_that_failed_and_is_repeated_is_paid_once(
    when: str, action: Callable[[], None]
) -> None:
    def play(number: int) -> bool:
        world = World()
        first, met = world.app("first"), list[int]()

        def meet() -> None:
            met.append(number)
            action()

        getattr(store_of(first), when).append(at(number, meet))
        try:
            failed = ask(first, "POST", "/jobs", CAT).status == 503
        except Killed:  # its record may be there: nobody heard of it
            failed = not jobs(world)
        if failed:
            assert ask(world, "POST", "/jobs", CAT).status == 202
        run(world, 600)
        assert len(world.studio.posts) == 1, number
        assert {world.state(job) for job in jobs(world)} == {"SUCCEEDED"}, number
        assert world.markers() == []
        return bool(met)

    assert at_every_request(play) >= 3


@pytest.mark.parametrize("part", [layout.QUEUE, layout.RECORDS])
def test_while_the_store_fails_for_long_nothing_is_left_that_is_paid_later(part: str) -> None:
    world = World()
    first = world.app("first")

    def refuse(call: Call) -> None:
        if call.kind in ("put", "create") and call.key.startswith(part):
            fail()

    store_of(first).before.append(refuse)
    assert ask(first, "POST", "/jobs", CAT).status == 503
    assert states(world) == []
    assert ask(world, "POST", "/jobs", CAT).status == 202
    run(world, 600)
    world.app("person").rebuild.run()
    run(world, 600)
    assert len(world.studio.posts) == 1
    assert states(world) == ["SUCCEEDED"]


def runs_although(world: World, between: Callable[[], object]) -> None:
    """A job succeeds although this is done between its marker and its record."""
    api = world.app("api")
    store_of(api).before.append(once("create", layout.RECORDS, between))
    assert ask(api, "POST", "/jobs", CAT).status == 202
    run(world, 600)
    assert states(world) == ["SUCCEEDED"]


def test_a_poller_that_meets_a_marker_before_its_record_leaves_it() -> None:
    """The other way round the job would wait for ever."""
    world = World()
    runs_although(world, partial(run, world, 10))


def test_a_rebuild_leaves_a_marker_whose_record_may_come() -> None:
    world = World()
    runs_although(world, world.app("person").rebuild.run)


def test_a_record_that_comes_very_late_gets_its_marker_again() -> None:
    """The computer of a person was asleep."""
    world = World()

    def sleep() -> None:
        world.timeline.wait(KEPT + 1)
        run(world, 10)
        assert world.markers() == []

    runs_although(world, sleep)


def test_a_marker_without_a_record_goes_in_the_end_and_holds_up_nobody() -> None:
    world = World()
    first = world.app("first")
    store_of(first).before.append(once("create", layout.RECORDS, die))
    with pytest.raises(Killed):
        ask(first, "POST", "/jobs", CAT)
    (marker,) = world.markers()
    (key,) = world.bucket.keys(layout.QUEUE)
    assert world.bucket.peek(key) == PROMISE
    assert ask(world, "POST", "/jobs", CAT).status == 202
    run(world, 60)
    assert states(world) == ["SUCCEEDED"]
    assert world.markers() == [marker]
    run(world, KEPT + 60)
    assert world.markers() == []


def test_a_job_that_is_there_already_keeps_its_own_marker_alone() -> None:
    world = World()
    named = {**CAT, "job": {"id": "cat"}}
    assert ask(world, "POST", "/jobs", named).status == 202
    (marker,) = world.markers()
    other = {**named, "input": {**CAT["input"], "prompt": "a dog"}}
    for _ in range(2):  # in the same millisecond, and later
        assert ask(world, "POST", "/jobs", other).status == 422
        assert world.markers() == [marker]
        assert ask(world, "POST", "/jobs", named).status == 202
        assert world.markers() == [marker]
        world.timeline.wait(3)


def test_a_job_costs_as_many_requests_over_http_as_from_a_file() -> None:
    def writes(world: World) -> list[str]:
        return [call.kind for call in world.bucket.calls if call.kind in ("create", "put")]

    over_http, from_file = World(), World()
    assert ask(over_http, "POST", "/jobs", CAT).status == 202
    from_file.queued("cat")
    assert writes(over_http).count("create") == writes(from_file).count("create") == 3


def test_markers_that_lost_requests_left_hold_up_nobody() -> None:
    """Before the record, or of requests that came again: the store's answers were lost for long."""
    world, named = World(), {**CAT, "job": {"id": "cat"}}
    for number in range(20):
        failing = world.app(f"failing-{number}")
        store_of(failing).before.append(once("create", layout.RECORDS, die))
        with pytest.raises(Killed):
            ask(failing, "POST", "/jobs", CAT if number % 2 else named)
        world.timeline.wait(0.01)
    assert ask(world, "POST", "/jobs", named).status == 202
    world.queued("dog")
    assert len(world.markers()) == 22
    run(world, 60)
    assert states(world) == ["SUCCEEDED"] * 2
    assert len(world.markers()) == 10, "of these a record may still come"


def test_jobs_that_have_to_wait_hold_up_nobody() -> None:
    world = World()
    for number in range(12):
        world.queued(f"cat-{number:02}")
    app = world.app()
    for number in range(12):
        record = app.ledger.records.last(f"cat-{number:02}")
        assert record is not None
        later = replace(record.following("QUEUED"), not_before=iso(world.timeline.now + 3000))
        assert app.ledger.records.append(later)
    world.queued("dog")
    run(world, 60)
    assert world.state("dog") == "SUCCEEDED"


def deployed(world: World, *codes: str) -> App:
    """A front of the code that was deployed last."""
    for code in codes:
        front = world.app(f"front-{code}")
        front.code = code * 64
        front.say_code()
    return front


def test_right_after_a_deployment_a_marker_that_old_code_removed_is_made_again() -> None:
    """What runs already takes a marker without a record for a stale one."""
    world = World()
    api = deployed(world, "1", "2")

    def look_of_old_code() -> None:
        for marker in world.bucket.keys(f"{layout.QUEUE}{MODEL}"):
            world.bucket.remove(marker)

    store_of(api).before.append(once("create", layout.RECORDS, look_of_old_code))
    assert ask(api, "POST", "/jobs", CAT).status == 202
    run(world, 600)
    assert states(world) == ["SUCCEEDED"]


@pytest.mark.parametrize("wait", [0.0, OVERLAP])
def test_right_after_a_deployment_a_request_that_failed_is_paid_once(wait: float) -> None:
    world = World()
    api, met = deployed(world, "1"), list[Call]()
    world.timeline.wait(wait)

    def refuse(call: Call) -> None:
        if call.kind == "create" and call.key.startswith(f"{layout.QUEUE}{MODEL}"):
            met.append(call)
            if len(met) > 1:
                fail()

    store_of(api).before.append(refuse)
    assert ask(api, "POST", "/jobs", CAT).status == 202
    assert (len(met) > 1) == (wait == 0.0), "the marker is made again right after a deployment"
    run(world, 600)
    assert states(world) == ["SUCCEEDED"]


def test_a_rejected_job_that_comes_again_keeps_its_marker_until_its_record_is_there() -> None:
    """What removes it could be late, and remove it after the record."""
    world, named = World(), {**CAT, "job": {"id": "cat"}}
    world.app("submit").store.put("jobs/cat.yaml", job_file(id="cat", priority=77))
    world.app("submit").acceptance.job_file("jobs/cat.yaml")
    assert world.state("cat") == "REJECTED"
    api = world.app("api")

    def look() -> None:
        run(world, 10)
        assert len(world.markers()) == 1

    store_of(api).before.append(once("create", f"{layout.RECORDS}cat/000002", look))
    assert ask(api, "POST", "/jobs", named).status == 202
    run(world, 600)
    assert world.state("cat") == "SUCCEEDED"
