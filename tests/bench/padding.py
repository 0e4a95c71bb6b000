"""Model Studio, but with images of any size: a proxy that pads what the laptop's server drew."""

from __future__ import annotations

import http.client
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

END = b"\0\0\0\0IEND\xaeB`\x82"
HOP = ("connection", "content-length", "transfer-encoding", "keep-alive", "host")


def padded(png: bytes, size: int) -> bytes:
    """The same picture as a file of `size` bytes: a private chunk of noise before its end.

    What is larger already, or is no PNG, stays as it is.
    """
    room = size - len(png) - 12  # length, name and checksum of the chunk
    if room < 0 or not png.endswith(END):
        return png
    chunk = b"waNx" + os.urandom(room)
    framed = struct.pack(">I", room) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[: -len(END)] + framed + END


@dataclass
class Padding:
    """The proxy's own URL, with the server's path, and the bytes of every image from now on."""

    url: str
    size: int


@contextmanager
def padding_proxy(upstream: str, size: int) -> Iterator[Padding]:
    """In front of the server at the URL `upstream`, until the end of the block.

    Addresses of `upstream` in its answers become the proxy's, so that images come through it.
    """
    there = urlsplit(upstream)

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on(None)

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _pass_on(self, body: bytes | None) -> None:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            connection = http.client.HTTPConnection(there.netloc, timeout=60)
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = padded(answer.read().replace(there.netloc.encode(), here), padding.size)
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    here = f"127.0.0.1:{server.server_port}".encode()
    padding = Padding(f"http://{here.decode()}{there.path}", size)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield padding
    finally:
        server.shutdown()
        server.server_close()
