"""Pictures of the sort the documents' own addresses hold, and a host that serves them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from PIL import Image, ImageDraw

MASK_BOX = (380, 300, 640, 420)


class ImageHost:
    """Addresses of the pictures on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"

    def url(self, name: str) -> str:
        """Where the picture of that name is; a name that is not drawn answers 404."""
        return f"{self._base}/{name}"


@contextmanager
def image_host() -> Iterator[ImageHost]:
    """A running host, stopped at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ImageHost(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = drawn(self.path.lstrip("/"))
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def saved(name: str, folder: Path, as_name: str = "") -> Path:
    """The picture as a file in `folder`."""
    path = folder / (as_name or name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(drawn(name))
    return path


@cache
def drawn(name: str) -> bytes:
    """The picture's bytes; none for a name that is not known."""
    if name not in _SORTS:
        return b""
    size, kind = _SORTS[name]
    file = io.BytesIO()
    _DRAWINGS[kind](size).save(file, _FORMATS[name.rpartition(".")[2]])
    return file.getvalue()


def _scene(size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", size, (150, 190, 225))
    pen = ImageDraw.Draw(picture)
    width, height = size
    pen.rectangle((0, height * 2 // 3, width, height), fill=(120, 140, 90))
    pen.ellipse((width // 3, height // 4, width * 2 // 3, height * 3 // 4), fill=(170, 120, 70))
    return picture


def _mask(size: tuple[int, int]) -> Image.Image:
    picture = Image.new("L", size, 0)
    ImageDraw.Draw(picture).rectangle(MASK_BOX, fill=255)
    return picture


def _sketch(size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    width, height = size
    pen.rectangle(
        (width * 3 // 8, height // 5, width * 5 // 8, height * 4 // 5), outline=0, width=6
    )
    pen.line((width // 8, height * 4 // 5, width * 7 // 8, height * 4 // 5), fill=0, width=6)
    return picture


def _cut(size: tuple[int, int]) -> Image.Image:
    picture = _scene(size)
    opaque = Image.new("L", size, 0)
    width, height = size
    ImageDraw.Draw(opaque).ellipse((width // 3, height // 4, width * 2 // 3, height * 3 // 4), 255)
    picture.putalpha(opaque)
    return picture


def _grain(size: tuple[int, int]) -> Image.Image:
    """A picture of many bytes."""
    return Image.merge("RGB", [Image.effect_noise(size, 60)] * 3)


_SORTS = {
    "source3.jpg": ((1024, 1024), "scene"),
    "glasses.png": ((1024, 1024), "mask"),
    "small-mask.png": ((512, 512), "mask"),
    "p743851.jpg": ((768, 768), "sketch"),
    "other/image_1.png": ((500, 480), "scene"),
    "same/image_1.png": ((640, 480), "scene"),
    "树.png": ((768, 768), "sketch"),
    "tiny.png": ((200, 200), "scene"),
    "tiny-mask.png": ((200, 200), "mask"),
    "alarm-clock.webp": ((1104, 1472), "scene"),
    "dining-table.webp": ((1696, 960), "scene"),
    "image_1.png": ((640, 480), "scene"),
    "image_2.png": ((480, 640), "scene"),
    "cut-out.png": ((480, 600), "cut"),
    "edge.png": ((480, 600), "cut"),
    "tryon/ubznva/model_person.png": ((300, 560), "grain"),
    "tryon/epousa/short_sleeve.jpeg": ((400, 400), "grain"),
    "tryon/rchumi/pants.jpeg": ((300, 480), "grain"),
}
_DRAWINGS = {"scene": _scene, "mask": _mask, "sketch": _sketch, "cut": _cut, "grain": _grain}
_FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
