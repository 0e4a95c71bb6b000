"""Running a job again: one retry however often it is asked for, over every front."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import pytest

from cli.backends.bucket import BucketBackend
from shared.catalogue.models import Model
from shared.jobs.retry import retry_names
from shared.ledger.record import SUCCEEDED
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import fail, once
from tests.kit.http import PREFIX, Reply, ask, failed, token
from tests.kit.world import TOKEN, World, run, store_of

LONG_NAME = "c" * 64
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


def retried(world: World, newest: str, *ends: bool) -> list[str]:
    """Retries of one another, each canceled where `ends` says so."""
    made = []
    for canceled in ends:
        newest, new = over_the_bucket(world, newest)
        assert new
        made.append(newest)
        if canceled:
            world.app("person").cancellation.cancel(newest)
    return made


def forget(world: World, *jobs: str) -> None:
    for job in jobs:
        for key in world.bucket.keys(f"{layout.RECORDS}{job}/"):
            world.bucket.remove(key)


@FRONTS
@pytest.mark.parametrize("gone", [("cat",), ("cat", "cat-retry-1"), ("cat-retry-1",)])
def test_a_retry_is_not_doubled_when_jobs_before_it_are_gone(
    world: World, retry: Retry, gone: tuple[str, ...]
) -> None:
    retried(world, "cat", True, True)
    forget(world, *gone)
    answers = [retry(world, "cat-retry-2") for _ in range(4)]
    assert answers == [("cat-retry-3", True), *[("cat-retry-3", False)] * 3]
    run(world)
    assert len(world.studio.posts) == 1


@FRONTS
def test_retries_of_the_first_job_are_one_family_when_that_is_gone(
    world: World, retry: Retry
) -> None:
    for _ in range(2):
        world.app("person").cancellation.cancel(retry(world, "cat")[0])
    forget(world, "cat", "cat-retry-1")
    assert {retry(world, "cat-retry-2")[0] for _ in range(4)} == {"cat-retry-3"}


@FRONTS
@pytest.mark.parametrize("over", [False, True])
def test_a_retry_is_found_behind_a_gap(world: World, retry: Retry, over: bool) -> None:
    retried(world, "cat", *[True] * 11, False)
    if over:
        run(world)
    forget(world, *(f"cat-retry-{number}" for number in range(1, 11)))
    assert retry(world, "cat") == ("cat-retry-12", False)
    assert retry(world, "cat-retry-11") == ("cat-retry-12", False)


@FRONTS
@pytest.mark.parametrize("kept", [1, 9, 11])
def test_a_retry_with_a_shortened_name_is_found_when_all_others_are_gone(
    world: World, retry: Retry, kept: int
) -> None:
    failed(world, LONG_NAME)
    made = retried(world, LONG_NAME, *[True] * 11)
    forget(world, LONG_NAME, *(job for job in made if job != made[kept - 1]))
    newest, new = retry(world, made[kept - 1])
    assert new
    assert newest == list(retry_names(LONG_NAME))[kept]
    forget(world, LONG_NAME)
    assert retry(world, made[kept - 1]) == (newest, False)


def test_a_shortened_name_of_a_late_retry_tells_of_an_early_one(world: World) -> None:
    failed(world, LONG_NAME)
    made = retried(world, LONG_NAME, *[True] * 10)
    forget(world, LONG_NAME, *made[1:9])
    again = world.app("person").ledger.records.last(made[0])
    assert again is not None
    assert over_the_bucket(world, made[9]) == (list(retry_names(LONG_NAME))[10], True)
    assert over_the_bucket(world, made[0]) == (list(retry_names(LONG_NAME))[10], False)


def test_looking_for_retries_takes_a_bounded_number_of_requests(world: World) -> None:
    retried(world, "cat", *[True] * 30, False)
    before = len(world.bucket.calls)
    over_the_bucket(world, "cat")
    assert len(world.bucket.calls) - before < 20


def test_what_was_rejected_or_goes_on_is_not_retried(world: World) -> None:
    world.queued("dog")
    reply = ask(world, "POST", "/jobs/dog/retry")
    assert (reply.status, reply.json["title"]) == (409, "Nothing to retry")
    assert "QUEUED" in reply.json["detail"]


@FRONTS
def test_a_retry_is_the_same_although_the_jobs_late_answer_came_meanwhile(
    world: World, retry: Retry
) -> None:
    assert retry(world, "cat") == ("cat-retry-1", True)
    late = world.app("late")
    last = late.ledger.records.last("cat")
    assert last is not None
    assert late.transitions.finish(last, SUCCEEDED) is not None
    assert retry(world, "cat") == ("cat-retry-1", False)


def test_names_of_retries_count_on_and_stay_short() -> None:
    assert list(islice(retry_names("cat"), 2)) == ["cat-retry-1", "cat-retry-2"]
    assert next(retry_names("cat-retry-7")) == "cat-retry-7-retry-1"
    assert all(len(name) <= 64 for name in retry_names(LONG_NAME))
    assert next(retry_names(LONG_NAME)) != next(retry_names(LONG_NAME[:-1] + "d"))


def test_a_name_of_64_characters_has_one_family_of_retries(world: World) -> None:
    failed(world, LONG_NAME)
    newest = LONG_NAME
    for _ in range(11):
        newest, new = over_the_bucket(world, newest)
        assert new
        world.app("person").cancellation.cancel(newest)
    again = over_the_bucket(world, LONG_NAME)
    assert [over_http(world, job)[0] for job in (newest, LONG_NAME)] == [again[0]] * 2
    run(world)
    assert len(world.studio.posts) == 1


def test_two_long_names_with_one_beginning_have_retries_of_their_own(world: World) -> None:
    other = LONG_NAME[:-1] + "d"
    for job in (LONG_NAME, other):
        failed(world, job)
    assert over_http(world, LONG_NAME)[0] != over_http(world, other)[0]
    run(world)
    assert len(world.studio.posts) == 2


@FRONTS
def test_a_retry_is_known_although_the_models_defaults_have_changed(
    world: World, retry: Retry
) -> None:
    assert retry(world, "cat") == ("cat-retry-1", True)
    world.models = tuple(_with_a_new_default(one) for one in world.models)
    assert retry(world, "cat") == ("cat-retry-1", False)


def _with_a_new_default(one: Model) -> Model:
    schema = dict(one.parameters_schema)
    added = {"type": "integer", "default": 7, "x-send-default": True}
    schema["properties"] = {**schema["properties"], "strength": added}
    return replace(one, parameters_schema=schema)


@FRONTS
@pytest.mark.parametrize("part", [layout.QUEUE, layout.JOBS, layout.WAKE, layout.EXPIRY])
def test_a_retry_that_was_left_half_made_is_completed_by_the_next_one(
    world: World, retry: Retry, part: str
) -> None:
    victim = world.app("victim")
    for kind in ("create", "put"):
        store_of(victim).before.append(once(kind, part, fail))
    last = victim.ledger.records.last("cat")
    assert last is not None
    with suppress(StoreError):
        victim.retries.retry(last)
    world.bucket.remove(layout.WAKE)
    is_new = part in (layout.QUEUE, layout.EXPIRY)  # which come before the record
    assert retry(world, "cat") == ("cat-retry-1", is_new)
    assert world.bucket.holds(layout.WAKE), "nobody polls"
    listed = ask(world, "GET", "/jobs?state=QUEUED").json["jobs"]
    assert [row["job"] for row in listed] == ["cat-retry-1"]
    run(world)
    assert len(world.studio.posts) == 1


def test_a_key_does_not_show_another_job_that_took_the_name(world: World) -> None:
    app = world.app("dies")
    store_of(app).before.append(once("create", layout.RECORDS, fail))
    assert ask(app, "POST", "/jobs/cat/retry", Idempotency_Key="k").status == 503
    world.queued("cat-retry-1", priority=1)
    assert with_key(world, "k").json["job"] == "cat-retry-2"
