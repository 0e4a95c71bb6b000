"""Events that were given up are kept with their reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.jobs.dead_letters import PAUSE, DeadLetters
from shared.platform.fc.events import read_event
from shared.storage import layout
from tests.kit.fc_events import DESTINATION, TIMER, given_up, oss_event
from tests.kit.store import Bucket, Store
from tests.kit.world import World
from tests.simulation.kernel import Kernel


def read(document: Any) -> Any:
    return read_event(json.dumps(document).encode())


def test_a_dead_event_is_kept_with_its_reason_and_its_job_files() -> None:
    bucket = Bucket(Kernel())
    letters = DeadLetters(Store(bucket))
    key = letters.write(read(DESTINATION))
    assert letters.write(read(DESTINATION)) == key, "a second delivery must write the same object"
    assert bucket.keys() == [key]
    assert key == f"{layout.DEAD}2026-11-20T051200.000Z-r1.json"
    kept = json.loads(bucket.peek(key))
    assert kept["job_files"] == ["jobs/cat.yaml"]
    assert "the store is away" in kept["error"]
    assert kept["event"] == oss_event("jobs/cat.yaml")
    assert "upload the job files again" in kept["what_to_do"]


@pytest.mark.parametrize("payload", ["not json", json.dumps(TIMER), "[]"])
def test_a_dead_event_of_any_kind_is_kept(payload: str) -> None:
    bucket = Bucket(Kernel())
    key = DeadLetters(Store(bucket)).write(read(DESTINATION | {"requestPayload": payload}))
    assert json.loads(bucket.peek(key))["job_files"] == []


@pytest.mark.parametrize(
    ("payload", "wakes"),
    [
        (TIMER, True),
        ({"wakeUp": {"due": 1.0}}, True),
        (oss_event(layout.WAKE), True),
        ("not json", False),
    ],
)
def test_a_dead_event_of_the_poller_calls_it_again(payload: object, wakes: bool) -> None:
    world = World()
    app = world.app("rescue")
    event = read(given_up(payload, "poll"))
    began = world.timeline.now
    assert DeadLetters(app.store, app.ledger).wake_for(event) is wakes
    assert world.bucket.holds(layout.WAKE) is wakes
    assert (world.timeline.now - began >= PAUSE) is wakes, "never in a hot loop"


def test_a_dead_event_of_a_job_file_calls_the_poller_for_the_jobs_that_are_there() -> None:
    world = World()
    app = world.app("rescue")
    world.queued("cat")
    began = world.timeline.now
    event = read(given_up(oss_event("jobs/cat.yaml"), "submit"))
    assert DeadLetters(app.store, app.ledger).wake_for(event)
    assert world.bucket.holds(layout.WAKE)
    assert world.timeline.now - began < 1
