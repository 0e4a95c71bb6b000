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
    answer to its submission is lost, and the list of tasks cannot be asked."""
    lost = {"at": "create", "action": "cut_after", "times": 1, "model": MODELS[1]}
    world.studio("/_admin/settings", faults=[lost, {"at": "list"}])
    for number in range(count):
        world.drop(f"{stem}-{number}", MODELS[number % len(MODELS)])
    world.until("mix of states", lambda: set(world.states(stem).values()) >= MIX)


def go_on(world: Deployments) -> None:
    """The list of tasks can be asked again."""
    world.studio("/_admin/settings", faults=[])


def test_from_code_of_another_layout_and_back(tmp_path: Path, before: Path) -> None:
    """As docs/operations.md says: stop, deploy, make the indexes again, go on."""
    with deployments(tmp_path, task_seconds=3.0) as world:
        world.start(before, before / "functions")
        begin(world, "up")
        world.stop()
        world.command(ROOT, "cli", "repair")
        world.start(ROOT, ROOT / "functions")
        go_on(world)
        world.check()
        world.bucket.put_object(layout.DEPLOYED, "1" * 64)  # as from a package
        begin(world, "down")
        world.stop()
        world.start(before, before / "functions")  # too early: it takes markers for leftovers
        world.until("loss of markers", lambda: world.keys(layout.QUEUE) == [layout.DEPLOYED])
        world.stop()
        world.delete(layout.QUEUE, layout.SLOTS)
        world.command(before, "shared.operations", "rebuild")
        world.start(before, before / "functions")
        go_on(world)
        world.check()


def test_other_code_takes_over_while_the_old_polls(tmp_path: Path) -> None:
    """Nobody stops anything: packages are built again, and a job file comes. And back again."""
    first, then = "1" * 64, "2" * 64
    with deployments(tmp_path, task_seconds=6.0) as world:
        packages = build(tmp_path / "packages", first)
        world.start(ROOT, packages)
        begin(world, "cat", 18)
        go_on(world)
        for number, code in enumerate((then, first), 1):
            old = world.until("poller", partial(poller, world)) or ""
            world.until("pause of submit", lambda: not is_busy(world, "submit"))
            build(packages, code)
            world.drop(f"dog-{number}", MODELS[0])
            world.until("successor", partial(poller, world, old))
            assert rooms(world) == number
            assert world.bucket.get_object(layout.DEPLOYED).read() == code.encode()
        world.check()
        assert rooms(world) == 2


def poller(world: Deployments, but: str = "") -> str | None:
    """Who holds the lease as a poller, if it is not this one."""
    said = world.read(world.keys(layout.LEASE)[0])
    holds = said["kind"] == "poller" and "released" not in said and said["owner"] != but
    return str(said["owner"]) if holds else None


def is_busy(world: Deployments, function: str) -> bool:
    """Whether a function works on an event, or one waits for it."""
    state = requests.get(world.environ["API_URL"] + "/_runtime/state", timeout=10).json()
    found = state["functions"][function]
    return bool(found["queued"]) or any(one["busy"] for one in found["instances"])


def rooms(world: Deployments) -> int:
    """How often a poller has made room for other code."""
    lines = (world.data / "logs" / "wanx-poll.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return sum(one.get("outcome") == "made room for other code" for one in said)
