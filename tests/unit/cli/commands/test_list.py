"""`wanx list`: which jobs it shows, over the bucket and over HTTP alike."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.kit import wanx
from tests.kit.world import TOKEN, World
from tests.unit.cli.api_server import api_of, served

EVERY = ["cat", "dog", "owl"]


@pytest.fixture(params=["bucket", "http"])
def place(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[str, ...]]:
    """The options that name the place."""
    world.queued("owl", labels={"who": "me", "for": "you"})
    world.timeline.wait(86400)
    world.queued("dog", labels={"who": "me"})
    world.queued("cat")
    if request.param == "bucket":
        yield ()
        return
    with served(api_of(world)) as address:
        yield ("--api", address, "--token", TOKEN)


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ((), EVERY),
        (("--search", "PROMPT of d"), ["dog"]),
        (("--search", "me you"), ["owl"]),
        (("--label", "who=me"), ["dog", "owl"]),
        (("--label", "who=me", "--label", "for=you"), ["owl"]),
        (("--search", "nothing like it"), []),
    ],
)
def test_jobs_by_words_and_labels(
    place: tuple[str, ...], words: tuple[str, ...], jobs: list[str]
) -> None:
    said = wanx.run(*place, "list", "--json", *words)
    assert sorted(row["job"] for row in json.loads(said)) == sorted(jobs)


def test_jobs_until_a_moment(place: tuple[str, ...], world: World) -> None:
    first = world.app().ledger.records.last("owl")
    assert first is not None
    said = wanx.run(*place, "list", "--json", "--until", first.at)
    assert [row["job"] for row in json.loads(said)] == ["owl"]


@pytest.mark.parametrize(
    ("words", "why"),
    [(("--label", "who:me"), "name=value"), (("--until", "tomorrow"), "write 30m, 2h, 3d")],
)
def test_what_is_wrong_is_said(world: World, words: tuple[str, ...], why: str) -> None:
    assert why in " ".join(wanx.run("list", *words, code=2).split())
