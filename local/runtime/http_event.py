"""HTTP to event and result to HTTP, in the v1 format of the "HTTP trigger invocation" page."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, unquote

from aiohttp import web
from multidict import CIMultiDict

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"}
TRIGGER_ID = "laptop"


@dataclass(frozen=True)
class HttpResult:
    """The answer a handler's result stands for."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


def http_event(request: web.Request, body: bytes, request_id: str, account: str) -> bytes:
    """The event's JSON. `rawPath` stays encoded; values that came several times join by comma."""
    raw_path, _, query = request.raw_path.partition("?")
    now = datetime.now(timezone.utc)
    text, is_base64 = _body_text(body)
    event = {
        "version": "v1",
        "rawPath": raw_path,
        "body": text,
        "isBase64Encoded": is_base64,
        "headers": _joined([(canonical(k), v) for k, v in request.headers.items()]),
        "queryParameters": _joined(parse_qsl(query, keep_blank_values=True)),
        "requestContext": {
            "accountId": account,
            "domainName": request.host,
            "domainPrefix": TRIGGER_ID,
            "triggerId": TRIGGER_ID,
            "http": {
                "method": request.method,
                "path": unquote(raw_path),
                "protocol": f"HTTP/{request.version.major}.{request.version.minor}",
                "sourceIp": request.remote or "",
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": request_id,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "timeEpoch": str(int(now.timestamp() * 1000)),
        },
    }
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")


def canonical(name: str) -> str:
    """Content-Type, whatever the client wrote: header names arrive in this form."""
    return "-".join(part.capitalize() for part in name.split("-"))


def http_result(payload: bytes) -> HttpResult:
    """Status, headers and body of a handler's result; without statusCode it is the body itself.

    Raises ValueError when the parts of the result are not of the documented types.
    """
    result = _mapping(payload)
    if result is None or "statusCode" not in result:
        return HttpResult(200, CIMultiDict({"Content-Type": "application/json"}), payload)
    status = result["statusCode"]
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"statusCode must be a number from 200 to 599, not {status!r}")
    return HttpResult(status, _headers(result.get("headers") or {}), _body_bytes(result))


def _mapping(payload: bytes) -> dict[str, Any] | None:
    try:
        result = json.loads(payload)
    except ValueError:
        return None
    return result if isinstance(result, dict) else None


def _headers(declared: object) -> CIMultiDict[str]:
    if not isinstance(declared, dict):
        raise ValueError("headers must be a mapping of names to texts")
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in declared.items():
        if name.lower() in HOP_BY_HOP:
            continue
        for single in value if isinstance(value, list) else [value]:
            headers.add(name, _one_line(name, str(single)))
    return headers


def _one_line(name: str, value: str) -> str:
    if set(name + value) & set("\r\n\0"):
        raise ValueError(f"the header {name!r} holds a line break")
    return value


def _body_bytes(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return json.dumps(body, ensure_ascii=False).encode()
    if result.get("isBase64Encoded") is True:
        return base64.b64decode(body, validate=True)
    return body.encode()


def _body_text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), True


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
