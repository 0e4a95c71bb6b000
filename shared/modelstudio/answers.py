"""Reading an answer of the service, bounded in size and time, and cleaned; and what is known
without one.

Answers are not trusted. A text may hold half of a character pair (a prompt that was cut in the
middle of an emoji), which no UTF-8 can carry; a message may be megabytes long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

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
LONGEST_ID = 200
REQUEST_TIMED_OUT = 408
RUNNING_TOO = frozenset({"PRE-PROCESSING", "POST-PROCESSING", "SUSPENDED"})
"""Further words for a task that runs (AI try-on plus and word art API references)."""
BEIJING_TIME = timezone(timedelta(hours=8))
"""Times in answers are UTC+8 without saying so (wan2.5 API reference)."""

EARLIEST, AHEAD = 1_577_836_800, 366 * 24 * 3600
"""When 2020 began, long before any task; and seconds by which a time may be after ours at most.
What is beyond is not a clock that is wrong, but another unit, or damaged."""


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


def short(value: Any) -> str:
    """A code or an id: a text that is not empty and not absurdly long."""
    return str(value)[:LONGEST_ID] if value else ""


def status_of(value: Any) -> str:
    """A task's status, in the words of the task management page."""
    status = short(value)
    return "RUNNING" if status in RUNNING_TOO else status


def times_of(output: Mapping[str, Any]) -> dict[str, float]:
    """When a task was submitted, begun and ended, in seconds since 1970, as far as it is shown."""
    found = {}
    for name in ("submit_time", "scheduled_time", "end_time"):
        try:
            moment = datetime.strptime(str(output.get(name)), "%Y-%m-%d %H:%M:%S.%f")
        except ValueError:
            continue
        found[name] = moment.replace(tzinfo=BEIJING_TIME).timestamp()
    return found


def is_unclear(status: int) -> bool:
    """Whether a POST with this answer may have been worked on although the answer does not say so:
    taken (2xx), broken down (5xx), or timed out on the way (408; RFC 9110, section 15)."""
    return 200 <= status < 300 or status >= 500 or status == REQUEST_TIMED_OUT


def moment_of(value: Any, now: float) -> float | None:
    """Milliseconds since 1970 as seconds; None for what cannot be the time of a task."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value / 1000 if EARLIEST * 1000 <= value <= (now + AHEAD) * 1000 else None


def never_sent(error: requests.RequestException) -> bool:
    """Whether a request has not reached the service, for certain."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = error.args[0] if error.args else None
    cause = getattr(reason, "reason", reason)
    return isinstance(cause, (NewConnectionError, ConnectTimeoutError))
