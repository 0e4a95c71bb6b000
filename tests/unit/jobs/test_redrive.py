"""Putting dead events back, and the command that does it: words and exit codes."""

from __future__ import annotations

import json

import pytest

from shared.jobs import repair
from shared.jobs.dead_letters import DeadLetters
from shared.jobs.repair import redrive
from shared.ledger.model_state import KEY
from shared.platform.fc.events import DestinationEvent, read_event
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import fail, once
from tests.kit.studio import refuse
from tests.kit.world import MODEL, OTHER, World, job_file, run, store_of, submit

FILE = "jobs/cat.json"


@pytest.fixture()
def world() -> World:
    return World()


def dead(world: World, function: str, payload: object) -> str:
    """An event that Function Compute gave up on, as rescue keeps it."""
    event = {
        "timestamp": 1795151520000,
        "requestContext": {
            "requestId": "r1",
            "functionArn": f"acs:fc:cn-beijing:1:functions/{function}",
            "condition": "UnhandledInvocationError",
            "approximateInvokeCount": 4,
        },
        "requestPayload": payload if isinstance(payload, str) else json.dumps(payload),
        "responsePayload": "the store is away",
    }
    read = read_event(json.dumps(event).encode())
    assert isinstance(read, DestinationEvent)
    return DeadLetters(world.app("rescue").store).write(read)


def oss(*names: str) -> dict[str, object]:
    """An OSS trigger's event for objects of these keys."""
    stored = [{"bucket": {"name": "studio"}, "object": {"key": name}} for name in names]
    return {"events": [{"eventName": "ObjectCreated:PutObject", "oss": one} for one in stored]}


TIMER = {"triggerTime": "2026-11-20T05:12:00Z", "triggerName": "tick", "payload": ""}


def test_a_dead_submit_event_becomes_its_job(world: World) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    key = dead(world, "submit", oss(FILE))
    said = redrive(world.app("operator"), key)
    assert said == [f"{FILE}: job cat is QUEUED"]
    assert world.state("cat") == "PENDING"
    assert world.bucket.keys(layout.DEAD) == []


def test_an_event_whose_job_is_known_changes_nothing(world: World) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    world.app("submit").dispatch.job_file(FILE)
    run(world)
    said = redrive(world.app("operator"), dead(world, "submit", oss(FILE)))
    assert said == [f"{FILE}: job cat is SUCCEEDED"]
    assert len(world.studio.posts) == 1
    assert world.bucket.keys(layout.DEAD) == []


def test_a_dead_timer_event_wakes_the_poller(world: World) -> None:
    assert redrive(world.app("operator"), dead(world, "poll", TIMER)) == ["the poller was woken"]
    assert world.bucket.holds(layout.WAKE)
    assert world.bucket.keys(layout.DEAD) == []


def test_a_dead_wake_event_wakes_the_poller(world: World) -> None:
    world.app("submit").heartbeat.wake()
    key = dead(world, "poll", oss(layout.WAKE))
    assert redrive(world.app("operator"), key) == ["the poller was woken"]
    assert world.bucket.keys(layout.RECORDS) == []


@pytest.mark.parametrize("where", ["create", "read"])
def test_the_dead_file_goes_last(world: World, where: str) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    key = dead(world, "submit", oss(FILE))
    app = world.app("operator")
    store_of(app).before.append(once(where, "records" if where == "create" else FILE, fail))
    with pytest.raises(StoreError):
        redrive(app, key)
    assert world.bucket.holds(key)
    redrive(app, key)
    assert world.state("cat") == "PENDING"
    assert not world.bucket.holds(key)


def command(world: World, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command over this world's bucket."""
    monkeypatch.setattr(repair, "for_invocation", lambda _environ: world.app("operator"))
    return repair.main(arguments, {})


Output = pytest.CaptureFixture[str]


def test_rebuild_tells_what_it_found(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    world.queued("cat")
    submit(world, "cat")
    world.bucket.remove(world.slots()[0])
    assert command(world, monkeypatch, "rebuild") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "jobs: 1" in lines
    assert "slots made: 1" in lines
    assert "slots freed: 0" in lines


def test_redrive_without_a_key_puts_all_back(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    key = dead(world, "submit", oss(FILE))
    assert command(world, monkeypatch, "redrive") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{key}: {FILE}: job cat is QUEUED",
        "1 dead events put back",
    ]


def test_resume_closes_the_breaker_and_wakes_a_poller(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    world.queued("cat", MODEL)
    world.queued("dog", OTHER)
    world.studio.script.extend([refuse("AllocationQuota", 403), refuse("Arrearage", 400)])
    run(world)
    for arguments, name in [((MODEL,), MODEL), (("--key",), "the API key")]:
        assert command(world, monkeypatch, "resume", *arguments) == 0
        assert capsys.readouterr().out == f"{name}: resumed\n"
    states = world.app("looking").states
    assert (states.get(MODEL).pause, states.get(KEY).pause) == (None, None)
    assert world.bucket.holds(layout.WAKE)


def test_resume_knows_the_models(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    assert command(world, monkeypatch, "resume", "brusj") != 0
    assert MODEL in capsys.readouterr().err


def test_trouble_is_told_in_words_and_by_the_exit_code(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    assert repair.main(["rebuild"], {}) == 1
    assert "OSS_ENDPOINT" in capsys.readouterr().err
    assert command(world, monkeypatch, "redrive", "dead/gone.json") == 1
    told = capsys.readouterr()
    assert "dead/gone.json" in told.err
    assert told.out == ""


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b"\xff"])
def test_a_dead_file_changed_by_hand_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Output, body: bytes
) -> None:
    world.bucket.write("dead/x.json", body)
    assert command(world, monkeypatch, "redrive") == 1
    assert "dead/x.json" in capsys.readouterr().err
    assert world.bucket.holds("dead/x.json")


def test_one_dead_file_in_trouble_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.bucket.write("dead/0.json", b'{"event": "not an event", "job_files": []}')
    world.bucket.write(FILE, job_file(id="cat"))
    dead(world, "submit", oss(FILE))
    assert command(world, monkeypatch, "redrive") == 1
    assert world.state("cat") == "PENDING"
    assert world.bucket.keys(layout.DEAD) == ["dead/0.json"]


def test_an_event_that_cannot_be_read_stays_where_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    key = dead(world, "submit", "not json")
    assert command(world, monkeypatch, "redrive", key) == 1
    assert "Expected an OSS, timer, destination or task-finished event" in capsys.readouterr().err
    assert world.bucket.holds(key)


@pytest.mark.parametrize("arguments", [[], ["resume"], ["resume", "brush", "--key"], ["dance"]])
def test_a_command_that_is_none_shows_the_usage(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        repair.main(arguments, {})
    assert ended.value.code == 2
    assert "usage: python -m shared.jobs.repair" in capsys.readouterr().err
