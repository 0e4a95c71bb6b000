"""`wanx erase`: which jobs it takes, over the bucket and over HTTP alike."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

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
