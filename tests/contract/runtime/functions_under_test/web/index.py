"""An HTTP function: echoes the request, or answers in the way the path asks for."""

from __future__ import annotations

import base64
import json


def handler(event: bytes, context: object) -> object:
    request = json.loads(event)
    path = request["requestContext"]["http"]["path"]
    if path == "/binary":
        body = base64.b64encode(bytes(range(256))).decode()
        headers = {"Content-Type": "image/png", "Set-Cookie": ["a=1", "b=2"]}
        return {"statusCode": 201, "headers": headers, "isBase64Encoded": True, "body": body}
    if path == "/plain":
        return "no status code"
    if path == "/wrong":
        return {"statusCode": "two hundred"}
    if path == "/split":
        return {"statusCode": 200, "headers": {"X-A": "1\r\nX-B: 2"}}
    if path == "/raise":
        raise KeyError("secret detail")
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": event.decode(),
    }
