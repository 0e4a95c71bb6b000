"""Function Compute's events as the tests send them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit


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


def http_event(method: str, target: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """What an HTTP trigger sends, with the body in base64 as Function Compute may send it."""
    parts = urlsplit(target)
    document = {
        "version": "v1",
        "rawPath": parts.path,
        "headers": {"Host": "fn.example.com", **headers},
        "queryParameters": dict(parse_qsl(parts.query, keep_blank_values=True)),
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        "requestContext": {"requestId": "r", "http": {"method": method, "path": parts.path}},
    }
    return json.dumps(document).encode()


TIMER = {"triggerTime": "2026-11-20T05:12:00Z", "triggerName": "tick", "payload": "now"}
DESTINATION = given_up(oss_event("jobs/cat.yaml"))
