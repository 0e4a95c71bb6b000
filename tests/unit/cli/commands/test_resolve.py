"""`wanx resolve`: many jobs whose call was lost, decided about at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.commands import resolve
from tests.kit.lost import lost
from tests.kit.wanx import run
from tests.kit.world import MODEL, OTHER, World
from tests.kit.world import run as let_work

LOST = ("resolve", "--lost-calls")


def test_all_of_them_are_run_again(world: World) -> None:
    for job in ("cat", "dog"):
        lost(world, job)
    lost(world, "unclear", code="SubmissionUnclear")
    said = run(*LOST, "--yes")
    assert "cat: runs again as cat-retry-1\n" in said
    assert "dog: runs again as dog-retry-1\n" in said
    assert "unclear" not in said
    assert said.splitlines()[-1] == "2 run again."
    let_work(world)
    assert len(world.studio.posts) == 2
    assert "No job" in run(*LOST, "--yes")


def test_the_price_is_told_before(world: World) -> None:
    price = replace(world.models[0].price, per_image=0.25)
    world.models = tuple(replace(model, price=price) for model in world.models)
    lost(world, "cat", parameters={"n": 3})
    lost(world, "dog", OTHER, parameters={"n": 1})
    said = run(*LOST, "--yes")
    assert f"CNY {4 * 0.25:.2f} at most" in said
    assert "2 jobs were lost" in said


def test_or_none_is(world: World) -> None:
    lost(world, "cat")
    said = run(*LOST, "--as", "failed", "--yes")
    assert "costs nothing more" in said
    assert said.splitlines()[-1] == "1 ended."
    assert world.state("cat") == "FAILED"


def test_without_yes_nothing_is_done_where_nobody_can_be_asked(world: World) -> None:
    lost(world, "cat")
    assert "add --yes" in run(*LOST, code=2)
    assert world.state("cat") == "NEEDS_ATTENTION"


def test_no_is_an_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lost(world, "cat")
    monkeypatch.setattr("cli.commands.resolve.agreed", lambda _sure: False)
    assert "Nothing was done." in run(*LOST, code=1)
    assert world.state("cat") == "NEEDS_ATTENTION"


def test_it_needs_to_be_said_which(world: World) -> None:
    assert "--lost-calls" in run("resolve", code=2)


def test_a_model_alone(world: World) -> None:
    lost(world, "cat", MODEL)
    lost(world, "dog", OTHER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.commands.resolve.model_name", lambda name: name)
        assert "1 run again." in run(*LOST, "--model", OTHER, "--yes")
    assert (world.state("cat"), world.state("dog")) == ("NEEDS_ATTENTION", "FAILED")


def test_a_run_is_bounded_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "MOST", 2)
    monkeypatch.setattr(resolve, "PAGE", 1)
    for number in range(5):
        lost(world, f"cat-{number}")
    counts = []
    for _ in range(3):
        said = run(*LOST, "--yes")
        counts.append(said.splitlines()[-1])
        assert ("run the command again" in said) is (len(counts) < 3)
    assert counts == ["2 run again.", "2 run again.", "1 run again."]


def test_one_that_was_run_again_by_hand_is_not_doubled(world: World) -> None:
    lost(world, "cat")
    run("retry", "cat")
    assert run(*LOST, "--yes").splitlines()[-1] == "1 run again before."


def test_a_long_list_is_cut(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "MOST_SHOWN", 1)
    for job in ("cat", "dog", "cow"):
        lost(world, job)
    assert "and 2 more" in run(*LOST, "--as", "failed", "--yes")
