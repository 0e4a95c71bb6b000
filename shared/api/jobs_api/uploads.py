"""`/uploads`: permission to put one image into the bucket, straight from the browser."""

from __future__ import annotations

import re
from typing import Any

import falcon

from shared.api.context import answer_json, app_of
from shared.api.image_files import EXTENSIONS, MOST_BYTES
from shared.api.jobs_api.json_body import MISSING, Wrong, read_object, short, wrong
from shared.platform.clock import nonce
from shared.storage import layout

UPLOAD_SECONDS = 900
ONCE = {"x-oss-forbid-overwrite": "true"}
"""What was checked with a job stays what the job uses (OSS PutObject page)."""
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST_STEM = 64


class Uploads:
    """`/uploads`"""

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """A presigned PUT under a folder that nobody else knows."""
        name, content_type = _read(request)
        app = app_of(request)
        folder = nonce(app.rng)
        key = f"{layout.INPUTS}{folder}/{safe_name(name, content_type)}"
        headers = {"Content-Type": content_type, **ONCE}
        url = app.store.presign_put(key, UPLOAD_SECONDS, headers)
        put = {"url": url, "headers": headers, "expires_in": UPLOAD_SECONDS}
        answer_json(response, {"key": key, "url": f"oss:///{key}", "put": put})


def safe_name(name: str, content_type: str) -> str:
    """A file name of plain ASCII with the extension of its type."""
    bare = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, _, extension = bare.rpartition(".")
    fitting = EXTENSIONS[content_type]
    ending = extension.lower() if stem and extension.lower() in fitting else fitting[0]
    plain = UNSAFE.sub("-", stem or bare).strip("-")[:LONGEST_STEM] or "image"
    return f"{plain}.{ending}"


def _read(request: falcon.Request) -> tuple[str, str]:
    """Name and Content-Type of the file. Raises Problem with all violations."""
    title = "The upload is not in order"
    value = read_object(request, title, "name, size and content_type")
    found = _violations(value)
    if found:
        raise wrong(title, found)
    return value["name"], value["content_type"]


def _violations(value: dict[str, Any]) -> list[Wrong]:
    name, size, kind = (value.get(field, MISSING) for field in ("name", "size", "content_type"))
    found = []
    if not isinstance(name, str) or not 0 < len(name) <= 255:
        found.append(("/name", "a file name of 1 to 255 characters", short(name)))
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= MOST_BYTES:
        found.append(("/size", f"the file's size, 1 to {MOST_BYTES} bytes", short(size)))
    if not isinstance(kind, str) or kind not in EXTENSIONS:
        found.append(("/content_type", f"one of {', '.join(EXTENSIONS)}", short(kind)))
    return found
