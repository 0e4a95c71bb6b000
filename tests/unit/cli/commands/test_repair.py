"""`wanx repair`: what it prints."""

from __future__ import annotations

import pytest

from shared.storage import layout
from tests.kit import wanx
from tests.kit.world import MODEL, World, submit


def test_it_says_what_was_missing(world: World) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.bucket.remove(world.slots()[0])
    lines = wanx.run("repair").splitlines()
    assert "jobs: 1" in lines
    assert "slots made: 1" in lines
    assert "slots freed: 0" in lines
    assert len(world.slots()) == 1


def test_records_that_cannot_be_read_are_named_and_the_others_repaired(world: World) -> None:
    for job in ("ape", "cat", "dog", "eel"):
        world.queued(job)
    world.bucket.write("state/records/ape/000001.json", b"{")
    world.bucket.write("state/records/dog/000001.json", b"[]")
    markers = world.bucket.keys(layout.QUEUE)
    world.bucket.remove(markers[3])
    said = wanx.run("repair", code=1)
    for line in ("jobs: 2", "markers made: 1", "markers dropped: 0", "damaged: 2"):
        assert line in said.splitlines()
    for job in ("ape", "dog"):
        assert said.count(f"The record state/records/{job}/000001.json cannot be read") == 1
    assert "wanx doctor" not in said
    assert world.bucket.keys(layout.QUEUE) == markers


def test_a_damaged_job_that_holds_a_slot_does_not_stop_it(world: World) -> None:
    world.queued("cat")
    world.bucket.write(f"{layout.SLOTS}{MODEL}/cat~000002~ab", b"")
    world.bucket.write("state/records/cat/000001.json", b"{")
    assert "damaged: 1" in wanx.run("repair", code=1).splitlines()
    assert len(world.slots()) == 1


@pytest.mark.parametrize("words", [("status", "cat"), ("logs", "cat"), ("cancel", "cat")])
def test_other_commands_name_the_record_and_do_not_say_try_again(
    world: World, words: tuple[str, ...]
) -> None:
    world.queued("cat")
    world.bucket.write("state/records/cat/000001.json", b"{")
    said = wanx.run(*words, code=3)
    assert "The record state/records/cat/000001.json cannot be read" in said
    assert "Put it back" in said
    assert "Nothing is left half done" not in said
