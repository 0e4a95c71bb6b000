"""The page: the files of the folder `web/`, which hold no data and so need no token.

The page names its files by URLs with the version of the folder, so that browsers keep them for a
year and ask for the page alone. A file under another version, as a page from before a deployment
asks for it, is answered too, but must not be kept: it may be newer than its URL says.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import falcon

from shared.api.context import app_of
from shared.api.jobs_api.page_version import FORM, FolderVersion
from shared.api.jobs_api.problems import Problem
from shared.app import App
from shared.storage import layout

WEB = Path(__file__).resolve().parents[3] / "web"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
INDEX = "index.html"
KEPT, ASKED_FOR = "public, max-age=31536000, immutable", "no-cache"


class Page:
    """`/`, `/web/…` and `/web/<version>/…`"""

    def __init__(self, folder: Path = WEB) -> None:
        self._folder = folder
        self._version = FolderVersion(folder)

    def on_get(self, request: falcon.Request, response: falcon.Response, name: str = INDEX) -> None:
        """One file of the page."""
        version = self._version.now()
        asked, _, below = name.partition("/")
        if FORM.fullmatch(asked):
            name = below
        body = self._read(name)
        if name == INDEX:
            body = body.replace(b'"web/', f'"web/{version}/'.encode())
        tag = hashlib.sha256(body).hexdigest()[:32]
        response.content_type = MEDIA_TYPES[Path(name).suffix]
        response.set_header("Content-Security-Policy", policy(app_of(request)))
        response.set_header("Referrer-Policy", "no-referrer")
        response.set_header("Cache-Control", KEPT if asked == version else ASKED_FOR)
        response.set_header("ETag", f'"{tag}"')
        if f'"{tag}"' in (request.get_header("If-None-Match") or ""):
            response.status = falcon.HTTP_304
            return
        response.data = body

    def _read(self, name: str) -> bytes:
        """A file inside the folder, and none of another kind. Raises Problem."""
        missing = Problem(404, "No such file", "The page's files lie in web/ beside shared/.")
        hidden = any(part.startswith(".") or not part for part in name.split("/"))
        if hidden or not name.isprintable() or Path(name).suffix not in MEDIA_TYPES:
            raise missing
        try:
            path = (self._folder / name).resolve()
            if not path.is_relative_to(self._folder.resolve()):
                raise missing
            return path.read_bytes()
        except (OSError, ValueError):
            raise missing from None


def policy(app: App) -> str:
    """Content-Security-Policy: the page talks to us and to the bucket, and runs its own scripts."""
    places = [app.store.presign(layout.INPUTS, 60)]
    if app.settings.results_bucket:
        places.append(app.store.presign(layout.RESULTS, 60))
    if app.settings.result_base_url:
        places.append(app.settings.result_base_url)
    origins = ("{0.scheme}://{0.netloc}".format(urlsplit(one)) for one in places)
    shown = " ".join(dict.fromkeys(origins))
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src 'self' data: blob: {shown}",
            f"connect-src 'self' {shown}",
            "style-src 'self'",
            "script-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
