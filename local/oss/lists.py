"""The two forms of listing a bucket: ListObjects and ListObjectsV2."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from local.oss import answers, xml
from local.oss.errors import OssError, invalid_argument
from local.oss.keys import parse_max
from local.oss.listing import Item, Page, Query
from local.oss.notices import ACCOUNT_ID
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
    second = call.query.get("list-type") == "2"
    listing = await asyncio.to_thread(_listing, call, second)
    return answers.xml_answer(_second(call, listing) if second else _first(call, listing))


def _listing(call: Call, second: bool) -> _Listing:
    query = call.query
    encoding = query.get("encoding-type", "")
    if encoding not in ("", "url"):
        raise invalid_argument(f"encoding-type must be 'url'; it is {encoding!r}.")
    markers = ("start-after", "continuation-token") if second else ("marker",)
    wanted = Query(
        bucket=call.bucket,
        prefix=query.get("prefix", ""),
        after=max((query.get(name, "") for name in markers), key=str.encode),
        delimiter=query.get("delimiter", ""),
        count=parse_max(query.get("max-keys"), "max-keys", 100, 1000),
    )
    page = call.service.lister.page(wanted)
    with_owner = not second or query.get("fetch-owner") == "true"
    return _Listing(wanted, page, _entries(call, page, encoding, with_owner), encoding)


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


def _next(listing: _Listing, tag: str) -> xml.Element | None:
    if not listing.page.truncated:
        return None
    return leaf(tag, xml.encode_name(listing.page.items[-1].name, listing.encoding))


def _first(call: Call, listing: _Listing) -> xml.Element:
    marker = xml.encode_name(call.query.get("marker", ""), listing.encoding)
    return element(
        "ListBucketResult",
        *_head(call, listing),
        leaf("Marker", marker),
        _next(listing, "NextMarker"),
        *listing.entries,
    )


def _second(call: Call, listing: _Listing) -> xml.Element:
    start = xml.encode_name(call.query.get("start-after", ""), listing.encoding)
    token = xml.encode_name(call.query.get("continuation-token", ""), listing.encoding)
    return element(
        "ListBucketResult",
        *_head(call, listing),
        leaf("StartAfter", start),
        leaf("ContinuationToken", token) if token else None,
        leaf("KeyCount", len(listing.page.items)),
        _next(listing, "NextContinuationToken"),
        *listing.entries,
    )
