"""`/uploads`: permission to put one image into the bucket, straight from the browser."""

from __future__ import annotations

import json
import re
from typing import Any

import falcon

from shared.api.context import answer_json, app_of
from shared.api.image_files import EXTENSIONS, MOST_BYTES
from shared.api.jobs_api.problems import Problem
from shared.api.jobs_api.taking import read_body, refused
from shared.catalogue.plain import TextUnreadable
from shared.jobfile import ParseLimits, Violation
from shared.jobfile.json_reader import read_json
from shared.platform.clock import nonce
from shared.storage import layout

UPLOAD_SECONDS = 900
BODY_BYTES = 16 * 1024
ONCE = {"x-oss-forbid-overwrite": "true"}
"""What was checked with a job stays what the job uses (OSS PutObject page)."""
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST_STEM = 64
MISSING = object()


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
    media_type = (request.content_type or falcon.MEDIA_JSON).split(";")[0].strip().lower()
    if media_type != falcon.MEDIA_JSON:
        detail = f"Content-Type is {media_type[:80]}; send {falcon.MEDIA_JSON}."
        raise Problem(415, "Unknown media type", detail)
    value = _object(read_body(request, BODY_BYTES))
    found = _violations(value)
    if found:
        raise _wrong(found)
    return value["name"], value["content_type"]


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises Problem that says what was found instead."""
    try:
        value = read_json(body.decode("utf-8"), ParseLimits().bounds()) if body else None
        if isinstance(value, dict):
            return value
        found = "a list" if isinstance(value, list) else _short(value) if body else "an empty body"
    except UnicodeDecodeError as error:
        found = f"a body whose byte {error.start + 1} is not UTF-8"
    except TextUnreadable as error:
        problem = error.problems[0]
        found = f"a body that is no JSON: in line {problem.line}, {problem.message}"
    raise _wrong([("", "a JSON object with name, size and content_type", found)])


def _violations(value: dict[str, Any]) -> list[tuple[str, str, str]]:
    name, size, kind = (value.get(field, MISSING) for field in ("name", "size", "content_type"))
    found = []
    if not isinstance(name, str) or not 0 < len(name) <= 255:
        found.append(("/name", "a file name of 1 to 255 characters", _short(name)))
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= MOST_BYTES:
        found.append(("/size", f"the file's size, 1 to {MOST_BYTES} bytes", _short(size)))
    if not isinstance(kind, str) or kind not in EXTENSIONS:
        found.append(("/content_type", f"one of {', '.join(EXTENSIONS)}", _short(kind)))
    return found


def _short(value: Any) -> str:
    return "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False)[:60]


def _wrong(found: list[tuple[str, str, str]]) -> Problem:
    violations = [
        Violation(
            pointer,
            None,
            expected,
            value,
            f"at {pointer or '/'}: {expected} is expected; found: {value}",
            "upload",
        )
        for pointer, expected, value in found
    ]
    whole = refused([("", one) for one in violations], 1)
    return Problem(422, "The upload is not in order", "See `violations`.", whole.extra)
