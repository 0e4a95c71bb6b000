"""A job that the service, or what lies before it, always refuses holds up nobody else."""

from __future__ import annotations

import pytest

from shared.catalogue.errors import load_errors
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from tests.kit.world import MODEL, OTHER, World, run
from tests.simulation.studio import SimTask
from tests.unit.poller.calling import poll, synchronous

GOOD = {"cat-1": MODEL, "cat-2": MODEL, "dog-1": OTHER, "dog-2": OTHER}
FIREWALL = ServiceError("Unreadable", "The service answered HTTP 405 without a code.", 405)
DENIED = ServiceError("AccessDenied", "no", 403)
UNKNOWN = ServiceError("NeverHeardOf", "where?", 404)
BUSY = ServiceError("ModelUnavailable", "later", 400)


def refuse(world: World, error: ServiceError, prompt: str = "") -> list[float]:
    """Refuse every job with this prompt; returns when that was."""
    refused: list[float] = []
    accept = world.studio.accept

    def accept_others(body: dict[str, dict[str, str]]) -> SimTask:
        if prompt in body["input"]["prompt"]:
            refused.append(world.timeline.now)
            raise error
        return accept(body)

    world.studio.accept = accept_others  # type: ignore[method-assign,assignment]
    return refused


def a_while(world: World, minutes: int, *, more: int = 0) -> None:
    """A poller runs each minute, as the timer starts it. For the first `more` minutes a job of each
    model comes in."""
    for minute in range(minutes):
        end = world.timeline.now + 60.0
        for name in (MODEL, OTHER) if minute < more else ():
            world.queued(f"{name}-{minute}", name)
        if world.models[0].mode == "sync":
            poll(world, 50.0)
        else:
            run(world, 50.0)
        world.timeline.wait(max(0.0, end - world.timeline.now))


def succeeded(world: World) -> int:
    """How many jobs beside the odd one have."""
    jobs = {key.split("/")[2] for key in world.bucket.keys(layout.RECORDS)} - {"odd"}
    return sum(world.state(job) == "SUCCEEDED" for job in jobs)


@pytest.mark.parametrize("mode", ["async", "sync"])
@pytest.mark.parametrize("error", [FIREWALL, DENIED, UNKNOWN], ids=lambda error: error.code)
def test_a_job_that_alone_is_refused_ends_and_the_others_go_on(
    error: ServiceError, mode: str
) -> None:
    world = synchronous() if mode == "sync" else World()
    world.errors = load_errors()
    refused = refuse(world, error, "odd")
    world.queued("odd", prompt="odd one")
    a_while(world, 70, more=40)
    assert succeeded(world) == 80
    assert 2 <= len(refused) <= 3
    told = world.manifest("odd")["error"]
    assert (told["code"], told["retryable"]) == ("RefusedAlone", False)
    assert str(error.http) in told["message"]


def test_what_may_pass_is_tried_a_few_times_more_and_holds_up_nobody(world: World) -> None:
    refused = refuse(world, BUSY, "odd")
    world.queued("odd", prompt="odd one")
    a_while(world, 30, more=30)
    assert succeeded(world) == 60
    assert world.manifest("odd")["error"]["code"] == "RefusedAlone"
    assert len(refused) < 30, "and it is not tried for ever"


@pytest.fixture()
def world() -> World:
    return World(errors=load_errors())


@pytest.mark.parametrize("error", [FIREWALL, DENIED, BUSY], ids=lambda error: error.code)
def test_where_every_job_is_refused_each_waits_for_a_person(
    world: World, error: ServiceError
) -> None:
    accept = world.studio.accept
    refused = refuse(world, error)
    for job, name in GOOD.items():
        world.queued(job, name)
    a_while(world, 120)
    assert {world.state(job) for job in GOOD} == {"QUEUED"}
    assert len(refused) < 4 * 120, "a minute has a few refusals at most"
    world.studio.accept = accept  # type: ignore[method-assign]
    a_while(world, 30)
    assert {world.state(job) for job in GOOD} == {"SUCCEEDED"}


def test_a_network_that_breaks_now_and_then_is_no_jobs_fault(world: World) -> None:
    refused = refuse(world, ServiceError("Unreachable", "ConnectTimeout", 0), "odd")
    world.queued("odd", prompt="odd one")
    a_while(world, 20, more=20)
    assert world.state("odd") == "QUEUED"
    assert len(refused) > 10
