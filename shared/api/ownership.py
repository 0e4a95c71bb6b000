"""Objects of the bucket that a request names and that do not belong to the caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.api.tokens import Caller
from shared.storage import layout


def foreign_objects(value: Any, caller: Caller, bucket: str) -> Iterator[tuple[str, str]]:
    """JSON Pointer and message for each; `value` is a request's `input`.

    A caller with a prefix may use what was uploaded (nobody knows another one's folder) and the
    results of its own jobs.
    """
    if not caller.prefix:
        return
    own = (layout.INPUTS, layout.UPLOADS, f"{layout.RESULTS}{caller.prefix}")
    for pointer, text in _texts(value):
        key = _key_in(text, bucket)
        if key is not None and not key.startswith(own):
            yield (
                pointer,
                f"at {pointer}: this token may use uploaded images, and results of jobs whose ids"
                f" begin with {caller.prefix}; upload the image (POST /uploads)",
            )


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    waiting = [("/input", value)]
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, str):
            yield place, one
        elif isinstance(one, dict):
            waiting += [(f"{place}/{name}", inner) for name, inner in one.items()]
        elif isinstance(one, list):
            waiting += [(f"{place}/{n}", inner) for n, inner in enumerate(one)]


def _key_in(text: str, bucket: str) -> str | None:
    if text[:6].lower() != "oss://":
        return None
    host, _, key = text[6:].partition("/")
    return key if host in ("", bucket) else None
