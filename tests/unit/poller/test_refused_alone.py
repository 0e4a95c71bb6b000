"""A job that the service, or what lies before it, always refuses holds up nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from shared.catalogue.errors import load_errors
from shared.ledger.breaker import KEY
from shared.ledger.wakeups import RESUMED
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from tests.kit.studio import accept_with
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
    assert 6 <= len(refused) <= 16
    told = world.manifest("odd")["error"]
    assert (told["code"], told["retryable"]) == ("RefusedAlone", False)
    assert str(error.http) in told["message"]


def test_what_may_pass_is_tried_again_and_holds_up_nobody(world: World) -> None:
    refused = refuse(world, BUSY, "odd")
    world.queued("odd", prompt="odd one")
    a_while(world, 30, more=30)
    assert succeeded(world) == 60
    assert world.state("odd") == "QUEUED"
    assert len(refused) < 60, "and it is tried less and less often"


def test_a_job_that_waited_for_a_day_is_not_ended_by_a_refusal_or_two(world: World) -> None:
    refused = refuse(world, BUSY, "odd")
    world.queued("odd", prompt="odd one")
    a_while(world, 1)
    world.timeline.wait(24 * 3600.0)
    a_while(world, 3, more=3)
    assert len(refused) > 3
    assert world.state("odd") == "QUEUED"


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


def behind(world: World, odd: list[str], good: int, most: int) -> int:
    """Minutes until all good jobs, which wait behind the odd ones, have succeeded."""
    for name in odd:
        world.queued(name, prompt=f"{name} one")
    for number in range(good):
        world.queued(f"good-{number}")
    began = world.timeline.now
    while sum(world.state(f"good-{number}") == "SUCCEEDED" for number in range(good)) < good:
        a_while(world, 5)
        assert world.timeline.now - began < most * 60, world.state("good-0")
    return int((world.timeline.now - began) / 60)


THROTTLED = ServiceError("Throttling.RateQuota", "later", 429)
WRONG_URL = ServiceError("InvalidParameter", "url error, please check url", 400)


USED_UP = ServiceError("AllocationQuota.FreeTierOnly", "used up", 403)


@pytest.mark.parametrize("odd", [1, 3, 12])
@pytest.mark.parametrize(
    "error", [FIREWALL, DENIED, BUSY, THROTTLED, WRONG_URL], ids=lambda error: error.code
)
def test_refused_jobs_at_the_head_of_a_queue_let_the_others_pass(
    world: World, error: ServiceError, odd: int
) -> None:
    refuse(world, error, "odd")
    minutes = behind(world, [f"odd-{number}" for number in range(odd)], good=5, most=30 * odd)
    assert minutes <= 20 * odd


def test_a_job_whose_refusals_differ_ends_too(world: World) -> None:
    refused: list[float] = []
    accept, kinds = world.studio.accept, [DENIED, UNKNOWN]

    def alternate(body: dict[str, dict[str, str]]) -> SimTask:
        if "odd" in body["input"]["prompt"]:
            refused.append(world.timeline.now)
            raise kinds[len(refused) % 2]
        return accept(body)

    world.studio.accept = alternate  # type: ignore[method-assign,assignment]
    world.queued("odd", prompt="odd one")
    a_while(world, 60, more=60)
    assert world.manifest("odd")["error"]["code"] == "RefusedAlone"


def test_a_model_that_alone_is_refused_ends_no_job_although_another_works(world: World) -> None:
    """A proxy knows one path and not the other: an answer without a code seems to be the key's."""
    accept = world.studio.accept

    def refuse_one_model(body: Any) -> SimTask:
        if body["model"] == MODEL:
            raise FIREWALL
        return accept(body)

    world.studio.accept = refuse_one_model  # type: ignore[method-assign]
    a_while(world, 90, more=30)
    states = {world.state(f"{MODEL}-{number}") for number in range(30)}
    assert states == {"QUEUED"}
    assert {world.state(f"{OTHER}-{number}") for number in range(30)} == {"SUCCEEDED"}
    world.studio.accept = accept  # type: ignore[method-assign]
    a_while(world, 30)
    assert succeeded(world) == 60


@pytest.mark.parametrize("error", [FIREWALL, DENIED, WRONG_URL], ids=lambda error: error.code)
def test_after_a_person_has_acted_resuming_lets_the_job_go(
    world: World, error: ServiceError
) -> None:
    accept = world.studio.accept
    refused = refuse(world, error)
    world.queued("cat")
    while len(refused) < 3:
        a_while(world, 1)
    world.studio.accept = accept  # type: ignore[method-assign]
    for name in (MODEL, KEY):
        world.app("person").ledger.breakers.resume(name)
    world.app("person").ledger.wake.because(RESUMED)
    a_while(world, 1)
    assert world.state("cat") == "SUCCEEDED"


