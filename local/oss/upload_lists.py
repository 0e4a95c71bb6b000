"""The lists of multipart uploads: ListMultipartUploads, and ListParts for one of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from aiohttp import web

from local.oss import answers, xml
from local.oss.attributes import META_PREFIX
from local.oss.errors import invalid_argument
from local.oss.keys import parse_max
from local.oss.multipart import Part, Upload
from local.oss.notices import ACCOUNT_ID
from local.oss.service import Call
from local.oss.uploads import find
from local.oss.xml import element, leaf

# How a client that encrypts finds its key again: metadata of the upload, elements of the list.
_ENCRYPTION = {
    "key": "ClientEncryptionKey",
    "start": "ClientEncryptionStart",
    "cek-alg": "ClientEncryptionCekAlg",
    "wrap-alg": "ClientEncryptionWrapAlg",
    "data-size": "ClientEncryptionDataSize",
    "part-size": "ClientEncryptionPartSize",
}


async def list_parts(call: Call) -> web.StreamResponse:
    """ListParts, paged by part number."""
    upload, encoding = find(call), call.encoding
    count = parse_max(call.query.get("max-parts"), "max-parts", 1000, 1000)
    marker = call.query.get("part-number-marker") or "0"
    if not re.fullmatch("[0-9]{1,9}", marker):
        raise invalid_argument(f"part-number-marker must be a number; it is {marker!r}.")
    parts = await asyncio.to_thread(call.service.uploads.parts, upload)
    rest = [part for part in parts if part.number > int(marker)]
    root = element(
        "ListPartsResult",
        leaf("EncodingType", encoding) if encoding else None,
        leaf("Bucket", call.bucket),
        leaf("Key", xml.encode_name(call.key, encoding)),
        leaf("UploadId", upload.upload_id),
        leaf("PartNumberMarker", marker),
        leaf("NextPartNumberMarker", rest[:count][-1].number if rest else ""),
        leaf("MaxParts", count),
        leaf("IsTruncated", len(rest) > count),
        *_encryption(upload),
        *[_part_node(part) for part in rest[:count]],
    )
    return answers.xml_answer(root)


def _encryption(upload: Upload) -> Iterator[xml.Element]:
    for name, tag in _ENCRYPTION.items():
        value = upload.attributes.headers.get(f"{META_PREFIX}client-side-encryption-{name}")
        if value:
            yield leaf(tag, value)


def _part_node(part: Part) -> xml.Element:
    return element(
        "Part",
        leaf("PartNumber", part.number),
        leaf("LastModified", xml.timestamp(part.modified)),
        leaf("ETag", answers.quoted(part.etag)),
        leaf("HashCrc64ecma", str(part.crc64)),
        leaf("Size", part.size),
    )


@dataclass(frozen=True)
class _Line:
    """An upload, or a common prefix of the keys of several."""

    name: str
    upload: Upload | None


async def list_uploads(call: Call) -> web.StreamResponse:
    """ListMultipartUploads, folded by delimiter, paged by key and upload id."""
    query, encoding = call.query, call.encoding
    count = parse_max(query.get("max-uploads"), "max-uploads", 1000, 1000)
    uploads = await asyncio.to_thread(call.service.uploads.all, call.bucket)
    lines = list(islice(_lines(call, uploads), count + 1))
    page, truncated = lines[:count], len(lines) > count
    last = page[-1] if truncated else None
    upload_id = last.upload.upload_id if last and last.upload else ""

    def named(tag: str, name: str) -> xml.Element:
        return leaf(tag, xml.encode_name(name, encoding))

    root = element(
        "ListMultipartUploadsResult",
        leaf("EncodingType", encoding) if encoding else None,
        leaf("Bucket", call.bucket),
        named("KeyMarker", query.get("key-marker", "")),
        leaf("UploadIdMarker", query.get("upload-id-marker", "")),
        named("NextKeyMarker", last.name if last else ""),
        leaf("NextUploadIdMarker", upload_id),
        named("Delimiter", query.get("delimiter", "")),
        named("Prefix", query.get("prefix", "")),
        leaf("MaxUploads", count),
        leaf("IsTruncated", truncated),
        *[_upload_node(line.upload, encoding) for line in page if line.upload],
        *[element("CommonPrefixes", named("Prefix", o.name)) for o in page if not o.upload],
    )
    return answers.xml_answer(root)


def _lines(call: Call, uploads: Iterable[Upload]) -> Iterator[_Line]:
    """Yield what comes after the markers; uploads are sorted by key and id."""
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    marker, upload_id = call.query.get("key-marker", ""), call.query.get("upload-id-marker", "")
    last = ""
    for upload in uploads:
        if not upload.key.startswith(prefix):
            continue
        end = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        common = upload.key[: end + len(delimiter)] if end >= 0 else ""
        if common:
            if common != last and common.encode() > marker.encode():
                yield _Line(common, None)
            last = common
        elif _comes_after(upload, marker, upload_id):
            yield _Line(upload.key, upload)


def _comes_after(upload: Upload, marker: str, upload_id: str) -> bool:
    if upload.key == marker:
        return bool(upload_id) and upload.upload_id > upload_id
    return upload.key.encode() > marker.encode()


def _upload_node(upload: Upload, encoding: str) -> xml.Element:
    return element(
        "Upload",
        leaf("Key", xml.encode_name(upload.key, encoding)),
        leaf("UploadId", upload.upload_id),
        leaf("StorageClass", "Standard"),
        leaf("Initiated", xml.timestamp(upload.initiated)),
        element("Owner", leaf("ID", ACCOUNT_ID), leaf("DisplayName", ACCOUNT_ID)),
    )
