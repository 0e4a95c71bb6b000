"""Model Studio with images of any size: a proxy that pads the laptop server's pictures.

It sends them slowly where it is told to, so that many are on their way at once.
"""

from __future__ import annotations

import os
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from urllib.parse import urlsplit

import requests

END = b"\0\0\0\0IEND\xaeB`\x82"
PIECES = 20
HOP = ("connection", "content-length", "transfer-encoding", "keep-alive", "host")


def padded(png: bytes, size: int) -> bytes:
    """The same picture as a file of `size` bytes: a private chunk of noise before its end.

    A larger picture, or a text that is not a PNG, is returned unchanged.
    """
    room = size - len(png) - 12  # length, name and checksum of the chunk
    if room < 0 or not png.endswith(END):
        return png
    chunk = b"waNx" + os.urandom(room)
    framed = struct.pack(">I", room) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[: -len(END)] + framed + END


@dataclass
class Padding:
    """The proxy's own URL, with the server's path, and the bytes of every image from now on.

    `seconds`: how long one is on its way; `most`: images that were on their way at once.
    """

    url: str
    size: int
    seconds: float = 0.0
    most: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, out: BufferedIOBase, image: bytes) -> None:
        """Write an image, in pieces if it is to take its time."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            step = -(-len(image) // PIECES) if self.seconds else len(image)
            for begin in range(0, len(image), step):
                out.write(image[begin : begin + step])
                time.sleep(self.seconds / PIECES)
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def padding_proxy(upstream: str, size: int) -> Iterator[Padding]:
    """In front of the server at the URL `upstream`, until the end of the block.

    Addresses of `upstream` in its answers become the proxy's, so that images come through it.
    """
    there = urlsplit(upstream)

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            url = f"http://{there.netloc}{self.path}"
            answer = requests.request(self.command, url, data=body, headers=headers, timeout=60)
            content = padded(answer.content.replace(there.netloc.encode(), here), padding.size)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if content.endswith(END):
                padding.send(self.wfile, content)
            else:
                self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    here = f"127.0.0.1:{proxy.server_port}".encode()
    padding = Padding(f"http://{here.decode()}{there.path}", size)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield padding
    finally:
        proxy.shutdown()
        proxy.server_close()
