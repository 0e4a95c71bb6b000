"""Running a job again: one retry however often it is asked for, over every front."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.backends.bucket import BucketBackend
from shared.jobs.retry import retry_names
from shared.storage import layout
from tests.kit.http import PREFIX, Reply, ask, failed, token
from tests.kit.world import TOKEN, World, run

Retry = Callable[[World, str], tuple[str, bool | None]]


@pytest.fixture()
def world() -> World:
    made = World()
    failed(made, "cat")
    return made


def over_http(world: World, job: str) -> tuple[str, bool | None]:
    reply = ask(world, "POST", f"/jobs/{job}/retry")
    assert reply.status in (200, 202), reply.text
    return str(reply.json["job"]), reply.status == 202


def over_the_bucket(world: World, job: str) -> tuple[str, bool | None]:
    made = BucketBackend(world.app("cli")).retry(job)
    return made.job, made.new


FRONTS = pytest.mark.parametrize("retry", [over_http, over_the_bucket])


def with_key(world: World, key: str, job: str = "cat", given: str = TOKEN) -> Reply:
    return ask(world, "POST", f"/jobs/{job}/retry", given=given, Idempotency_Key=key)


@FRONTS
def test_a_retry_that_is_under_way_is_not_doubled(world: World, retry: Retry) -> None:
    answers = [retry(world, "cat") for _ in range(4)]
    assert answers == [("cat-retry-1", True), *[("cat-retry-1", False)] * 3]
    run(world)
    assert len(world.studio.posts) == 1
    assert retry(world, "cat") == ("cat-retry-1", False), "it has succeeded"
    run(world)
    assert len(world.studio.posts) == 1


@FRONTS
def test_a_retry_that_failed_is_followed_by_another(world: World, retry: Retry) -> None:
    retry(world, "cat")
    world.app("person").cancellation.cancel("cat-retry-1")
    assert retry(world, "cat") == ("cat-retry-2", True)
    assert retry(world, "cat-retry-1") == ("cat-retry-2", False), "of the same request"


@FRONTS
def test_a_job_that_merely_has_a_retrys_name_is_none(world: World, retry: Retry) -> None:
    world.queued("cat-retry-1")
    assert retry(world, "cat") == ("cat-retry-2", True)


def test_two_callers_at_once_get_the_same_retry(world: World) -> None:
    first, second = world.app("one"), world.app("two")
    last = first.ledger.records.last("cat")
    assert last is not None
    late: list[str] = []
    create = first.store.create

    def create_late(key: str, body: bytes) -> object:
        if key == layout.record("cat-retry-1", 1) and not late:
            late.append(second.retries.retry(last).job)
        return create(key, body)

    first.store.create = create_late  # type: ignore[method-assign, assignment]
    assert first.retries.retry(last).job == "cat-retry-1"
    assert late == ["cat-retry-1"]
    run(world)
    assert len(world.studio.posts) == 1


def test_the_same_key_is_the_same_retry_however_that_ended(world: World) -> None:
    replies = [with_key(world, "k") for _ in range(4)]
    assert [reply.status for reply in replies] == [202, 200, 200, 200]
    world.app("person").cancellation.cancel("cat-retry-1")
    again = with_key(world, "k")
    assert (again.status, again.json["job"], again.json["state"]) == (
        *(200, "cat-retry-1", "CANCELED"),
    )
    other = with_key(world, "k2")
    assert (other.status, other.json["job"]) == (202, "cat-retry-2")


def test_a_key_whose_retry_was_never_written_makes_it(world: World) -> None:
    app = world.app("dies")
    create = app.store.create

    def die_late(key: str, body: bytes) -> object:
        if key.startswith(layout.RECORDS):
            raise KeyboardInterrupt
        return create(key, body)

    app.store.create = die_late  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        ask(app, "POST", "/jobs/cat/retry", Idempotency_Key="k")
    assert with_key(world, "k").json["job"] == "cat-retry-1"


def test_a_key_belongs_to_one_request_of_one_caller(world: World) -> None:
    failed(world, "dog")
    failed(world, f"{PREFIX}cat")
    assert with_key(world, "k").status == 202
    clash = with_key(world, "k", "dog")
    assert (clash.status, clash.json["title"]) == (409, "Idempotency-Key in use")
    theirs = with_key(world, "k", f"{PREFIX}cat", given=token("submit", PREFIX))
    assert (theirs.status, theirs.json["job"]) == (202, f"{PREFIX}cat-retry-1")
    assert with_key(world, "").status == 400


def test_what_was_rejected_or_goes_on_is_not_retried(world: World) -> None:
    world.queued("dog")
    reply = ask(world, "POST", "/jobs/dog/retry")
    assert (reply.status, reply.json["title"]) == (409, "Nothing to retry")
    assert "QUEUED" in reply.json["detail"]


def test_names_of_retries_count_on_and_stay_short() -> None:
    assert next(retry_names("cat", False)) == "cat-retry-1"
    assert next(retry_names("cat-retry-7", True)) == "cat-retry-1"
    assert next(retry_names("cat-retry-7", False)) == "cat-retry-7-retry-1"
    assert all(len(name) <= 64 for name in retry_names("c" * 64, False))
