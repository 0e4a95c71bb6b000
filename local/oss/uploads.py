"""Multipart operations: initiate, upload part, complete, abort and the two lists."""

from __future__ import annotations

import asyncio
import re
import time

from aiohttp import web

from local.oss import answers, attributes, xml
from local.oss.bodies import read_document, receive
from local.oss.conditions import parse_range
from local.oss.draft import Draft
from local.oss.errors import already_exists, invalid_argument
from local.oss.keys import parse_max
from local.oss.multipart import MAX_PARTS, Part, Upload
from local.oss.notices import ACCOUNT_ID
from local.oss.objects import forbids_overwrite, open_source, placing
from local.oss.records import Attributes, Record
from local.oss.service import Call
from local.oss.xml import element, leaf


def _find(call: Call) -> Upload:
    call.service.store.require_bucket(call.bucket)
    return call.service.uploads.find(call.query.get("uploadId", ""), call.bucket, call.key)


async def _notify(call: Call, event: str, etag: str = "", size: int = 0) -> None:
    record = Record(call.bucket, call.key, "", size, 0, etag, 0)
    await asyncio.to_thread(call.service.store.post, call.cause(event), record, size)


async def initiate(call: Call) -> web.StreamResponse:
    """InitiateMultipartUpload."""
    store = call.service.store
    settings = store.settings(call.bucket)
    forbid = forbids_overwrite(call) and "versioning" not in settings
    if forbid and store.layout.locate(call.bucket, call.key):
        raise already_exists(call.key)
    said = attributes.from_headers(call.request.headers.items())
    upload = await asyncio.to_thread(call.service.uploads.begin, call.bucket, call.key, said)
    await _notify(call, "ObjectCreated:InitiateMultipartUpload")
    encoding = call.query.get("encoding-type", "")
    root = element(
        "InitiateMultipartUploadResult",
        leaf("EncodingType", encoding) if encoding else None,
        leaf("Bucket", call.bucket),
        leaf("Key", xml.encode_name(call.key, encoding)),
        leaf("UploadId", upload.upload_id),
    )
    return answers.xml_answer(root)


async def upload_part(call: Call) -> web.StreamResponse:
    """UploadPart, or UploadPartCopy where the request names a source."""
    text = call.query.get("partNumber", "")
    if not re.fullmatch(r"\d{1,5}", text) or not 1 <= int(text) <= MAX_PARTS:
        raise invalid_argument(f"partNumber must be 1 to {MAX_PARTS}; it is {text!r}.")
    upload = _find(call)
    uploads = call.service.uploads
    copies = bool(call.header("x-oss-copy-source"))
    with call.service.store.layout.draft() as draft:
        if copies:
            await asyncio.to_thread(_copy_part, call, draft)
        else:
            await receive(call, draft)
        await asyncio.to_thread(uploads.add_part, upload, int(text), draft)
        size, etag, crc64 = draft.size, draft.etag, draft.crc64
    event = "UploadPartCopy" if copies else "UploadPart"
    await _notify(call, f"ObjectCreated:{event}", etag, size)
    headers = {"ETag": answers.quoted(etag), "x-oss-hash-crc64ecma": str(crc64)}
    if not copies:
        return answers.empty(headers=headers)
    root = element(
        "CopyPartResult",
        leaf("ETag", answers.quoted(etag)),
        leaf("LastModified", xml.timestamp(time.time())),
    )
    return answers.xml_answer(root, headers)


def _copy_part(call: Call, draft: Draft) -> None:
    opened = open_source(call)
    with opened.file:
        wanted = call.header("x-oss-copy-source-range")
        part = parse_range(wanted, opened.record.size, standard=True) if wanted else None
        first, last = part or (0, opened.record.size - 1)
        opened.file.seek(first)
        draft.write_from(opened.file, last - first + 1)


async def complete(call: Call) -> web.StreamResponse:
    """CompleteMultipartUpload."""
    upload = _find(call)
    wanted = await _wanted(call)
    plan = placing(call, "ObjectCreated:CompleteMultipartUpload", Attributes())
    record = await asyncio.to_thread(call.service.uploads.complete, upload, wanted, plan)
    encoding = call.query.get("encoding-type", "")
    host = call.header("Host")
    root = element(
        "CompleteMultipartUploadResult",
        leaf("EncodingType", encoding) if encoding else None,
        leaf("Location", f"http://{host}/{xml.encode_name(f'{call.bucket}/{call.key}', 'url')}"),
        leaf("Bucket", call.bucket),
        leaf("Key", xml.encode_name(call.key, encoding)),
        leaf("ETag", answers.quoted(record.etag)),
    )
    return answers.xml_answer(root, answers.written(record))


