"""Finished images: kept in a folder of the server's own, handed out at signed addresses."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web

from local.modelstudio.clock import ServerClock

_REFUSED = (
    "<?xml version='1.0' encoding='UTF-8'?>"
    "<Error><Code>{code}</Code><Message>{text}</Message></Error>"
)
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg"}
_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}


class ResultStore:
    """Images by name (`<date>/<id>.png`), each at an address good for GET until it expires."""

    def __init__(self, folder: Path, clock: ServerClock) -> None:
        self._folder = folder
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._kept: deque[tuple[float, Path]] = deque()

    def keep(self, name: str, image: bytes, expires: float) -> None:
        """Store a finished image until `expires`, and drop those whose time is over."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
        self._kept.append((expires, path))
        while self._kept[0][0] <= self._clock.now():
            self._kept.popleft()[1].unlink(missing_ok=True)

    def path_and_query(self, name: str, expires: float) -> str:
        """The signed path of an image, valid until `expires` by the server's clock."""
        until = str(int(expires))
        query = urlencode({"Expires": until, "Signature": self._signature(name, until)})
        return f"/results/{name}?{query}"

    def _signature(self, name: str, until: str) -> str:
        return hmac.new(self._secret, f"{name}\n{until}".encode(), hashlib.sha256).hexdigest()

    def answer(self, request: web.Request) -> web.Response:
        """The image, or 403/404 in the manner of OSS. HEAD is refused: the signature covers GET."""
        name = f"{request.match_info['date']}/{request.match_info['name']}"
        until = request.query.get("Expires", "")
        expected = self._signature(name, until)
        genuine = hmac.compare_digest(
            request.query.get("Signature", "").encode(), expected.encode()
        )
        if request.method != "GET" or not genuine or len(request.query) != 2:
            return _refused(
                "SignatureDoesNotMatch",
                "The request signature does not match; use the URL unaltered.",
            )
        if self._clock.now() >= float(until):
            return _refused("AccessDenied", "Request has expired.")
        path = self._folder / name
        if not path.is_file():
            return _refused("NoSuchKey", "The specified key does not exist.", 404)
        return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix])


def _refused(code: str, text: str, status: int = 403) -> web.Response:
    body = _REFUSED.format(code=code, text=text)
    return web.Response(status=status, text=body, content_type="application/xml")
