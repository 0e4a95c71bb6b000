"""A web function: answers with what it was asked, or in the way the path asks for."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path == "/die":
            os._exit(1)
        if path == "/gate":
            self._gate()
        if path == "/stream":
            return self._stream()
        if path == "/left":
            return self._note_end()
        print(f"asked for {path}", flush=True)
        if path == "/binary":
            return self._send(201, bytes(range(256)), "image/png", ("a=1", "b=2"))
        return self._send(404 if path == "/missing" else 200, self._seen(body), "application/json")

    do_GET = do_POST = do_HEAD = _answer

    def _stream(self) -> None:
        """A chunk at once, and another one when the gate is opened."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nfirst\r\n")
        self._gate()
        self.wfile.write(b"6\r\nsecond\r\n0\r\n\r\n")

    def _note_end(self) -> None:
        """Waits until the connection is closed, and writes that down."""
        note = Path(parse_qs(urlsplit(self.path).query)["name"][0])
        note.with_name(f"{note.name}.entered-{os.getpid()}").touch()
        note.write_text("closed" if self.connection.recv(1) == b"" else "asked again")
        self.close_connection = True

    def _gate(self) -> None:
        """Waits until somebody writes to the pipe that the query names."""
        gate = Path(parse_qs(urlsplit(self.path).query)["name"][0])
        gate.with_name(f"{gate.name}.entered-{os.getpid()}").touch()
        gate.read_text()

    def _seen(self, body: bytes) -> bytes:
        seen = {
            "method": self.command,
            "path": self.path,
            "headers": list(self.headers.items()),
            "body": body.decode("latin-1"),
            "pid": os.getpid(),
            "cwd": str(Path.cwd()),
            "environ": dict(os.environ),
        }
        return json.dumps(seen).encode()

    def _send(self, status: int, body: bytes, kind: str, cookies: tuple[str, ...] = ()) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for cookie in cookies:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing beside what is printed on purpose."""


class Patient(ThreadingHTTPServer):
    request_queue_size = 64


port = int(os.environ["FC_CUSTOM_LISTEN_PORT"])
Patient((os.environ["LISTEN_HOST"], port), Server).serve_forever()
