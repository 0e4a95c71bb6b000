"""A world whose model is called synchronously, and pollers for it."""

from __future__ import annotations

from typing import Any

import requests

from shared.app import App
from shared.catalogue.models import SYNC, Limits
from shared.jobs.calls import STORING
from shared.ledger.breaker import BLOCKED_PAUSE
from shared.modelstudio.client import ServiceError
from shared.platform.fc.events import TimerEvent
from tests.kit.studio import ScriptedStudio
from tests.kit.world import MODEL, OTHER, World, model
from tests.simulation.studio import SimTask

FAST = Limits(submissions=5, per_seconds=1, concurrent=None, queue_ahead=0)
LATE = 150.0
TICK = TimerEvent("every-minute", "", "{}")


def synchronous(limits: Limits = FAST, price: float = 0.1) -> World:
    models = (model(limits=limits, price=price, mode=SYNC), model(OTHER))
    world = World(models=models)
    world.studio.limits = {MODEL: limits, OTHER: models[1].limits}
    return world


def lose(studio: ScriptedStudio, body: Any) -> SimTask:
    """The model works, and nobody hears of it."""
    studio.begin(body)
    raise requests.ConnectionError("cut")


def poll(world: World, seconds: float, app: App | None = None) -> str:
    """A poller that hands over after `seconds` and ends in time for calls."""
    app = app or world.app("poller")
    now = app.clock.monotonic()
    return app.poller.run(now + seconds, ends=now + seconds + 600.0 + STORING)


def pause(world: World, app: App) -> None:
    """The model's breaker is open, and an attempt may find out whether it can close."""
    error = ServiceError("AllocationQuota.FreeTierOnly", "spent", 403)
    rule = app.rules.errors.classify(error.code, error.message, error.http)
    app.ledger.breakers.pause(MODEL, error, rule)
    world.timeline.wait(BLOCKED_PAUSE + 1.0)
