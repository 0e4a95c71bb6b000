"""`wanx repair`: what it prints."""

from __future__ import annotations

from itertools import count

import pytest

from shared.app import App
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit import wanx
from tests.kit.hooks import Call
from tests.kit.world import MODEL, World, store_of, submit


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


def interrupted(
    world: World, monkeypatch: pytest.MonkeyPatch, key: str, error: type[BaseException]
) -> None:
    """Only the first command is interrupted, at a request; all take one job at a time."""

    def stop(call: Call) -> None:
        if call.key == key:
            raise error

    commands = count()

    def app(_environ: object) -> App:
        made = world.app("operator")
        made.rebuild.batch = 1
        if next(commands) == 0:
            store_of(made).before.append(stop)
        return made

    monkeypatch.setattr("cli.backends.bucket.for_invocation", app)


def test_after_ctrl_c_it_goes_on_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for job in ("ape", "cat", "dog"):
        world.queued(job)
    interrupted(world, monkeypatch, layout.record("dog", 1), KeyboardInterrupt)
    wanx.run("repair", code=1)
    said = wanx.run("repair")
    assert said.startswith("Goes on after the job cat: 2 jobs were done until 20")
    assert "wanx repair --from-start" in said
    assert "jobs: 3" in said.splitlines()
    assert wanx.run("repair").startswith("jobs: 3"), "that one was over"


def test_it_can_begin_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for job in ("ape", "cat", "dog"):
        world.queued(job)
    interrupted(world, monkeypatch, layout.record("dog", 1), StoreError)
    assert "try again" in wanx.run("repair", code=3)
    assert wanx.run("repair", "--from-start").startswith("jobs: 3")


def test_a_terminal_shows_how_far_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    for number in range(3):
        world.queued(f"job-{number}")
    said = wanx.run("repair")
    assert "3 of about 3 jobs, " in said
    assert " a minute" in said
