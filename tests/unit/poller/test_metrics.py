"""What is charted of a model at work."""

from __future__ import annotations

import json

import pytest

from shared.ledger.record import READABLE
from shared.modelstudio.client import ServiceError
from shared.poller.metrics import Gauges
from shared.poller.scheduler import HEAD
from shared.storage import layout
from tests.kit.log_lines import Lines
from tests.kit.studio import refuse
from tests.kit.world import LONG, MODEL, OTHER, World, model, run, submit


def test_a_model_at_work_is_charted_from_its_start_to_zero(printed: Lines) -> None:
    world = World()
    for number in range(30):
        world.queued(f"job-{number}")
    run(world)
    metrics = [line for line in printed.all() if line["event"] == "metric"]
    assert {line["model"] for line in metrics} == {MODEL}
    first, *_, last = metrics
    assert first["queued"] == 29
    assert (first["in_flight"], first["window"]) == (1, 1)
    assert first["slot_use"] == 1.0
    assert (last["queued"], last["in_flight"], last["oldest_wait_s"]) == (0, 0, 0.0)
    between = metrics[1]
    assert 0 < between["queued"] < 29
    assert between["oldest_wait_s"] == pytest.approx(60, abs=5)


def test_charting_costs_no_request(printed: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def requests_made() -> list[str]:
        world = World()
        for number in range(12):
            world.queued(f"job-{number}")
        run(world)
        return [call.kind for call in world.bucket.calls]

    charted = requests_made()
    assert any(line["event"] == "metric" for line in printed.all())
    monkeypatch.setattr(Gauges, "is_due", lambda _self, _model, **_paused: False)
    monkeypatch.setattr(Gauges, "tell", lambda _self, _in_flight, **_last: None)
    assert requests_made() == charted
    assert not any(line["event"] == "metric" for line in printed.all())


def test_what_changes_is_told_at_once_and_the_rest_once_a_minute(printed: Lines) -> None:
    app = World().app()
    gauges, now = app.poller.scheduler.gauges, app.clock.now()
    waiting = [
        layout.marker(MODEL, 5, "-", int((now - age) * 1000), f"job-{age}") for age in (90, 30)
    ]
    gauges.queue(MODEL, waiting, whole=True)
    gauges.tell([MODEL])
    first = printed.one()
    assert (first["queued"], first["oldest_wait_s"], first["breaker_open"]) == (2, 90.0, 0)
    rule = app.rules.errors.classify("AllocationQuota", "", 429)
    app.ledger.breakers.pause(MODEL, ServiceError("AllocationQuota", "used up", 429), rule)
    gauges.tell([MODEL])
    opened, second = printed.all()
    assert (opened["event"], second["event"], second["breaker_open"]) == (
        *("breaker.opened", "metric", 1),
    )
    gauges.tell([MODEL])
    assert printed.raw() == []
    app.clock.sleep(60)
    gauges.tell([MODEL])
    assert [line["event"] for line in printed.all()] == ["poll.working", "metric"]


def test_an_open_breaker_is_told_at_once(printed: Lines) -> None:
    world = World()
    world.queued("cat")
    world.studio.script.append(refuse("Arrearage", 400))
    run(world, LONG)
    lines = printed.all()
    opened = next(line for line in lines if line["event"] == "breaker.opened")
    assert (opened["breaker"], opened["code"], opened["level"]) == ("~key", "Arrearage", "WARNING")
    after = lines[lines.index(opened) :]
    metric = next(line for line in after if line["event"] == "metric")
    assert metric["breaker_open"] == 1
    assert metric["paused_s"] > 100


def test_a_poller_that_collects_for_an_unknown_model_is_not_silent(printed: Lines) -> None:
    """After a roll-back. The alarm "poller silent" looks back five minutes."""
    world = World()
    world.studio.seconds = 1000.0
    world.queued("cow", OTHER)
    submit(world, "cow")
    world.models = (model(),)
    printed.raw()
    run(world)
    lines = [line for line in printed.all() if line["event"] == "metric"]
    assert len(lines) >= LONG / 60 - 1
    assert {(line["model"], line["in_flight"]) for line in lines} == {(OTHER, 1)}
    assert "concurrent" not in lines[0]


def test_a_poller_is_not_silent_while_it_cannot_read_what_is_in_flight(printed: Lines) -> None:
    """A newer release submitted the job. The alarm "poller silent" looks back five minutes."""
    world = World()
    world.bucket.most_calls = 10_000
    world.queued("cat")
    submit(world, "cat")
    key = world.bucket.keys(f"{layout.RECORDS}cat/")[-1]
    newer = json.loads(world.bucket.peek(key)) | {"version": READABLE + 1}
    world.bucket.write(key, json.dumps(newer).encode())
    printed.raw()
    began = world.timeline.now
    run(world)
    said = [line["event"] for line in printed.all()]
    assert said.count("poll.working") >= (world.timeline.now - began) / 60 - 2 > 2


def test_a_long_queue_is_counted_while_a_breaker_is_open(printed: Lines) -> None:
    """The alarm "long wait" looks at `oldest_wait_s`. Each run ends at once."""
    world = World()
    for number in range(HEAD + 5):
        world.queued(f"job-{number}")
    world.studio.script.append(refuse("AllocationQuota", 429))
    run(world)
    world.timeline.wait(240.0)
    printed.raw()
    assert run(world) == "everything left is paused"
    last = [line for line in printed.all() if line["event"] == "metric"][-1]
    assert (last["queued"], last["breaker_open"]) == (HEAD + 5, 1)
    assert last["oldest_wait_s"] >= 240.0
