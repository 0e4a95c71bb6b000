"""One request that waits for the first change among many jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from shared.api.waiting import LOOKS
from shared.app import App
from shared.platform.concurrency import Places
from shared.storage import layout
from tests.kit.http import PREFIX, TOKENS, Reply, ask, token
from tests.kit.world import World, run, store_of


@pytest.fixture()
def world() -> World:
    return World()


def changes(to: World | App, jobs: Any, given: str = "", **more: Any) -> Reply:
    given = given or token("read")
    if isinstance(to, World):
        to = to.app("http", tokens=TOKENS)
    return ask(to, "POST", "/changes", {"jobs": jobs, **more}, given)


def names(reply: Reply) -> list[str]:
    return [job["job"] for job in reply.json["jobs"]]


def etags(world: World, *jobs: str) -> dict[str, str]:
    found = changes(world, dict.fromkeys(jobs)).json["jobs"]
    return {job["job"]: job["etag"] for job in found}


def during(world: World, app: App, after: float, act: Any) -> None:
    """Let something happen `after` seconds, at the next request to the bucket."""
    at = world.timeline.now + after

    def happen() -> None:
        if world.timeline.now >= at:
            store_of(app).before.clear()
            act()

    store_of(app).before.append(lambda _call: happen())


def looks(app: App) -> Counter[str]:
    """Reads of records from now on, by job."""
    found: Counter[str] = Counter()

    def note(call: Any) -> None:
        key = str(call.key)
        if key.startswith(layout.RECORDS):
            found[layout.parse_record(key)[0]] += 1

    store_of(app).before.append(note)
    return found


def test_what_is_unknown_is_shown_whole_and_at_once(world: World) -> None:
    world.queued("cat")
    begun = world.timeline.now
    (shown,) = changes(world, {"cat": None}, wait=30).json["jobs"]
    alone = ask(world, "GET", "/jobs/cat")
    assert world.timeline.now < begun + 1
    assert shown == {**alone.json, "etag": alone.headers["etag"]}


def test_the_first_change_among_many_ends_the_wait(world: World) -> None:
    jobs = [f"cat-{number}" for number in range(8)]
    for job in jobs:
        world.queued(job)
    app, begun = world.app("http", tokens=TOKENS), world.timeline.now
    during(world, app, 5, lambda: world.app().cancellation.cancel("cat-6"))
    reply = changes(app, etags(world, *jobs), wait=30)
    assert [(job["job"], job["state"]) for job in reply.json["jobs"]] == [("cat-6", "CANCELED")]
    assert 5 <= world.timeline.now - begun < 9


def test_a_wait_without_news_ends_after_the_time_asked_for(world: World) -> None:
    world.queued("cat")
    known, begun = etags(world, "cat"), world.timeline.now
    assert changes(world, known, wait=7).json == {"jobs": [], "missing": []}
    assert 7 <= world.timeline.now - begun < 9


def test_what_happened_between_two_calls_is_not_missed(world: World) -> None:
    world.queued("cat")
    world.queued("dog")
    known = etags(world, "cat", "dog")
    run(world)
    begun = world.timeline.now
    reply = changes(world, known, wait=30)
    assert sorted(names(reply)) == ["cat", "dog"]
    assert world.timeline.now < begun + 1


def test_a_state_is_enough_to_wait_by(world: World) -> None:
    world.queued("cat")
    begun = world.timeline.now
    assert names(changes(world, {"cat": "QUEUED"}, wait=3)) == []
    assert world.timeline.now >= begun + 3
    assert names(changes(world, {"cat": "RUNNING"}, wait=3)) == ["cat"]


def test_many_changes_come_in_several_answers(world: World) -> None:
    jobs = [f"cat-{number:02}" for number in range(23)]
    for job in jobs:
        world.queued(job)
    known: dict[str, Any] = dict.fromkeys(jobs)
    sizes = []
    while found := changes(world, known).json["jobs"]:
        sizes.append(len(found))
        known |= {job["job"]: job["etag"] for job in found}
    assert sizes == [10, 10, 3]


def test_a_place_in_the_queue_that_changed_is_told_at_the_end_of_the_wait(world: World) -> None:
    world.queued("dog")
    world.queued("cat")
    known = etags(world, "cat")
    world.app().cancellation.cancel("dog")
    begun = world.timeline.now
    (cat,) = changes(world, known, wait=4).json["jobs"]
    assert (cat["job"], cat["position"]) == ("cat", 1)
    assert world.timeline.now >= begun + 4
    assert changes(world, {"cat": "QUEUED"}, wait=1).json["jobs"] == [], "a state has no place"


def test_unknown_and_foreign_jobs_are_missing_and_look_the_same(world: World) -> None:
    for job in (f"{PREFIX}cat", "team-b-cat"):
        world.queued(job)
    asked = dict.fromkeys([f"{PREFIX}cat", "team-b-cat", "nobody", "../cat", ""], "QUEUED")
    begun = world.timeline.now
    reply = changes(world, asked, token("read", PREFIX), wait=30).json
    assert reply == {"jobs": [], "missing": ["team-b-cat", "nobody", "../cat", ""]}
    assert world.timeline.now < begun + 1


def test_a_job_whose_record_was_spoiled_does_not_hide_the_others(world: World) -> None:
    world.queued("cat")
    world.queued("dog")
    world.bucket.write(layout.record("dog", 1), b"{")
    reply = changes(world, {"cat": None, "dog": None})
    assert (names(reply), reply.json["missing"]) == (["cat"], ["dog"])


def test_jobs_that_are_over_are_not_waited_for(world: World) -> None:
    world.queued("cat")
    world.app().cancellation.cancel("cat")
    begun = world.timeline.now
    assert changes(world, etags(world, "cat"), wait=30).json["jobs"] == []
    assert world.timeline.now < begun + 1


def test_more_waiters_than_a_token_may_have_are_answered_at_once(world: World) -> None:
    world.queued("cat")
    app = world.app("http", tokens=TOKENS)
    app.instance.waiting = Places(0, 0)
    begun = world.timeline.now
    reply = changes(app, {"cat": "QUEUED"}, wait=30)
    assert (reply.status, reply.headers["retry-after"]) == (200, "2")
    assert world.timeline.now < begun + 1


def test_one_caller_looks_at_each_job_once_a_second(world: World) -> None:
    jobs = [f"cat-{number}" for number in range(10)]
    for job in jobs:
        world.queued(job)
    app = world.app("http", tokens=TOKENS)
    found = looks(app)
    changes(app, dict.fromkeys(jobs, "QUEUED"), wait=20)
    assert set(found) == set(jobs)
    assert all(15 <= count <= 40 for count in found.values()), found


def test_many_callers_share_the_looks_of_an_instance(world: World) -> None:
    jobs = [f"cat-{number}" for number in range(10)]
    for job in jobs:
        world.queued(job)
    app = world.app("http", tokens=TOKENS)
    app.instance.waiting = Places(LOOKS, LOOKS)
    taken = [app.instance.waiting.place("other") for _ in range(LOOKS - 1)]
    for place in taken:
        place.__enter__()
    found = looks(app)
    changes(app, dict.fromkeys(jobs, "QUEUED"), wait=20)
    first = 2 * len(jobs)  # each job's record, and that none follows
    assert 13 <= found.total() - first <= 41, "one look a second"


def test_what_another_request_saw_a_moment_ago_is_not_looked_at_again(world: World) -> None:
    world.queued("cat")
    app = world.app("http", tokens=TOKENS)
    found = looks(app)
    sightings, note = app.instance.sightings, app.instance.sightings.note
    last = app.ledger.records.last("cat")
    assert last is not None
    found.clear()

    def sleep(seconds: float, sleeping: Callable[[float], None] = app.clock.sleep) -> None:
        sleeping(seconds)
        note(last, app.clock.monotonic())

    app.clock.sleep = sleep  # type: ignore[method-assign]
    changes(app, {"cat": "QUEUED"}, wait=20)
    assert sightings.number("cat") == 1
    assert found.total() <= 3, "the first look, and none that another one just made"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"{", ""),
        (b"\xff", ""),
        (b"{}", "/jobs"),
        (b'{"jobs": {}}', "/jobs"),
        (b'{"jobs": ["cat"]}', "/jobs"),
        (b'{"jobs": {"cat": 1}}', "/jobs/cat"),
        (b'{"jobs": {"a/b": []}}', "/jobs/a~1b"),
        (b'{"jobs": {"cat": null}, "wait": 31}', "/wait"),
        (b'{"jobs": {"cat": null}, "wait": true}', "/wait"),
        (b'{"jobs": {"cat": null}, "wait": "5"}', "/wait"),
        (b'{"jobs": {"cat": null}, "since": 1}', "/since"),
    ],
)
def test_a_question_that_is_not_in_order_is_explained(
    world: World, body: bytes, pointer: str
) -> None:
    reply = ask(world, "POST", "/changes", body, token("read"))
    (violation,) = reply.json["violations"]
    assert (reply.status, violation["pointer"]) == (422, pointer)
    assert violation["expected"]


def test_too_many_jobs_and_too_large_a_body_are_refused(world: World) -> None:
    many = changes(world, {f"cat-{number}": None for number in range(51)})
    assert (many.status, many.json["violations"][0]["found"]) == (422, "51 jobs")
    assert changes(world, {"cat": "x" * 20_000}).status == 413
    assert changes(world, {"cat": "x" * 65}).status == 422


def test_a_tag_that_nobody_made_is_old(world: World) -> None:
    world.queued("cat")
    for tag in ("999999-x", "9999999999-x", "0-x", "²-x", 'W/"1-wrong.0.0"', "nonsense"):
        assert names(changes(world, {"cat": tag}, wait=30)) == ["cat"], tag


def newer(since: str, *seen: str) -> dict[str, Any]:
    return {"newer": {"since": since, "seen": list(seen)}}


def test_new_jobs_are_told_to_whoever_asks_for_them(world: World) -> None:
    world.queued("old")
    world.timeline.wait(5)
    world.queued("known")
    since = ask(world, "GET", "/jobs/known").json["created_at"]
    assert changes(world, {}, **newer(since, "known")).json == {
        "jobs": [],
        "missing": [],
        "new": [],
    }
    world.queued("cat")
    world.queued("dog")
    known = {"known": "QUEUED"}
    assert changes(world, known, **newer(since, "known")).json["new"] == ["dog", "cat"]
    assert changes(world, {}, **newer(since, "known", "dog")).json["new"] == ["cat"]
    assert "new" not in changes(world, known).json


@pytest.mark.parametrize("known", [{}, {"old": "QUEUED"}])
def test_a_new_job_ends_the_wait(world: World, known: dict[str, str]) -> None:
    world.queued("old")
    since = ask(world, "GET", "/jobs/old").json["created_at"]
    app, begun = world.app("http", tokens=TOKENS), world.timeline.now
    during(world, app, 5, lambda: world.queued("cat"))
    reply = changes(app, known, wait=30, **newer(since, "old")).json
    assert (reply["new"], reply["jobs"]) == (["cat"], [])
    assert 5 <= world.timeline.now - begun < 12
    begun = world.timeline.now
    changes(app, known, wait=9, **newer(since, "old", "cat"))
    assert world.timeline.now - begun >= 9


def test_looking_for_new_jobs_costs_a_listing_every_few_seconds(world: World) -> None:
    world.queued("old")
    since = ask(world, "GET", "/jobs/old").json["created_at"]
    app = world.app("http", tokens=TOKENS)
    world.bucket.calls.clear()
    changes(app, {}, wait=30, **newer(since, "old"))
    assert 5 <= world.bucket.count("list") <= 11
    assert world.bucket.count() == world.bucket.count("list")


def test_nobody_elses_new_job_is_told(world: World) -> None:
    for job in ("secret-1", f"{PREFIX}1", "secret-2"):
        world.queued(job)
    reply = changes(world, {}, token("read", PREFIX), **newer("1970-01-01T00:00:00Z"))
    assert reply.json["new"] == [f"{PREFIX}1"]
    ask(world, "POST", f"/jobs/{PREFIX}1/hide")
    reply = changes(world, {}, token("read", PREFIX), **newer("1970-01-01T00:00:00Z"))
    assert reply.json["new"] == []


def test_many_new_jobs_are_told_up_to_a_number(world: World) -> None:
    for number in range(60):
        world.queued(f"j{number:02}")
    new = changes(world, {}, **newer("1970-01-01T00:00:00Z")).json["new"]
    assert (len(new), new[0]) == (50, "j59")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ([], "/newer"),
        ({"seen": []}, "/newer/since"),
        ({"since": "soon", "seen": []}, "/newer/since"),
        ({"since": "2026-11-20T05:12:00Z"}, "/newer/seen"),
        ({"since": "2026-11-20T05:12:00Z", "seen": ["../x"]}, "/newer/seen"),
        ({"since": "2026-11-20T05:12:00Z", "seen": ["x"] * 101}, "/newer/seen"),
        ({"since": "2026-11-20T05:12:00Z", "seen": [], "more": 1}, "/newer/more"),
    ],
)
def test_a_question_for_new_jobs_that_is_not_in_order_is_explained(
    world: World, asked: Any, pointer: str
) -> None:
    reply = changes(world, {}, newer=asked)
    assert (reply.status, [one["pointer"] for one in reply.json["violations"]]) == (422, [pointer])