def test_a_refused_job_that_is_more_urgent_lets_the_others_pass_as_well(world: World) -> None:
    for error in (DENIED, FIREWALL, WRONG_URL):
        world = World(errors=load_errors())
        refuse(world, error, "odd")
        world.queued("odd", prompt="odd one", priority=1)
        assert behind(world, [], good=5, most=60) <= 20, error.code


def test_a_quota_that_is_refused_to_one_job_alone_lets_the_others_pass(world: World) -> None:
    """It never is; but whoever finds out must not be the same job each time."""
    refuse(world, USED_UP, "odd")
    assert behind(world, ["odd"], good=3, most=120) <= 60


def test_where_tasks_fail_for_the_accounts_sake_the_breaker_opens(world: World) -> None:
    """Each is accepted before it fails."""
    for number in range(30):
        world.queued(f"cat-{number:02}")
    world.studio.script += [accept_with("FAILED", code="AccessDenied", message="no")] * 999
    a_while(world, 120)
    assert len(world.studio.posts) <= 40


def test_jobs_whose_tasks_failed_before_open_the_breaker_like_others(world: World) -> None:
    world.studio.script += [accept_with("FAILED", code="InternalError", message="no")] * 20
    for number in range(20):
        world.queued(f"cat-{number:02}")
    while world.studio.script:
        a_while(world, 1)
    refused = refuse(world, DENIED)
    a_while(world, 120)
    assert 10 <= len(refused) <= 40


def test_a_burst_of_throttling_ends_no_old_job(world: World) -> None:
    accept, turns = world.studio.accept, list[int]()
    for number in range(20):
        world.queued(f"cat-{number:02}")
    world.timeline.wait(24 * 3600.0)
    refuse(world, THROTTLED)
    a_while(world, 7)

    def every_second(body: Any) -> SimTask:
        turns.append(1)
        if len(turns) % 2:
            raise THROTTLED
        return accept(body)

    world.studio.accept = every_second  # type: ignore[method-assign]
    a_while(world, 90)
    assert {world.state(f"cat-{number:02}") for number in range(20)} == {"SUCCEEDED"}


def test_a_throttled_model_and_a_job_refused_once_do_not_open_the_breaker(world: World) -> None:
    for number in range(3):
        world.queued(f"cat-{number}", prompt="odd one" if number == 0 else "cat")
    accept, answers = world.studio.accept, [THROTTLED, THROTTLED]

    def first_throttled(body: Any) -> SimTask:
        if answers:
            raise answers.pop()
        if "odd" in body["input"]["prompt"]:
            raise DENIED
        return accept(body)

    world.studio.accept = first_throttled  # type: ignore[method-assign]
    a_while(world, 2)
    assert [world.state(f"cat-{number}") for number in (1, 2)] == ["SUCCEEDED"] * 2


def after_each_pause(world: World, hours: float) -> None:
    """Each poller is a new one and begins when the pause is over, as the call it armed begins it;
    for so long, or until the good job has succeeded."""
    end = world.timeline.now + hours * 3600.0
    while world.timeline.now < end and world.state("good") != "SUCCEEDED":
        run(world, 50.0)
        world.timeline.wait(world.app("look").ledger.breakers.paused_for(MODEL) + 0.5)


@pytest.mark.parametrize("error", [FIREWALL, DENIED, WRONG_URL], ids=lambda error: error.code)
def test_pollers_that_begin_after_a_pause_try_another_job(error: ServiceError) -> None:
    world = World(errors=load_errors())
    refuse(world, error, "odd")
    world.queued("odd", prompt="odd one")
    run(world, 50.0)
    world.queued("good")
    after_each_pause(world, 2)
    assert world.state("good") == "SUCCEEDED"


@pytest.mark.parametrize("odd", [60, 150])
def test_more_refused_jobs_than_a_look_shows_let_the_others_pass(world: World, odd: int) -> None:
    world.bucket.most_calls = 200_000
    refuse(world, DENIED, "odd")
    for number in range(odd):
        world.queued(f"odd-{number:03}", prompt="odd one")
    world.queued("good")
    after_each_pause(world, odd / 4)
    assert world.state("good") == "SUCCEEDED"


def test_what_was_refused_while_all_were_is_not_counted_against_a_job(world: World) -> None:
    """The account is denied again and again, and each time takes one job before it is again."""
    accept, leave = world.studio.accept, [0]

    def take_some(body: Any) -> SimTask:
        if not leave[0]:
            raise DENIED
        leave[0] -= 1
        return accept(body)

    world.studio.accept = take_some  # type: ignore[method-assign]
    world.queued("old")
    for number, minutes in enumerate((1, 40, 15)):
        a_while(world, minutes)
        world.queued(f"good-{number}")
        leave[0] = 1
        while leave[0]:
            a_while(world, 1)
    assert [world.state(f"good-{number}") for number in range(3)] == ["SUCCEEDED"] * 3
    leave[0] = 1
    a_while(world, 15)
    assert world.state("old") == "SUCCEEDED"
