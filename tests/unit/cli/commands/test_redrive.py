"""`wanx redrive`: words and exit codes."""

from __future__ import annotations

import pytest

from shared.storage import layout
from tests.kit import wanx
from tests.kit.dead_events import dead
from tests.kit.fc_events import oss_event
from tests.kit.world import World, job_file

FILE = "jobs/cat.json"


def test_without_a_key_all_are_put_back(world: World) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    key = dead(world, "submit", oss_event(FILE))
    assert wanx.run("redrive").splitlines() == [
        f"{key}: {FILE}: job cat is QUEUED",
        "1 dead event put back",
    ]
    assert wanx.run("redrive") == "0 dead events put back\n"


def test_those_that_are_named_are_put_back(world: World) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    world.bucket.write("dead/0.json", b"{}")
    key = dead(world, "submit", oss_event(FILE))
    assert "1 dead event put back" in wanx.run("redrive", key)
    assert world.bucket.keys(layout.DEAD) == ["dead/0.json"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("dead/gone.json", "Could not read dead/gone.json: the object does not exist."),
        (FILE, f"'{FILE}' is not the key of a dead event"),
        ("", "'' is not the key of a dead event"),
        ("dead/\x1b[2J", "'dead/\ufffd[2J' is not the key of a dead event"),
        ("dead/\udcff", "'dead/\ufffd' is not the key of a dead event"),
    ],
)
def test_a_key_of_no_dead_event_is_named(world: World, key: str, said: str) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    printed = wanx.run("redrive", key, code=1)
    assert said in printed
    assert "put back" not in printed
    assert world.bucket.holds(FILE)


LISTED = b'{"event": {"triggerName": "t"}, "job_files": %s}'


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"[]", b"{}", b"\xff", b"[" * 100_000),
        *(LISTED % files for files in (b"[1]", b'[["x"]]', b'"abc"', b'["\\ud83d"]')),
        *(LISTED % files for files in (b'["state/poller/heartbeat.json"]', b'["inputs/cat.jpg"]')),
    ],
)
def test_a_dead_file_changed_by_hand_is_named(world: World, body: bytes) -> None:
    world.bucket.write("dead/x.json", body)
    assert "dead/x.json" in wanx.run("redrive", code=1)
    assert world.bucket.holds("dead/x.json")


def test_one_dead_file_in_trouble_does_not_hold_up_the_others(world: World) -> None:
    world.bucket.write("dead/0.json", b'{"event": "not an event", "job_files": []}')
    world.bucket.write(FILE, job_file(id="cat"))
    dead(world, "submit", oss_event(FILE))
    assert "1 dead event put back" in wanx.run("redrive", code=1)
    assert world.state("cat") == "PENDING"
    assert world.bucket.keys(layout.DEAD) == ["dead/0.json"]


def test_an_event_that_cannot_be_read_stays_where_it_is(world: World) -> None:
    key = dead(world, "submit", "not json")
    said = wanx.run("redrive", key, code=1)
    assert "Expected an OSS, timer, destination or task-finished event" in said
    assert world.bucket.holds(key)


def test_without_the_services_key_nothing_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong key would open the breaker for everybody."""
    monkeypatch.delenv("DASHSCOPE_API_KEY")
    world.bucket.write(FILE, job_file(id="cat"))
    key = dead(world, "submit", oss_event(FILE))
    assert "set DASHSCOPE_API_KEY" in wanx.run("redrive", code=3)
    assert world.bucket.holds(key)
    assert world.studio.posts == []
