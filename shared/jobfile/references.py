"""The forms in which a job names an image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_LONGEST_KEY = 1023  # bytes of UTF-8, OSS object naming rules
_LONGEST_URL = 8192
_PRIVATE = "state/"
_TEMPORARY_HOST = "dashscope-instant"
_UPLOADS = "uploads"
_DATA = re.compile(r"data:([A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+);base64,", re.IGNORECASE)

FORMS = "oss:///inputs/name.png (this bucket), an http(s) URL, or oss://… from a temporary upload"


@dataclass(frozen=True)
class Reference:
    """An image named in a well-formed way. `form` is bucket, url, data or temporary."""

    form: str
    key: str | None = None


class BadReference(Exception):
    """The text names no image; `expected` says what would, the message what to do."""

    def __init__(self, expected: str, message: str) -> None:
        super().__init__(message)
        self.expected = expected


def read_reference(text: str, bucket: str, *, inline: bool, ascii_url: bool) -> Reference:
    """What `text` refers to. Raises BadReference.

    `oss:///key` and `oss://bucket/key` are objects of our own bucket, their keys taken literally
    (no percent-decoding); any other `oss://` is a temporary upload of the model service.
    """
    scheme = text[:_LONGEST_URL].partition(":")[0].lower()
    if len(text) > _LONGEST_URL and scheme != "data":
        message = f"the address has {len(text)} characters; give the image a shorter one"
        raise BadReference(f"an address of at most {_LONGEST_URL} characters", message)
    if scheme == "oss" and text[3:6] == "://":
        return _oss(text[6:], bucket)
    if scheme in ("http", "https"):
        return _url(text, ascii_url)
    if scheme == "data":
        return _data(text, inline)
    raise BadReference(FORMS, _unknown(text, scheme))


def _unknown(text: str, scheme: str) -> str:
    if scheme == "file" or "://" not in text:
        return "a file of your own disk cannot be read; upload it and write oss:///inputs/name.png"
    return f"`{scheme[:20]}` is not an address the service can fetch; write https:// or oss:///key"


def _oss(rest: str, bucket: str) -> Reference:
    host, _, key = rest.partition("/")
    if host not in ("", bucket):
        if not key:
            raise BadReference(FORMS, "the address names no object; write oss:///key")
        if host == _UPLOADS:
            message = (
                f"a file that was uploaded here is named oss:///{_UPLOADS}/…; on the DashScope wire"
                " send the header X-DashScope-OssResourceResolve: enable with oss://uploads/…"
            )
            raise BadReference(FORMS, message)
        return Reference("temporary")
    _check_key(key)
    return Reference("bucket", key)


def _check_key(key: str) -> None:
    expected = "the key of an object in the bucket"
    if not key or key.endswith("/"):
        raise BadReference(expected, "the address names a folder, not an object; add the file name")
    if key.startswith(_PRIVATE):
        message = f"keys below {_PRIVATE} are the system's own; put images below inputs/"
        raise BadReference(f"a key outside {_PRIVATE}", message)
    if key.startswith(("/", "\\")) or any(part in (".", "..") for part in key.split("/")):
        message = "the key starts with a slash or holds `..`; write the object's exact key"
        raise BadReference("a key without `..` segments", message)
    if not key.isprintable():
        message = "the key holds a control character or line break; write the object's exact key"
        raise BadReference("a key of printable characters", message)
    if len(key.encode("utf-8")) > _LONGEST_KEY:
        message = f"the key is longer than {_LONGEST_KEY} bytes; OSS has no such object"
        raise BadReference(f"at most {_LONGEST_KEY} bytes", message)


def _url(text: str, ascii_url: bool) -> Reference:
    expected = "http:// or https://, a host and a path, without credentials"
    if re.search(r"[\s\x00-\x1f\x7f<>\"]", text):
        message = "the URL holds a space or another character that must be percent-encoded"
        raise BadReference(expected, message)
    if ascii_url and not text.isascii():
        message = (
            "the URL holds characters that are not ASCII, such as Chinese; percent-encode them"
        )
        raise BadReference("a URL of ASCII characters alone", message)
    try:
        parts = urlsplit(text)
        valid = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise BadReference(expected, "the URL names no valid host; write https://host/path")
    if "@" in parts.netloc:
        message = "the URL holds a user name or password, which would be stored; use a signed URL"
        raise BadReference(expected, message)
    return Reference("url")


def _data(text: str, inline: bool) -> Reference:
    if not inline:
        message = (
            "this model takes no inline data; upload the image and write oss:///inputs/name.png"
        )
        raise BadReference(FORMS, message)
    if not _DATA.match(text[:200]):
        message = "inline data must start with data:image/png;base64, (or another image type)"
        raise BadReference("data:{media type};base64,{data}", message)
    return Reference("data")


def is_known_temporary(text: str) -> bool:
    """Whether a temporary reference looks like those the service gives out."""
    return text[6:].startswith(f"{_TEMPORARY_HOST}/")
