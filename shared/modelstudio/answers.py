"""Reading an answer of the service: bounded in size and time, and cleaned.

Answers are not trusted. A text may hold half of a character pair (a prompt that was cut in the
middle of an emoji), which no UTF-8 can carry; a message may be megabytes long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from urllib3.exceptions import HTTPError

from shared.platform.slim_imports import requests

RETENTION = 24 * 3600.0
"""Seconds for which task and images exist, counted from submission (wan2.5 API reference)."""
ANSWER_BYTES = 4 * 1024 * 1024
"""A page of 100 listed tasks has about 50 kB; an answer with results a few kB."""
LONGEST_TEXT = 4000
"""Characters of a text that is kept; the longest documented prompt has 2,000."""
LONGEST_URL = 8192
DEEPEST = 16
"""Levels of nesting that are kept; documented answers have five."""


class AnswerTooSlow(Exception):
    """The answer did not end in time."""


class UnreadableBody(Exception):
    """The body is not a JSON object, or is larger than `ANSWER_BYTES`."""


def pieces(answer: requests.Response, size: int) -> Iterator[bytes]:
    """The body as it arrives, at most `size` bytes at a time.

    `iter_content` waits for a whole piece, so that a server which sends a byte now and then would
    be waited for without end. Raises what requests raises when the connection breaks.
    """
    raw = getattr(answer, "raw", None)
    read = getattr(raw, "read1", None)
    if raw is None or read is None or raw.closed:  # read already, or not from a socket
        yield from answer.iter_content(size)
        return
    try:
        while piece := read(size, decode_content=True):
            yield piece
    except HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from None


def read_object(answer: requests.Response, in_time: Callable[[], bool]) -> dict[str, Any]:
    """The JSON object in an answer's body.

    `in_time` is asked after every piece. Raises UnreadableBody, AnswerTooSlow, and what requests
    raises when the connection breaks.
    """
    body = bytearray()
    for piece in pieces(answer, 64 * 1024):
        body += piece
        if len(body) > ANSWER_BYTES:
            raise UnreadableBody(f"more than {ANSWER_BYTES} bytes")
        if not in_time():
            raise AnswerTooSlow
    try:
        document = json.loads(bytes(body))
        cleaned = clean(document)
    except (ValueError, RecursionError):
        raise UnreadableBody("not JSON") from None
    if not isinstance(cleaned, dict):
        raise UnreadableBody("not a JSON object")
    return cleaned


def clean(value: Any, levels: int = DEEPEST) -> Any:
    """The same JSON value with texts that UTF-8 can carry and of bounded length.

    A number that is not finite becomes None, and so does what lies deeper than `levels`: records
    and manifests that repeat it are written by a recursive library.
    """
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, (dict, list)) and not levels:
        return None
    if isinstance(value, dict):
        return {_clean_text(str(name)): clean(item, levels - 1) for name, item in value.items()}
    if isinstance(value, list):
        return [clean(item, levels - 1) for item in value]
    return value


def _clean_text(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode("utf-8")
    most = LONGEST_URL if whole.startswith(("http://", "https://")) else LONGEST_TEXT
    return whole if len(whole) <= most else f"{whole[:most]}…"
