"""One HTTP request to a WSGI application, and its answer."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from shared.platform.web_function import WsgiApp


@dataclass(frozen=True)
class Request:
    """`target` is path and query as the client encoded them."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def environ(self) -> dict[str, Any]:
        """The request as PEP 3333 wants it."""
        path, _, query = self.target.partition("?")
        named = {name.lower(): value for name, value in self.headers.items()}
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "fn.example.com",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.1",
            "HTTP_HOST": "fn.example.com",
            "CONTENT_TYPE": named.pop("content-type", ""),
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in named.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ


@dataclass(frozen=True)
class Answer:
    """Header names are in lower case; those that came twice are joined (RFC 9110 section 5.3)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(app: WsgiApp, request: Request) -> Answer:
    """Let the application answer."""
    status = ""
    headers: dict[str, str] = {}

    def start_response(line: str, fields: list[tuple[str, str]], _info: object = None) -> None:
        nonlocal status
        status = line
        for name, value in fields:
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value

    chunks = app(request.environ(), start_response)
    body = b"".join(chunks)
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
    return Answer(int(status.split(" ", 1)[0]), headers, body)
