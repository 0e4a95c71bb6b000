"""Function Compute's HTTP event to WSGI and back (help page "HTTP trigger invocation", v1)."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from shared.platform.fc.events import UnknownEvent

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
TEXT_TYPES = ("text/", "application/json", "application/problem+json", "application/yaml")


@dataclass(frozen=True)
class HttpEvent:
    """One request. `path` is as the client encoded it; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    request_id: str

    @classmethod
    def of(cls, raw: bytes) -> HttpEvent:
        """Raises UnknownEvent if the bytes are not an HTTP event."""
        try:
            document = json.loads(raw)
            http = document["requestContext"]["http"]
        except (ValueError, KeyError, TypeError):
            raise UnknownEvent("Expected the event of an HTTP trigger.") from None
        body = document.get("body") or ""
        return cls(
            method=str(http["method"]).upper(),
            path=document.get("rawPath") or http.get("path") or "/",
            query=urlencode(document.get("queryParameters") or {}),
            headers={k.lower(): str(v) for k, v in (document.get("headers") or {}).items()},
            body=base64.b64decode(body) if document.get("isBase64Encoded") else body.encode(),
            source_ip=str(http.get("sourceIp", "")),
            request_id=str(document["requestContext"].get("requestId", "")),
        )

    def environ(self) -> dict[str, Any]:
        """The request as PEP 3333 wants it."""
        host, _, port = self.headers.get("host", "localhost").partition(":")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin-1"),
            "QUERY_STRING": self.query,
            "SERVER_NAME": host,
            "SERVER_PORT": port or "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.source_ip,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self.headers.get("x-forwarded-proto", "https"),
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            if name not in ("content-type", "content-length"):
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ


def call(app: WsgiApp, event: HttpEvent) -> dict[str, Any]:
    """Let a WSGI application answer; returns the answer as Function Compute wants it."""
    status = ""
    headers: list[tuple[str, str]] = []

    def start_response(line: str, fields: list[tuple[str, str]], _info: object = None) -> None:
        nonlocal status
        status = line
        headers.extend(fields)

    chunks = app(event.environ(), start_response)
    body = b"".join(chunks)
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
    return {"statusCode": int(status.split(" ", 1)[0]), **_encoded(_joined(headers), body)}


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """One value a name: repeated fields become a list, as RFC 9110 section 5.3 allows."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _encoded(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    kind = next((v for k, v in headers.items() if k.lower() == "content-type"), "text/plain")
    if kind.startswith(TEXT_TYPES):
        return {"headers": headers, "isBase64Encoded": False, "body": body.decode("utf-8")}
    encoded = base64.b64encode(body).decode("ascii")
    return {"headers": headers, "isBase64Encoded": True, "body": encoded}