async def _wanted(call: Call) -> list[tuple[int, str]] | None:
    body = await read_document(call)
    if call.header("x-oss-complete-all").lower() == "yes":
        return None
    root = xml.parse(body, "CompleteMultipartUpload")
    wanted = []
    for node in root.findall("Part"):
        number = xml.text_of(node, "PartNumber")
        if not re.fullmatch(r"\d{1,5}", number):
            raise invalid_argument(f"PartNumber must be a whole number; it is {number!r}.")
        wanted.append((int(number), xml.text_of(node, "ETag")))
    return wanted


async def abort(call: Call) -> web.StreamResponse:
    """AbortMultipartUpload."""
    upload = _find(call)
    await asyncio.to_thread(call.service.uploads.abort, upload)
    await _notify(call, "ObjectRemoved:AbortMultipartUpload")
    return answers.empty(204)


async def list_parts(call: Call) -> web.StreamResponse:
    """ListParts, paged by part number."""
    upload = _find(call)
    count = parse_max(call.query.get("max-parts"), "max-parts", 1000, 1000)
    marker = call.query.get("part-number-marker") or "0"
    if not marker.isdigit():
        raise invalid_argument(f"part-number-marker must be a number; it is {marker!r}.")
    parts = await asyncio.to_thread(call.service.uploads.parts, upload)
    rest = [part for part in parts if part.number > int(marker)]
    encoding = call.query.get("encoding-type", "")
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
        *[_part_node(part) for part in rest[:count]],
    )
    return answers.xml_answer(root)


def _part_node(part: Part) -> xml.Element:
    return element(
        "Part",
        leaf("PartNumber", part.number),
        leaf("LastModified", xml.timestamp(part.modified)),
        leaf("ETag", answers.quoted(part.etag)),
        leaf("HashCrc64ecma", str(part.crc64)),
        leaf("Size", part.size),
    )


async def list_uploads(call: Call) -> web.StreamResponse:
    """ListMultipartUploads, paged by key and upload id."""
    call.service.store.require_bucket(call.bucket)
    count = parse_max(call.query.get("max-uploads"), "max-uploads", 1000, 1000)
    rest = _after_marker(call, await asyncio.to_thread(call.service.uploads.all, call.bucket))
    page, truncated = rest[:count], len(rest) > count
    encoding = call.query.get("encoding-type", "")
    last = page[-1] if truncated else None
    root = element(
        "ListMultipartUploadsResult",
        leaf("EncodingType", encoding) if encoding else None,
        leaf("Bucket", call.bucket),
        leaf("KeyMarker", xml.encode_name(call.query.get("key-marker", ""), encoding)),
        leaf("UploadIdMarker", call.query.get("upload-id-marker", "")),
        leaf("NextKeyMarker", xml.encode_name(last.key, encoding) if last else ""),
        leaf("NextUploadIdMarker", last.upload_id if last else ""),
        leaf("Prefix", xml.encode_name(call.query.get("prefix", ""), encoding)),
        leaf("MaxUploads", count),
        leaf("IsTruncated", truncated),
        *[_upload_node(upload, encoding) for upload in page],
    )
    return answers.xml_answer(root)


def _after_marker(call: Call, uploads: list[Upload]) -> list[Upload]:
    prefix, key = call.query.get("prefix", ""), call.query.get("key-marker", "").encode()
    upload_id = call.query.get("upload-id-marker", "")
    found = [upload for upload in uploads if upload.key.startswith(prefix)]
    if not key:
        return found
    if not upload_id:
        return [upload for upload in found if upload.key.encode() > key]
    return [
        upload for upload in found if (upload.key.encode(), upload.upload_id) > (key, upload_id)
    ]


def _upload_node(upload: Upload, encoding: str) -> xml.Element:
    return element(
        "Upload",
        leaf("Key", xml.encode_name(upload.key, encoding)),
        leaf("UploadId", upload.upload_id),
        leaf("StorageClass", "Standard"),
        leaf("Initiated", xml.timestamp(upload.initiated)),
        element("Owner", leaf("ID", ACCOUNT_ID), leaf("DisplayName", ACCOUNT_ID)),
    )
