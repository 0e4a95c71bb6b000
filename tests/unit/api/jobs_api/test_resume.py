"""Ending a pause: what the answer says, and how soon a poller at work hears of it."""

from __future__ import annotations

import pytest

from shared.catalogue.errors import ErrorRule
from shared.ledger.lease import POLLER
from shared.modelstudio.client import ServiceError
from shared.poller.schedule import LAST_LOOK
from shared.storage import layout
from tests.kit.http import ask
from tests.kit.world import MODEL, OTHER, World, run

RULE = ErrorRule("AllocationQuota", None, None, "quota", "never", "model", "h", "h")
USED_UP = ServiceError("AllocationQuota", "used up", 403, "r")


@pytest.fixture()
def world() -> World:
    return World()


def pause(world: World) -> None:
    world.app("other").ledger.breakers.pause(MODEL, USED_UP, RULE)


@pytest.mark.parametrize("name", [MODEL, "~key"])
def test_what_does_not_pause_is_not_resumed(world: World, name: str) -> None:
    reply = ask(world, "POST", f"/models/{name}/resume")
    assert (reply.status, reply.json) == (200, {"model": name, "resumed": False})


def test_a_poller_at_work_hears_of_it_within_seconds(world: World) -> None:
    world.queued("dog", OTHER)
    world.studio.seconds = 300.0
    world.queued("cat", MODEL)
    pause(world)
    world.timeline.after(45.0, lambda: ask(world, "POST", f"/models/{MODEL}/resume"))
    began = world.timeline.now
    run(world, 120.0)
    sent = [post.at - began for post in world.studio.posts]
    assert len(sent) == 2
    assert 45.0 <= sent[1] <= 45.0 + LAST_LOOK + 1.0


def test_a_pause_is_written_however_old_the_state_is_that_it_changes(world: World) -> None:
    app = world.app()
    assert app.ledger.breakers.paused_for(MODEL) == 0
    world.timeline.wait(20.0)
    app.ledger.breakers.pause(MODEL, USED_UP, RULE)
    assert world.app().ledger.breakers.paused_for(MODEL) > 0


def test_a_poller_that_is_about_to_rest_is_followed_by_another(world: World) -> None:
    """It holds the lease still, and may have looked at the pause a moment ago."""
    pause(world)
    assert world.app("poller").ledger.lease.take(POLLER)
    assert ask(world, "POST", f"/models/{MODEL}/resume").json["resumed"]
    assert world.bucket.holds(layout.WAKE)
