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


TIMER = {"triggerTime": "2026-11-20T05:12:00Z", "triggerName": "tick", "payload": "now"}
DESTINATION = {
    "timestamp": 1795151520000,
    "requestContext": {
        "requestId": "r1",
        "functionArn": "acs:fc:cn-beijing:1:functions/submit",
        "condition": "UnhandledInvocationError",
        "approximateInvokeCount": 4,
    },
    "requestPayload": json.dumps(oss_event("jobs/cat.yaml")),
    "responseContext": {"functionError": "UnhandledInvocationError"},
    "responsePayload": '{"errorMessage": "the store is away"}',
}
