"""Multipart operations: initiate, upload part, complete, abort."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace

from aiohttp import web

from local.oss import answers, attributes, xml
from local.oss.bodies import read_document, receive
from local.oss.conditions import parse_range
from local.oss.draft import Draft
from local.oss.errors import already_exists, invalid_argument
from local.oss.multipart import MAX_PARTS, Upload
from local.oss.objects import forbids_overwrite, open_source, placing
from local.oss.records import Record
from local.oss.service import Call
from local.oss.xml import element, leaf


def find(call: Call) -> Upload:
    """Return the upload a request is about; raises OssError 404."""
    call.service.store.require_bucket(call.bucket)
    return call.service.uploads.find(call.query.get("uploadId", ""), call.bucket, call.key)


async def _notify(call: Call, event: str, etag: str = "", size: int = 0) -> None:
    record = Record(call.bucket, call.key, "", size, 0, etag, 0)
    await asyncio.to_thread(call.service.store.post, call.cause(event), record, size)


async def initiate(call: Call) -> web.StreamResponse:
    """InitiateMultipartUpload."""
    store = call.service.store
    encoding = call.encoding
    settings = store.settings(call.bucket)
    forbid = forbids_overwrite(call) and "versioning" not in settings
    if forbid and store.layout.locate(call.bucket, call.key):
        raise already_exists(call.key)
    said = attributes.from_headers(call.request.headers.items())
    upload = await asyncio.to_thread(call.service.uploads.begin, call.bucket, call.key, said)
    await _notify(call, "ObjectCreated:InitiateMultipartUpload")
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
    upload = find(call)
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
        return answers.empty(headers={**headers, **answers.content_md5(bytes.fromhex(etag))})
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
    """CompleteMultipartUpload; an ACL sent now takes the place of one sent at the beginning."""
    upload, encoding = find(call), call.encoding
    wanted = await _wanted(call)
    acl = call.header("x-oss-object-acl", upload.attributes.acl)
    attributes.check_acl(acl, attributes.OBJECT_ACLS)
    said = replace(upload.attributes, acl=acl)
    plan = placing(call, "ObjectCreated:CompleteMultipartUpload", said)
    record = await asyncio.to_thread(call.service.uploads.complete, upload, wanted, plan)
    root = element(
        "CompleteMultipartUploadResult",
        leaf("EncodingType", encoding) if encoding else None,
        leaf("Location", call.address(call.key)),
        leaf("Bucket", call.bucket),
        leaf("Key", xml.encode_name(call.key, encoding)),
        leaf("ETag", answers.quoted(record.etag)),
    )
    return answers.xml_answer(root, answers.written(record))


async def _wanted(call: Call) -> list[tuple[int, str]] | None:
    body = await read_document(call)
    every = call.header("x-oss-complete-all")
    if every.lower() not in ("", "yes"):
        raise invalid_argument(f"x-oss-complete-all must be yes; it is {every!r}.")
    if every:
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
    upload = find(call)
    await asyncio.to_thread(call.service.uploads.abort, upload)
    await _notify(call, "ObjectRemoved:AbortMultipartUpload")
    return answers.empty(204)
