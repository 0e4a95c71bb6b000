"""Events that Function Compute gave up on."""

from __future__ import annotations

import json

from shared.jobs.dead_letters import DeadLetters
from shared.platform.fc.events import DestinationEvent, read_event
from tests.kit.world import World


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
