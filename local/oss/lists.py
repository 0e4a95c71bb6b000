"""The two forms of listing a bucket: ListObjects and ListObjectsV2."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from zlib import crc32

from aiohttp import web

from local.oss import answers, xml
from local.oss.errors import OssError, invalid_argument
from local.oss.keys import parse_max
from local.oss.listing import Item, Page, Query
from local.oss.notices import ACCOUNT_ID
from local.oss.offered import is_true
from local.oss.service import Call
from local.oss.xml import element, leaf

_Nodes = list[xml.Element]


@dataclass(frozen=True)
class _Listing:
    query: Query
    page: Page
    entries: _Nodes
    encoding: str


async def list_objects(call: Call) -> web.StreamResponse:
    """ListObjects, or ListObjectsV2 with ``list-type=2``."""
    call.service.store.require_bucket(call.bucket)
    form = call.query.get("list-type", "")
    if form not in ("", "2"):
        raise invalid_argument(f"list-type must be 2; it is {form!r}.")
    second = form == "2"
    listing = await asyncio.to_thread(_listing, call, second)
    return answers.xml_answer(_second(call, listing) if second else _first(call, listing))


def _listing(call: Call, second: bool) -> _Listing:
    query = call.query
    if second:
        markers = [query.get("start-after", ""), _named(query.get("continuation-token", ""))]
    else:
        markers = [query.get("marker", "")]
    wanted = Query(
        bucket=call.bucket,
        prefix=query.get("prefix", ""),
        after=max(markers, key=str.encode),
        delimiter=query.get("delimiter", ""),
        count=parse_max(query.get("max-keys"), "max-keys", 100, 1000),
    )
    page = call.service.lister.page(wanted)
    with_owner = not second or is_true("fetch-owner", query.get("fetch-owner", ""))
    entries = _entries(call, page, call.encoding, with_owner)
    return _Listing(wanted, page, entries, call.encoding)


def _token(name: str) -> str:
    """Return the continuation token that leads on after a name; clients may not make their own."""
    raw = name.encode()
    return base64.urlsafe_b64encode(crc32(raw).to_bytes(4, "big") + raw).decode().rstrip("=")


def _named(token: str) -> str:
    """Return the name a token leads on after; raises OssError 400 where no listing gave it."""
    if not token:
        return ""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        name = raw[4:].decode()
    except ValueError:
        name = ""
    if not name or _token(name) != token:
        raise invalid_argument(
            f"No listing has answered the continuation-token {token[:80]!r}; send "
            "NextContinuationToken of the page before, or start-after for a key."
        )
    return name


def _entries(call: Call, page: Page, encoding: str, with_owner: bool) -> _Nodes:
    nodes = [_entry(call, item, encoding, with_owner) for item in page.items if not item.is_prefix]
    prefixes = [item for item in page.items if item.is_prefix]
    folded = [
        element("CommonPrefixes", leaf("Prefix", xml.encode_name(item.name, encoding)))
        for item in prefixes
    ]
    return [node for node in nodes if node is not None] + folded


def _entry(call: Call, item: Item, encoding: str, with_owner: bool) -> xml.Element | None:
    try:
        record = call.service.store.recogniser.record(call.bucket, item.name)
    except OssError:
        return None  # removed, or being written by hand, since the folder was read
    owner = element("Owner", leaf("ID", ACCOUNT_ID), leaf("DisplayName", ACCOUNT_ID))
    storage_class = record.attributes.headers.get("x-oss-storage-class", "Standard")
    return element(
        "Contents",
        leaf("Key", xml.encode_name(record.key, encoding)),
        leaf("LastModified", xml.timestamp(record.modified)),
        leaf("ETag", answers.quoted(record.etag)),
        leaf("Type", record.attributes.kind),
        leaf("Size", record.size),
        leaf("StorageClass", storage_class),
        owner if with_owner else None,
    )


def _head(call: Call, listing: _Listing) -> _Nodes:
    query, encoding = listing.query, listing.encoding
    head = [
        leaf("Name", call.bucket),
        leaf("Prefix", xml.encode_name(query.prefix, encoding)),
        leaf("MaxKeys", query.count),
        leaf("Delimiter", xml.encode_name(query.delimiter, encoding)),
        leaf("IsTruncated", listing.page.truncated),
    ]
    return [*head, leaf("EncodingType", encoding)] if encoding else head


def _last(listing: _Listing) -> str:
    """Return the name after which the next page begins, empty on the last page."""
    return listing.page.items[-1].name if listing.page.truncated else ""


def _first(call: Call, listing: _Listing) -> xml.Element:
    marker = xml.encode_name(call.query.get("marker", ""), listing.encoding)
    following = xml.encode_name(_last(listing), listing.encoding)
    return element(
        "ListBucketResult",
        *_head(call, listing),
        leaf("Marker", marker),
        leaf("NextMarker", following) if following else None,
        *listing.entries,
    )


def _second(call: Call, listing: _Listing) -> xml.Element:
    start = xml.encode_name(call.query.get("start-after", ""), listing.encoding)
    token, last = call.query.get("continuation-token", ""), _last(listing)
    return element(
        "ListBucketResult",
        *_head(call, listing),
        leaf("StartAfter", start),
        leaf("ContinuationToken", token) if token else None,
        leaf("KeyCount", len(listing.page.items)),
        leaf("NextContinuationToken", _token(last)) if last else None,
        *listing.entries,
    )
