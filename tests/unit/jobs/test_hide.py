"""Hiding jobs from lists, and listing them again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.storage import layout
from tests.kit.http import PREFIX, Reply, ask, token
from tests.kit.world import World, job_file, run, store_of
from tests.unit.api.jobs_api.test_listing import every_page, names


@pytest.fixture()
def world() -> World:
    made = World()
    for job in ("cat", "dog", "owl"):
        made.queued(job)
    return made


def post(world: World, job: str, verb: str, given: str = token("submit")) -> Reply:
    return ask(world, "POST", f"/jobs/{job}/{verb}", given=given)


def listed(world: World, query: str = "") -> list[str]:
    return every_page(world, query)[0]


HIDDEN = "&hidden=true"


def test_a_hidden_job_is_in_no_list_but_its_own(world: World) -> None:
    reply = post(world, "dog", "hide")
    assert (reply.status, reply.json) == (200, {"job": "dog", "hidden": True})
    assert listed(world) == ["owl", "cat"]
    assert listed(world, HIDDEN) == ["dog"]
    assert listed(world, "&search=dog") == []
    assert listed(world, f"{HIDDEN}&search=dog") == ["dog"]
    assert "dog" not in ask(world, "GET", "/jobs.csv").text
    run(world)
    shown = ask(world, "GET", "/jobs/dog").json
    assert (shown["state"], len(shown["images"])) == ("SUCCEEDED", 1)
    assert post(world, "dog", "unhide").json == {"job": "dog", "hidden": False}
    assert listed(world) == ["owl", "dog", "cat"]
    assert listed(world, HIDDEN) == []


def test_the_same_again_changes_nothing(world: World) -> None:
    for verb in ("hide", "hide", "unhide", "unhide", "hide"):
        assert post(world, "dog", verb).status == 200
    assert (listed(world), listed(world, HIDDEN)) == (["owl", "cat"], ["dog"])


def test_hidden_jobs_cost_a_list_nothing(world: World) -> None:
    world.bucket.calls.clear()
    listed(world)
    before = world.bucket.count()
    for number in range(50):
        world.bucket.write(layout.indexed(number, f"old-{number}", layout.HIDDEN), b"")
    world.bucket.calls.clear()
    assert listed(world) == ["owl", "dog", "cat"]
    assert world.bucket.count() == before


def test_a_rebuild_leaves_hidden_what_is_hidden(world: World) -> None:
    post(world, "dog", "hide")
    done = world.app().rebuild.run()
    assert done.index_entries_made == 0
    assert listed(world) == ["owl", "cat"]
    for key in world.bucket.keys(layout.JOBS):
        world.bucket.remove(key)
    assert world.app().rebuild.run().index_entries_made == 3
    assert listed(world) == ["owl", "dog", "cat"]


def test_others_jobs_and_readers_hide_nothing(world: World) -> None:
    assert post(world, "dog", "hide", token("submit", PREFIX)).status == 404
    assert post(world, "dog", "hide", token("read")).status == 403
    assert post(world, "nobody", "hide").status == 404
    assert post(world, "..", "hide").status == 404
    assert listed(world) == ["owl", "dog", "cat"]
    world.queued(f"{PREFIX}1")
    assert post(world, f"{PREFIX}1", "hide", token("submit", PREFIX)).status == 200
    reply = ask(world, "GET", "/jobs?hidden=true", given=token("read", PREFIX))
    assert names(reply.json["jobs"]) == [f"{PREFIX}1"]
    post(world, "dog", "hide")
    reply = ask(world, "GET", "/jobs?hidden=true", given=token("read", PREFIX))
    assert names(reply.json["jobs"]) == [f"{PREFIX}1"]


class Died(BaseException):
    """The instance is gone."""


@pytest.mark.parametrize("verb", ["hide", "unhide"])
@pytest.mark.parametrize("at", range(3))
def test_whoever_dies_leaves_a_job_that_is_listed_and_another_try_ends_it(
    world: World, verb: str, at: int
) -> None:
    if verb == "unhide":
        post(world, "dog", "hide")
    app, count = world.app("dies"), iter(range(9))
    step = app.hiding.hide if verb == "hide" else app.hiding.show
    last = app.ledger.records.last("dog")
    assert last is not None

    def die(_call: object) -> None:
        if next(count) == at:
            raise Died

    store_of(app).before.append(die)
    with pytest.raises(Died):
        step(last)
    assert "dog" in [*listed(world), *listed(world, HIDDEN)]
    post(world, "dog", verb)
    assert ("dog" in listed(world)) == (verb == "unhide")
    assert ("dog" in listed(world, HIDDEN)) == (verb == "hide")


@pytest.mark.parametrize("at", range(1, 4))
@pytest.mark.parametrize("first", ["hide", "unhide"])
def test_two_who_disagree_never_lose_a_job(world: World, first: str, at: int) -> None:
    app, count = world.app("first"), iter(range(1, 99))
    last = app.ledger.records.last("dog")
    assert last is not None
    if first == "unhide":
        app.hiding.hide(last)
    steps: dict[str, Callable[..., None]] = {"hide": app.hiding.hide, "unhide": app.hiding.show}

    def meanwhile(_call: object) -> None:
        if next(count) == at:
            post(world, "dog", "unhide" if first == "hide" else "hide")

    store_of(app).before.append(meanwhile)
    steps[first](last)
    assert "dog" in [*listed(world), *listed(world, HIDDEN)]


def test_a_job_whose_file_comes_again_is_listed_again(world: World) -> None:
    body = job_file("p", id="twice")
    ask(world, "POST", "/jobs", body)
    post(world, "twice", "hide")
    ask(world, "POST", "/jobs", body)
    assert "twice" in listed(world)
