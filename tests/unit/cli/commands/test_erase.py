"""`wanx erase`: which jobs it takes, over the bucket and over HTTP alike."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from shared.jobs.erase import Erased, Erasure
from shared.storage.objects import StoreError
from tests.kit import wanx
from tests.kit.http import ask, failed
from tests.kit.world import TOKEN, World
from tests.unit.cli.api_server import api_of, served


@pytest.fixture(params=["bucket", "http"])
def place(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[str, ...]]:
    """The options that name the place, where one job of two is hidden."""
    for job in ("team-cat", "team-dog"):
        failed(world, job)
    assert ask(world, "POST", "/jobs/team-dog/hide").status == 200
    if request.param == "bucket":
        yield ()
        return
    with served(api_of(world)) as address:
        yield ("--api", address, "--token", TOKEN)


def test_a_label_that_is_none_is_refused(world: World) -> None:
    said = wanx.run("erase", "--label", "team:a", "--yes", code=2)
    assert "'team:a' is not written as name=value" in " ".join(said.split())


def test_hidden_jobs_are_erased_with_the_others(place: tuple[str, ...], world: World) -> None:
    said = json.loads(wanx.run(*place, "erase", "--prefix", "team-", "--yes", "--json"))
    assert sorted(one["job"] for one in said) == ["team-cat", "team-dog"]
    assert "No job of" in wanx.run(*place, "erase", "--prefix", "team-", "--yes")


def test_a_job_that_cannot_be_erased_is_named_and_does_not_stop_the_others(
    place: tuple[str, ...], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(world, "team-emu")
    erase = Erasure.erase

    def damaged(self: Erasure, job: str, all_inputs: bool = False) -> Erased:
        if job == "team-emu":
            raise StoreError("cannot be asked about it")
        return erase(self, job, all_inputs)

    monkeypatch.setattr(Erasure, "erase", damaged)
    said = wanx.run(*place, "erase", "--prefix", "team-", "--yes", code=1)
    assert "team-emu: not erased" in said
    assert all(f"{one}: erased" in said for one in ("team-cat", "team-dog"))


def test_where_nothing_answers_the_rest_is_not_tried(
    place: tuple[str, ...], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [f"team-{number}" for number in range(8)]
    for job in jobs:
        failed(world, job)

    def out(self: Erasure, job: str, all_inputs: bool = False) -> Erased:
        raise StoreError("the bucket does not answer")

    monkeypatch.setattr(Erasure, "erase", out)
    said = wanx.run(*place, "erase", *jobs, "--yes", code=3)
    assert said.count("not erased") == 5
    assert "the same command goes on" in " ".join(said.split())


def test_more_jobs_than_a_page_are_erased_behind_those_that_are_refused(
    place: tuple[str, ...], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.commands.erase.PAGE", 2)
    for number in range(3):
        failed(world, f"team-old-{number}")
    for number in range(5):
        world.queued(f"team-new-{number}")
    said = wanx.run(*place, "erase", "--prefix", "team-", "--yes", code=1)
    assert all(f"team-old-{number}: erased" in said for number in range(3))
    assert all(f"team-new-{number}: not erased" in said for number in range(5))
