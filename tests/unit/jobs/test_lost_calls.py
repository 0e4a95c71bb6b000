"""What a person decides about a job whose call was lost: once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.backends.bucket import BucketBackend
from cli.trouble import Refused
from shared.jobs.lost_calls import NotLost
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import fail, once
from tests.kit.http import PREFIX, ask, failed, token
from tests.kit.lost import lost
from tests.kit.world import World, run, store_of

Decide = Callable[[World, str, str], tuple[str, bool | None]]


@pytest.fixture()
def world() -> World:
    made = World()
    lost(made, "cat")
    return made


def over_http(world: World, job: str, decision: str) -> tuple[str, bool | None]:
    reply = ask(world, "POST", f"/jobs/{job}/lost-call/{decision}")
    assert reply.status in (200, 202), reply.text
    return str(reply.json["job"]), reply.status == 202 if decision == "retry" else None


def over_the_bucket(world: World, job: str, decision: str) -> tuple[str, bool | None]:
    made = BucketBackend(world.app("cli")).decide(job, decision)
    return made.job, made.new


FRONTS = pytest.mark.parametrize("decide", [over_http, over_the_bucket])


def code_of(world: World, job: str) -> str:
    return str(world.manifest(job)["error"]["code"])


@FRONTS
def test_it_is_run_again_once_and_is_over(world: World, decide: Decide) -> None:
    assert decide(world, "cat", "retry") == ("cat-retry-1", True)
    assert (world.state("cat"), code_of(world, "cat")) == ("FAILED", "CallGivenUp")
    assert "run again as cat-retry-1" in world.manifest("cat")["error"]["message"]
    assert decide(world, "cat", "retry") == ("cat-retry-1", False)
    run(world)
    assert world.state("cat-retry-1") == "SUCCEEDED"
    assert decide(world, "cat", "retry") == ("cat-retry-1", False)
    assert len(world.studio.posts) == 1
    assert world.states("cat").count("FAILED") == 1


@FRONTS
def test_or_it_is_not_run_again(world: World, decide: Decide) -> None:
    assert decide(world, "cat", "failed") == ("cat", None)
    assert decide(world, "cat", "failed") == ("cat", None)
    assert world.states("cat")[-2:] == ["NEEDS_ATTENTION", "FAILED"]
    assert "not run again" in world.manifest("cat")["error"]["message"]
    run(world)
    assert world.studio.posts == []


def test_whoever_dies_between_retry_and_decision_makes_no_second_retry(world: World) -> None:
    app = world.app("dies")
    made = app.lost_calls.retries.retry(app.ledger.records.last("cat"))  # type: ignore[arg-type]
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert over_the_bucket(world, "cat", "retry") == (made.job, False)
    assert world.state("cat") == "FAILED"


def test_a_store_that_fails_leaves_the_job_undecided(world: World) -> None:
    app = world.app("cli")
    store_of(app).before.append(once("create", f"{layout.RECORDS}cat-retry-1/", fail))
    with pytest.raises(StoreError):
        app.lost_calls.decide("cat", "retry")
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert over_the_bucket(world, "cat", "retry")[0] == "cat-retry-1"


@FRONTS
def test_a_decision_stands_however_its_retry_ended(world: World, decide: Decide) -> None:
    assert decide(world, "cat", "retry") == ("cat-retry-1", True)
    world.app("person").cancellation.cancel("cat-retry-1")
    assert decide(world, "cat", "retry") == ("cat-retry-1", False)
    run(world)
    assert world.studio.posts == []


def test_nor_is_a_retry_that_is_over_made_again_by_who_goes_on(world: World) -> None:
    app = world.app("dies")
    store_of(app).before.append(once("create", f"{layout.RECORDS}cat/000004", fail))
    with pytest.raises(StoreError):
        app.lost_calls.decide("cat", "retry")
    world.app("person").cancellation.cancel("cat-retry-1")
    assert over_the_bucket(world, "cat", "retry") == ("cat-retry-1", False)
    assert (world.state("cat"), code_of(world, "cat")) == ("FAILED", "CallGivenUp")


def test_a_damaged_note_of_the_retry_is_told_with_its_cure(world: World) -> None:
    assert over_the_bucket(world, "cat", "retry") == ("cat-retry-1", True)
    (note,) = world.bucket.keys(layout.REQUESTS)
    world.app("person").store.put(note, b"?")
    with pytest.raises(Refused, match=f"delete {note}"):
        over_the_bucket(world, "cat", "retry")
    world.app("person").store.delete(note)
    assert over_the_bucket(world, "cat", "retry") == ("cat-retry-1", False)


@pytest.mark.parametrize("job", ["late", "waits", "nobody", "../x"])
@pytest.mark.parametrize("decision", ["retry", "failed"])
def test_only_lost_calls_are_decided_about(world: World, job: str, decision: str) -> None:
    failed(world, "late")
    world.queued("waits")
    with pytest.raises(NotLost, match=r"no such job|The job is"):
        world.app("cli").lost_calls.decide(job, decision)
    with pytest.raises(Refused):
        over_the_bucket(world, job, decision)
    assert world.state("waits") == "QUEUED"


def test_over_http_a_wrong_word_is_told(world: World) -> None:
    reply = ask(world, "POST", "/jobs/cat/lost-call/maybe")
    assert reply.status == 400
    assert "retry or failed" in reply.json["detail"]
    assert world.state("cat") == "NEEDS_ATTENTION"


def test_a_conflict_says_what_the_job_is(world: World) -> None:
    world.queued("waits")
    reply = ask(world, "POST", "/jobs/waits/lost-call/retry")
    assert (reply.status, reply.json["title"]) == (409, "No lost call")
    assert "The job is QUEUED" in reply.json["detail"]


def test_a_token_decides_about_its_own_jobs_alone(world: World) -> None:
    given = token("submit", PREFIX)
    assert ask(world, "POST", "/jobs/cat/lost-call/retry", given=given).status == 404
    lost(world, f"{PREFIX}cat")
    assert ask(world, "POST", f"/jobs/{PREFIX}cat/lost-call/retry", given=given).status == 202
    assert ask(world, "POST", "/jobs/cat/lost-call/retry", given=token("read")).status == 403
