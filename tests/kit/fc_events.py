"""Function Compute's events as the tests send them."""

from __future__ import annotations

import json
from typing import Any


def oss_event(*names: str) -> dict[str, Any]:
    """What an OSS trigger sends when objects of these names were put."""
    return {
        "events": [
            {
                "eventName": "ObjectCreated:PutObject",
                "eventSource": "acs:oss",
                "oss": {
                    "bucket": {"name": "studio"},
                    "object": {"key": name, "eTag": "E1", "size": 3},
                },
                "responseElements": {"requestId": "oss-1"},
            }
            for name in names
        ]
    }


def given_up(payload: object, function: str = "submit", request: str = "r1") -> dict[str, Any]:
    """What the destination receives of an event that failed in every try."""
    return {
        "timestamp": 1795151520000,
        "requestContext": {
            "requestId": request,
            "functionArn": f"acs:fc:cn-beijing:1:functions/{function}",
            "condition": "UnhandledInvocationError",
            "approximateInvokeCount": 4,
        },
        "requestPayload": payload if isinstance(payload, str) else json.dumps(payload),
        "responseContext": {"statusCode": 200, "functionError": "UnhandledInvocationError"},
        "responsePayload": '{"errorMessage": "the store is away"}',
    }


TIMER = {"triggerTime": "2026-11-20T05:12:00Z", "triggerName": "tick", "payload": "now"}
DESTINATION = given_up(oss_event("jobs/cat.yaml"))
