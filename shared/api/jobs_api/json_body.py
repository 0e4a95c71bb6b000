"""Small JSON objects in request bodies."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import falcon

from shared.api.jobs_api.problems import Problem
from shared.api.jobs_api.taking import read_body, refused
from shared.catalogue.plain import TextUnreadable
from shared.jobfile import ParseLimits, Violation
from shared.jobfile.json_reader import read_json

BODY_BYTES = 16 * 1024
MISSING = object()
Wrong = tuple[str, str, str]
"""JSON Pointer, what is expected there, and what was found."""


def read_object(request: falcon.Request, title: str, expected: str) -> dict[str, Any]:
    """The JSON object in a body. Raises Problem that says what was found instead.

    `expected`: what the object holds, for the message; `title`: that of the problem.
    """
    media_type = (request.content_type or falcon.MEDIA_JSON).split(";")[0].strip().lower()
    if media_type != falcon.MEDIA_JSON:
        detail = f"Content-Type is {media_type[:80]}; send {falcon.MEDIA_JSON}."
        raise Problem(415, "Unknown media type", detail)
    body = read_body(request, BODY_BYTES)
    try:
        value = read_json(body.decode("utf-8"), ParseLimits().bounds()) if body else None
        if isinstance(value, dict):
            return value
        found = "a list" if isinstance(value, list) else short(value) if body else "an empty body"
    except UnicodeDecodeError as error:
        found = f"a body whose byte {error.start + 1} is not UTF-8"
    except TextUnreadable as error:
        problem = error.problems[0]
        found = f"a body that is no JSON: in line {problem.line}, {problem.message}"
    raise wrong(title, [("", f"a JSON object with {expected}", found)])


def short(value: Any) -> str:
    """The beginning of a value, as JSON."""
    return "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False)[:60]


def wrong(title: str, found: Iterable[Wrong]) -> Problem:
    """All that is wrong with an object."""
    violations = [
        Violation(
            pointer,
            None,
            expected,
            value,
            f"at {pointer or '/'}: {expected} is expected; found: {value}",
            "request body",
        )
        for pointer, expected, value in found
    ]
    whole = refused([("", one) for one in violations], 1)
    return Problem(422, title, "See `violations`.", whole.extra)
