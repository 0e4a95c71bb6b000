"""`wanx hide` and `unhide`, over the bucket and over HTTP alike."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.kit import wanx
from tests.kit.world import TOKEN, World
from tests.unit.cli.api_server import answering, api_of, served


@pytest.fixture(params=["bucket", "http"])
def place(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[str, ...]]:
    """The options that name the place, where two jobs wait."""
    for job in ("cat", "dog"):
        world.queued(job)
    if request.param == "bucket":
        yield ()
        return
    with served(api_of(world)) as address:
        yield ("--api", address, "--token", TOKEN)


def listed(place: tuple[str, ...], *words: str) -> list[str]:
    rows = json.loads(wanx.run(*place, "list", "--json", *words))
    return sorted(row["job"] for row in rows)


def test_a_hidden_job_is_only_in_the_list_of_hidden_ones(place: tuple[str, ...]) -> None:
    assert wanx.run(*place, "hide", "dog") == "dog: hidden\n"
    assert listed(place) == ["cat"]
    assert listed(place, "--hidden") == ["dog"]
    assert "QUEUED" in wanx.run(*place, "status", "dog")
    assert wanx.run(*place, "unhide", "dog", "cat") == "dog: listed again\ncat: listed again\n"
    assert listed(place) == ["cat", "dog"]
    assert listed(place, "--hidden") == []


@pytest.mark.parametrize(("verb", "done"), [("hide", "hidden"), ("unhide", "listed again")])
def test_a_job_that_is_unknown_does_not_stop_the_next(
    place: tuple[str, ...], verb: str, done: str
) -> None:
    said = wanx.run(*place, verb, "owl", "../dog", "dog", code=1)
    assert f"owl: not {done}: there is no such job" in said
    assert f"../dog: not {done}: there is no such job" in said
    assert f"dog: {done}\n" in said


def test_an_older_api_has_no_hiding() -> None:
    problem = b'{"title": "No such resource", "status": 404, "detail": "There is nothing here."}'
    with served(answering("404 Not Found", "application/problem+json", problem)) as address:
        said = wanx.run("--api", address, "--token", TOKEN, "hide", "dog", code=3)
    assert "does not offer the command hide" in " ".join(said.split())
