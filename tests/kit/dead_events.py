"""Events that Function Compute gave up on."""

from __future__ import annotations

import json

from shared.jobs.dead_letters import DeadLetters
from shared.platform.fc.events import DestinationEvent, read_event
from tests.kit.fc_events import given_up
from tests.kit.world import World


def dead(world: World, function: str, payload: object) -> str:
    """An event that Function Compute gave up on, as rescue keeps it."""
    event = given_up(payload, function)
    read = read_event(json.dumps(event).encode())
    assert isinstance(read, DestinationEvent)
    return DeadLetters(world.app("rescue").store).write(read)
