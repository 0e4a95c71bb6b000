"""What a request says of an object it writes: headers to keep, metadata, tags, ACL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from local.oss.answers import STORED_HEADERS, check_header_value
from local.oss.errors import OssError, invalid_argument, not_implemented
from local.oss.records import STORAGE_CLASS, Attributes

META_PREFIX = "x-oss-meta-"
MAX_META_BYTES = 8192
MAX_TAGS = 10
_TAG_SIGNS = "+-=._:/"
OBJECT_ACLS = ("default", "private", "public-read", "public-read-write")
BUCKET_ACLS = OBJECT_ACLS[1:]
STORAGE_CLASSES = ("Standard", "IA")
_RESTORED_FIRST = ("Archive", "ColdArchive", "DeepColdArchive")
_META_NAME = re.compile(r"x-oss-meta-[a-z0-9-]+")


def from_headers(headers: Iterable[tuple[str, str]]) -> Attributes:
    """Read the attributes of a new object; raises OssError 400 where they break a rule."""
    lowered = {name.lower(): value for name, value in headers}
    kept = {n: v for n, v in lowered.items() if n in STORED_HEADERS or n.startswith(META_PREFIX)}
    _check_metadata(kept)
    check_storage_class(kept.get(STORAGE_CLASS, "Standard"))
    acl = lowered.get("x-oss-object-acl", "default")
    check_acl(acl, OBJECT_ACLS)
    return Attributes(headers=kept, tags=parse_tagging(lowered.get("x-oss-tagging", "")), acl=acl)


def _check_metadata(kept: Mapping[str, str]) -> None:
    total = 0
    for name, value in kept.items():
        check_header_value(name, value)
        if not name.startswith(META_PREFIX):
            continue
        total += len(name) - len(META_PREFIX) + len(value.encode())
        if not _META_NAME.fullmatch(name):
            text = f"The metadata name {name!r} may hold only letters, digits and '-'."
            raise invalid_argument(text)
    if total > MAX_META_BYTES:
        text = f"The x-oss-meta-* headers have {total} bytes; at most {MAX_META_BYTES} are allowed."
        raise OssError(400, "MetadataTooLarge", text)


def check_acl(acl: str, allowed: Iterable[str]) -> None:
    """Refuse an ACL that does not exist."""
    if acl not in allowed:
        raise invalid_argument(f"The ACL {acl!r} does not exist; use one of {', '.join(allowed)}.")


def check_storage_class(name: str) -> None:
    """Refuse a class that does not exist (400), or whose objects have to be restored (501)."""
    if name in _RESTORED_FIRST:
        raise not_implemented(
            f"This server does not offer the storage class {name}: it restores no objects."
        )
    if name not in STORAGE_CLASSES:
        text = f"The storage class {name!r} does not exist; use {' or '.join(STORAGE_CLASSES)}."
        raise invalid_argument(text)


def parse_tagging(text: str) -> dict[str, str]:
    """Read the header form of tags, ``a=1&b=2``."""
    return check_tags(parse_qsl(text, keep_blank_values=True))


def check_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Check number, length, characters and uniqueness; raises OssError 400 ``InvalidTag``."""
    tags = dict(pairs)
    wrong = [k for k, v in pairs if not 1 <= len(k) <= 128 or len(v) > 256 or not _tag_text(k + v)]
    if len(pairs) > MAX_TAGS or len(tags) != len(pairs) or wrong:
        text = (
            f"{len(pairs)} tags; at most {MAX_TAGS}, each key once, keys of 1 to 128 and values of "
            f"up to 256 characters: letters, digits, space and {_TAG_SIGNS}."
        )
        raise OssError(400, "InvalidTag", text)
    return tags


def _tag_text(text: str) -> bool:
    return all(c.isalnum() or c == " " or c in _TAG_SIGNS for c in text)
