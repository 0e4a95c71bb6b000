"""`wanx demo` before anything is submitted; tests/e2e/test_cli.py has the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.commands.demo import NAMES, USUAL
from tests.kit import wanx
from tests.kit.world import TOKEN, World
from tests.unit.cli.api_server import api_of, served


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with served(api_of(world)) as address:
        yield address


def test_the_price_is_said_and_nobody_is_charged_unasked(world: World, url: str) -> None:
    said = wanx.run("--api", url, "--token", TOKEN, "demo", code=2)
    assert "At most CNY " in said
    assert "add --yes" in said
    assert all(f"{name}.yaml: price: " in said for name in USUAL)
    assert not list(world.app().store.list("state/records/"))


def test_an_example_that_is_unknown_is_named(world: World) -> None:
    said = wanx.run("demo", "nothing", code=2)
    assert "'nothing'; use edit, doodle" in " ".join(said.split())


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_in_order_and_has_a_price(world: World, url: str, name: str) -> None:
    said = wanx.run("--api", url, "--token", TOKEN, "demo", name, code=2)
    assert f"{name}.yaml: price: " in said
