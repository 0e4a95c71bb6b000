"""Names of buckets and objects, and which object keys can be ordinary paths."""

from __future__ import annotations

import hashlib
import re

from local.oss.errors import OssError, invalid_argument

MAX_KEY_BYTES = 1023
MAX_SEGMENT_BYTES = 255
MAX_DEPTH = 100
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_SCRATCH_SUFFIXES = ("~", ".swp", ".swx", ".tmp", ".part", ".crdownload", ".download")


def check_bucket_name(name: str) -> None:
    """Refuse a bucket name outside the rules of the PutBucket page."""
    if not is_bucket_name(name):
        text = f"The bucket name {name!r} must be 3 to 63 of a-z, 0-9 and '-', not '-' at an end."
        raise OssError(400, "InvalidBucketName", text)


def is_bucket_name(name: str) -> bool:
    """Tell whether ``name`` may name a bucket."""
    return bool(_BUCKET.fullmatch(name))


def check_key(key: str) -> None:
    """Refuse a key that is empty, too long or begins with a slash or backslash."""
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise OssError(400, "InvalidObjectName", "The object's key is not UTF-8.") from None
    if not 1 <= length <= MAX_KEY_BYTES or key[0] in "/\\":
        text = (
            f"The object key {key[:80]!r} has {length} bytes; expected 1 to {MAX_KEY_BYTES} bytes "
            "of UTF-8 that do not begin with '/' or '\\'."
        )
        raise OssError(400, "InvalidObjectName", text)


def is_plain(key: str) -> bool:
    """Tell whether a key can be an ordinary path below the bucket's folder.

    Keys with empty, ``.``, ``..``, over-long or very many segments or a zero byte cannot; they are
    kept in files named by :func:`private_name`.
    """
    segments = key.split("/")
    if "\0" in key or len(segments) > MAX_DEPTH:
        return False
    for segment in segments:
        if (
            segment in ("", ".", "..")
            or len(segment.encode("utf-8", "replace")) > MAX_SEGMENT_BYTES
        ):
            return False
    return True


def private_name(key: str) -> str:
    """Return the file name of an object that cannot be an ordinary path."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_scratch(key: str) -> bool:
    """Tell whether a key looks like an editor's or a copying program's temporary file."""
    name = key.rpartition("/")[2]
    return name.startswith((".", "#")) or name.lower().endswith(_SCRATCH_SUFFIXES)


def parse_max(text: str | None, name: str, default: int, limit: int) -> int:
    """Return a page size; an absent or empty parameter means ``default``."""
    if not text:
        return default
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= limit:
        raise invalid_argument(f"{name} must be a whole number from 1 to {limit}; it is {text!r}.")
    return int(text)
