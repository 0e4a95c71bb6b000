"""Delayed calls of the poller by itself, as Function Compute would deliver them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from shared.app import App
from shared.platform.fc.events import Event, WakeUpEvent
from shared.platform.fc.invoke import CallRefused
from tests.kit.world import LONG, World


@dataclass
class Calls:
    """Accepts calls and keeps them: when each is to come, and what it says. `refused`: or not."""

    world: World
    refused: bool = False
    tried: int = 0
    made: list[tuple[float, WakeUpEvent]] = field(default_factory=list)

    def call(self, delay: float, event: bytes) -> None:
        self.tried += 1
        if self.refused:
            raise CallRefused("HTTP 403")
        due = json.loads(event)["wakeUp"]["due"]
        self.made.append((self.world.timeline.now + delay, WakeUpEvent(due)))

    def poller(self) -> App:
        """An instance of poll whose timer is the safety net."""
        app = self.world.app("poller")
        app.calls = self
        return app

    def run(self, came: Event | None = None, seconds: float = LONG) -> str:
        """Let a poller run that this event started; the word it ends with."""
        app = self.poller()
        return app.poller.run(app.clock.monotonic() + seconds, came)

    def deliver(self, early: float = 0.0) -> str:
        """Let the last call come at its time, or so many seconds before; what its run ends with."""
        at, event = self.made[-1]
        self.world.timeline.wait(max(0.0, at - early - self.world.timeline.now))
        return self.run(event)
