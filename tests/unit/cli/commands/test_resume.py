"""`wanx resume`: words, exit codes, and that it closes the breaker."""

from __future__ import annotations

import pytest

from shared.ledger.breaker import KEY
from shared.storage import layout
from tests.kit import wanx
from tests.kit.studio import refuse
from tests.kit.world import MODEL, OTHER, World, run


def test_it_closes_the_breaker_and_wakes_a_poller(world: World) -> None:
    world.queued("cat", MODEL)
    world.queued("dog", OTHER)
    world.studio.script.extend([refuse("AllocationQuota", 403), refuse("Arrearage", 400)])
    run(world)
    for word, name in ((MODEL, MODEL), ("--key", "the API key")):
        assert wanx.run("resume", word) == f"{name}: resumed\n"
    states = world.app("looking").ledger.model_states
    assert (states.get(MODEL).pause, states.get(KEY).pause) == (None, None)
    assert world.bucket.holds(layout.WAKE)


def test_it_says_when_nothing_pauses(world: World) -> None:
    assert wanx.run("resume", MODEL) == f"{MODEL}: was not paused\n"
    assert wanx.run("resume", "--key") == "the API key: was not paused\n"


def test_it_knows_the_models(world: World) -> None:
    said = wanx.run("resume", "brusj\x1b[2J", code=1)
    assert f"is not a model; the models are {MODEL}, {OTHER}." in said
    assert "\x1b" not in said
    assert world.bucket.keys(layout.MODELS) == []


@pytest.mark.parametrize("words", [[], [""], ["brush", "--key"]])
def test_one_of_model_and_key_is_named(world: World, words: list[str]) -> None:
    said = wanx.run("resume", *words, code=2)
    assert "Usage: wanx resume [OPTIONS] [MODEL]" in said
    assert "expected the name of a MODEL, or else --key." in said
    assert not world.bucket.holds(layout.WAKE)
