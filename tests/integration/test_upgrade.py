"""Upgrades that lose nothing: code is switched while jobs wait, run and are in doubt."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import requests

from shared.storage import layout
from tests.integration.deployments import (
    MODELS,
    ROOT,
    Deployments,
    NoHistory,
    build,
    checkout,
    deployments,
)

BEFORE = "bf727c8"
"""A commit from before the lease, with another layout of markers and slots (docs/operations.md)."""
MIX = {"QUEUED", "PENDING", "in doubt"}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    try:
        return checkout(BEFORE, tmp_path / "before")
    except NoHistory as error:
        pytest.skip(f"the history does not reach back to {BEFORE} (a shallow clone?): {error}")


def begin(world: Deployments, stem: str, count: int = 9) -> None:
    """Jobs of three models, until some wait, some are at the service, and one is in doubt: the
    answer to its submission is lost."""
    lost = {"at": "create", "action": "cut_after", "times": 1, "model": MODELS[1]}
    world.studio("/_admin/settings", faults=[lost])
    for number in range(count):
        world.drop(f"{stem}-{number}", MODELS[number % len(MODELS)])

    def mixed() -> bool:
        states = {state for job, state in world.states().items() if job.startswith(stem)}
        return states >= MIX

    world.until("mix of states", mixed)


def test_from_code_of_another_layout_and_back(tmp_path: Path, before: Path) -> None:
    """As docs/operations.md says: stop, deploy, make the indexes again, go on."""
    with deployments(tmp_path, task_seconds=1.5) as world:
        world.start(before, before / "functions")
        begin(world, "up")
        world.stop()
        world.command(ROOT, "cli", "repair")
        world.start(ROOT, ROOT / "functions")
        world.check()
        begin(world, "down")
        world.stop()
        world.delete(layout.QUEUE, layout.SLOTS)
        world.command(before, "shared.operations", "rebuild")
        world.start(before, before / "functions")
        world.check()


def test_a_roll_back_without_its_steps_is_mended_by_them(tmp_path: Path, before: Path) -> None:
    """Code of another layout takes our markers and slots for leftovers; the records stay."""
    with deployments(tmp_path, task_seconds=1.5) as world:
        world.start(ROOT, ROOT / "functions")
        begin(world, "down")
        world.stop()
        world.start(before, before / "functions")
        world.until("loss", lambda: not world.keys(layout.SLOTS) or None)
        world.stop()
        world.delete(layout.QUEUE, layout.SLOTS)
        world.command(before, "shared.operations", "rebuild")
        world.start(before, before / "functions")
        world.check()


def test_other_code_takes_over_while_the_old_polls(tmp_path: Path) -> None:
    """Nobody stops anything: packages are built again, and a job file comes. And back again."""
    first, then = "1" * 64, "2" * 64
    with deployments(tmp_path, task_seconds=8.0) as world:
        packages = build(tmp_path / "packages", first)
        world.start(ROOT, packages)
        begin(world, "cat", 12)
        for number, code in enumerate((then, first), 1):
            world.until("pause of submit", lambda: not busy(world, "submit") or None)
            (old,) = busy(world, "poll")
            build(packages, code)
            world.drop(f"dog-{number}", MODELS[0])
            world.until("successor", partial(other_than, world, old))
            assert rooms(world) == number
            assert world.bucket.get_object(layout.DEPLOYED).read() == code.encode()
        world.check()
        assert rooms(world) == 2


def busy(world: Deployments, function: str) -> set[int]:
    """The processes that work on an event of a function; not empty while one waits."""
    state = requests.get(world.environ["API_URL"] + "/_runtime/state", timeout=10).json()
    found = state["functions"][function]
    pids = {one["pid"] for one in found["instances"] if one["busy"]}
    return pids or set(range(found["queued"]))


def other_than(world: Deployments, old: int) -> set[int]:
    """The process that polls instead of an old one."""
    return busy(world, "poll") - {old, 0}


def rooms(world: Deployments) -> int:
    """How often a poller has made room for other code."""
    lines = (world.data / "logs" / "wanx-poll.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return sum(one.get("outcome") == "made room for other code" for one in said)
