"""Putting dead events back."""

from __future__ import annotations

import pytest

from shared.ledger.wakeups import DEADLINE
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.dead_events import dead
from tests.kit.fc_events import oss_event
from tests.kit.hooks import fail, once
from tests.kit.world import World, job_file, run, store_of

FILE = "jobs/cat.json"


@pytest.fixture()
def world() -> World:
    return World()


TIMER = {"triggerTime": "2026-11-20T05:12:00Z", "triggerName": "tick", "payload": ""}


def test_a_dead_submit_event_becomes_its_job(world: World) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    key = dead(world, "submit", oss_event(FILE))
    said = world.app("operator").repair.redrive(key)
    assert said == [f"{FILE}: job cat is QUEUED"]
    assert world.state("cat") == "PENDING"
    assert world.bucket.keys(layout.DEAD) == []


def test_an_event_whose_job_is_known_changes_nothing(world: World) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    world.app("submit").acceptance.job_file(FILE)
    run(world)
    said = world.app("operator").repair.redrive(dead(world, "submit", oss_event(FILE)))
    assert said == [f"{FILE}: job cat is SUCCEEDED"]
    assert len(world.studio.posts) == 1
    assert world.bucket.keys(layout.DEAD) == []


def test_a_dead_timer_event_wakes_the_poller(world: World) -> None:
    assert world.app("operator").repair.redrive(dead(world, "poll", TIMER)) == [
        "the poller was woken"
    ]
    assert world.bucket.holds(layout.WAKE)
    assert world.bucket.keys(layout.DEAD) == []


def test_a_dead_wake_event_wakes_the_poller(world: World) -> None:
    world.app("submit").ledger.wake.because(DEADLINE)
    key = dead(world, "poll", oss_event(layout.WAKE))
    assert world.app("operator").repair.redrive(key) == ["the poller was woken"]
    assert world.bucket.keys(layout.RECORDS) == []


@pytest.mark.parametrize("where", ["create", "read"])
def test_the_dead_file_goes_last(world: World, where: str) -> None:
    world.bucket.write(FILE, job_file(id="cat"))
    key = dead(world, "submit", oss_event(FILE))
    app = world.app("operator")
    store_of(app).before.append(once(where, "records" if where == "create" else FILE, fail))
    with pytest.raises(StoreError):
        app.repair.redrive(key)
    assert world.bucket.holds(key)
    app.repair.redrive(key)
    assert world.state("cat") == "PENDING"
    assert not world.bucket.holds(key)
