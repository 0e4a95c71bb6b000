"""Conditional requests and ranges ("GetObject" page)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timezone
from email.utils import parsedate_to_datetime

from local.oss.answers import last_modified, quoted
from local.oss.errors import OssError
from local.oss.records import Record

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_PREFIX_OF_COPY = "x-oss-copy-source-"


def check_conditions(header: Callable[[str], str], record: Record, prefix: str = "") -> None:
    """Raise OssError 412 or 304 where a condition of the request does not hold.

    ``prefix`` is ``x-oss-copy-source-`` for the conditions on a copy's source.
    """
    match, none_match = header(f"{prefix}if-match"), header(f"{prefix}if-none-match")
    changed_since = _seconds(header(f"{prefix}if-modified-since"))
    unchanged_since = _seconds(header(f"{prefix}if-unmodified-since"))
    modified = int(record.modified)
    if match and not _matches(match, record.etag):
        raise _failed("If-Match", f"the ETag is {quoted(record.etag)}")
    if unchanged_since is not None and modified > unchanged_since:
        raise _failed("If-Unmodified-Since", f"it was changed {last_modified(record)}")
    not_modified = none_match and _matches(none_match, record.etag)
    if not not_modified and changed_since is not None and not none_match:
        not_modified = modified <= changed_since
    if not_modified:
        headers = {"ETag": quoted(record.etag), "Last-Modified": last_modified(record)}
        raise OssError(304, "NotModified", "The object has not been modified.", headers=headers)


def check_copy_conditions(header: Callable[[str], str], record: Record) -> None:
    """Raise OssError 412 or 304 where a condition on the source of a copy does not hold."""
    check_conditions(header, record, _PREFIX_OF_COPY)


def parse_range(text: str, size: int, *, standard: bool) -> tuple[int, int] | None:
    """Return first and last byte of the range to send, None for the whole object.

    Of several ranges the first counts. A range that reaches past the end is not in force: the whole
    object is sent. With ``standard`` (``x-oss-range-behavior: standard``) its end is cut instead,
    and where nothing is left OssError 416 is raised.
    """
    match = _RANGE.fullmatch(text.partition(",")[0].strip())
    if not match or match[1] == match[2] == "":
        return None
    if match[1] == "":
        length = int(match[2])
        first, last = max(0, size - length), size - 1
        valid = 0 < length <= size
    else:
        first, last = int(match[1]), int(match[2]) if match[2] else size - 1
        valid = first <= last < size
        if match[2] and last < first:
            return None
    if valid:
        return first, last
    if not standard:
        return None
    last = min(last, size - 1)
    if first > last:
        message = f"The range {text!r} lies outside the object's {size} bytes."
        headers = {"Content-Range": f"bytes */{size}"}
        raise OssError(416, "InvalidRange", message, headers=headers)
    return first, last


def _matches(condition: str, etag: str) -> bool:
    given = [part.strip().strip('"') for part in condition.split(",")]
    return "*" in given or etag in given


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return aware.timestamp()


def _failed(condition: str, fact: str) -> OssError:
    text = f"The condition {condition} does not hold: {fact}."
    return OssError(412, "PreconditionFailed", text)
