"""`wanx repair`: what it prints."""

from __future__ import annotations

from tests.kit import wanx
from tests.kit.world import World, submit


def test_it_says_what_was_missing(world: World) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.bucket.remove(world.slots()[0])
    lines = wanx.run("repair").splitlines()
    assert "jobs: 1" in lines
    assert "slots made: 1" in lines
    assert "slots freed: 0" in lines
    assert len(world.slots()) == 1


def test_a_record_that_cannot_be_read_is_named(world: World) -> None:
    world.queued("cat")
    world.bucket.write("state/records/cat/000001.json", b"{")
    said = wanx.run("repair", code=3)
    assert "The record state/records/cat/000001.json cannot be read" in said
    assert "wanx doctor" in said
