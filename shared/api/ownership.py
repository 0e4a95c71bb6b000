"""Objects of the bucket that a request names and that do not belong to the caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.api.tokens import Caller
from shared.catalogue.plain import escape
from shared.jobfile import short_pointer
from shared.storage import layout


def foreign_objects(value: Any, caller: Caller, bucket: str) -> Iterator[tuple[str, str]]:
    """JSON Pointer and message for each; `value` is a request's `input`.

    A caller with a prefix may use what was uploaded (nobody knows another one's folder) and the
    results of its own jobs.
    """
    if not caller.prefix:
        return
    own = (layout.INPUTS, layout.UPLOADS, f"{layout.RESULTS}{caller.prefix}")
    for pointer, text in _texts("/input", value):
        key = _key_in(text, bucket)
        if key is not None and not key.startswith(own):
            yield (
                pointer,
                f"at {short_pointer(pointer)}: this token may use uploaded images, and results of"
                f" jobs whose ids begin with {caller.prefix}; upload the image (POST /uploads)",
            )


def _texts(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """One after the other: the places of a whole job, each with all its parents, are too much."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(f"{place}/{escape(name)}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(f"{place}/{number}", inner)


def _key_in(text: str, bucket: str) -> str | None:
    if text[:6].lower() != "oss://":
        return None
    host, _, key = text[6:].partition("/")
    return key if host in ("", bucket) else None
