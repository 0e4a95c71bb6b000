"""The forms in which a job names an image."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from shared.jobfile.addresses import bad_address
from shared.jobfile.image_marks import PixelCounter
from shared.platform.webhook_settings import WebhookSettings
from shared.storage.layout import INPUTS, RESULTS, UPLOADS
from shared.storage.objects import ObjectReader

_LONGEST_KEY = 1023  # bytes of UTF-8, OSS object naming rules
_LONGEST_URL = 8192
_PRIVATE = "state/"
_TEMPORARY_HOST = "dashscope-instant"
_FOLDERS = (INPUTS, UPLOADS, RESULTS)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{100,}")
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


@dataclass(frozen=True)
class Place:
    """Where a job file is checked, and when.

    `images` reads the objects of `bucket`, which is empty where its name is not known. `own_hosts`:
    endpoints that are reachable, whatever they look like; None if nobody knows which are. `now` in
    seconds since 1970; 0 if signed URLs are not to be held against the time. `region` is Model
    Studio's; empty if models of all regions pass. `pixels` counts for all jobs that are checked at
    this place, those of a file. `webhooks`: who may be told of jobs; None where nobody knows.
    """

    images: ObjectReader
    bucket: str
    own_hosts: Collection[str] | None = ()
    now: float = 0.0
    region: str = ""
    pixels: PixelCounter = field(default_factory=PixelCounter)
    webhooks: WebhookSettings | None = None


def read_reference(text: str, place: Place, *, inline: bool, ascii_url: bool) -> Reference:
    """What `text` refers to. Raises BadReference.

    `oss:///key` and `oss://bucket/key` are objects of our own bucket, their keys taken literally
    (no percent-decoding); oss://dashscope-instant/… is a temporary upload of the model service.
    """
    scheme = text[:_LONGEST_URL].partition(":")[0].lower()
    if len(text) > _LONGEST_URL and scheme != "data":
        if "://" not in text[:_LONGEST_URL]:
            raise BadReference(FORMS, _unknown(text[:_LONGEST_URL], scheme))
        message = f"the address has {len(text)} characters; give the image a shorter one"
        raise BadReference(f"an address of at most {_LONGEST_URL} characters", message)
    if scheme == "oss" and text[3:6] == "://":
        return _oss(text[6:], place.bucket)
    if scheme in ("http", "https"):
        bad = bad_address(text, ascii_url=ascii_url, own_hosts=place.own_hosts, now=place.now)
        if bad is not None:
            raise BadReference(*bad)
        return Reference("url")
    if scheme == "data":
        return _data(text, inline)
    raise BadReference(FORMS, _unknown(text, scheme))


def key_named(text: str, bucket: str) -> str | None:
    """The object of our bucket that a text names, if it is a key that a job may read.

    Also where a folder is written in the bucket's place (`oss://uploads/…`): a job with it is
    rejected, and what it means is clear.
    """
    if text[:6].lower() != "oss://" or len(text) > _LONGEST_URL:
        return None
    host, _, key = text[6:].partition("/")
    try:
        named = f"{host}/{key}" if f"{host}/" in _FOLDERS else _oss(text[6:], bucket).key
        _check_key(named or "")
    except (BadReference, UnicodeEncodeError):
        return None
    return named


def _unknown(text: str, scheme: str) -> str:
    if "\N{FULLWIDTH COLON}" in text[:10]:
        return "the colon is a full-width one; write it as in https:// or oss:///key"
    if scheme != "file" and "://" not in text:
        if _BASE64.match(text):
            return "this is base64 alone; write data:image/jpeg;base64, (or png) before it"
        if _begins_with_host(text):
            return "an address without its beginning; write https:// before the host"
    if scheme == "file" or "://" not in text:
        return "a file of your own disk cannot be read; upload it and write oss:///inputs/name.png"
    return f"`{scheme[:20]}` is not an address the service can fetch; write https:// or oss:///key"


def _begins_with_host(text: str) -> bool:
    """Whether what stands before the first slash looks like a host's name."""
    host, slash, _ = text.removeprefix("//").partition("/")
    labels = host.partition(":")[0].split(".")
    are_names = all(one.replace("-", "a").isalnum() and one.isascii() for one in labels)
    return bool(slash) and len(labels) > 1 and are_names and labels[-1].isalpha()


def _oss(rest: str, bucket: str) -> Reference:
    host, _, key = rest.partition("/")
    if host in ("", bucket):
        _check_key(key)
        return Reference("bucket", key)
    if not key:
        raise BadReference(FORMS, "the address names no object; write oss:///key")
    if f"{host}/" in _FOLDERS:
        raise BadReference(FORMS, _folder_as_bucket(host))
    if bucket and host != _TEMPORARY_HOST:
        message = (
            f"`{host[:63]}` is neither this bucket nor {_TEMPORARY_HOST}, where temporary uploads"
            f" of the service are; copy the image to {INPUTS} and write oss:///{INPUTS}name.png"
        )
        raise BadReference(FORMS, message)
    return Reference("temporary")


def _folder_as_bucket(host: str) -> str:
    what = f"`{host}` is a folder of this bucket; with three slashes it reads oss:///{host}/…"
    if f"{host}/" != UPLOADS:
        return what
    return (
        f"a file that was uploaded here is named oss:///{UPLOADS}…; on the DashScope wire"
        f" send the header X-DashScope-OssResourceResolve: enable with oss://{UPLOADS}…"
    )


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
    if not key.startswith(_FOLDERS):
        message = f"{key} may not be read here; copy it to {INPUTS} and name that"
        raise BadReference(f"a key below {INPUTS}", message)


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
