"""Object operations: put, get, head, copy, delete."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import BinaryIO
from urllib.parse import unquote

from aiohttp import web

from local.oss import answers, attributes, keys, xml
from local.oss.bodies import receive
from local.oss.conditions import check_conditions, check_copy_conditions, parse_range
from local.oss.draft import CHUNK
from local.oss.errors import OssError, invalid_argument, not_implemented
from local.oss.offered import is_true
from local.oss.recognition import OpenObject
from local.oss.records import APPENDABLE, NORMAL, STORAGE_CLASS, SYMLINK, Attributes, Record
from local.oss.service import Call
from local.oss.storage import Placing

_COPY_SOURCE = "x-oss-copy-source"


def forbids_overwrite(call: Call) -> bool:
    """Tell whether the request may only create."""
    name = "x-oss-forbid-overwrite"
    return is_true(name, call.header(name))


def placing(call: Call, event: str, said: Attributes) -> Placing:
    """Describe the object a request writes."""
    return Placing(call.bucket, call.key, said, call.cause(event), forbids_overwrite(call))


async def put_object(call: Call) -> web.StreamResponse:
    """PutObject, or CopyObject where the request names a source."""
    if call.header(_COPY_SOURCE):
        return await copy_object(call)
    headers = call.request.headers
    if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
        raise OssError(411, "MissingContentLength", "Send Content-Length, or the body in chunks.")
    store = call.service.store
    store.require_bucket(call.bucket)
    said = attributes.from_headers(headers.items())
    with store.layout.draft() as draft:
        await receive(call, draft)
        plan = placing(call, "ObjectCreated:PutObject", said)
        record = await asyncio.to_thread(store.commit, plan, draft)
    return answers.empty(headers={**answers.written(record), **answers.content_md5(draft.md5)})


async def get_object(call: Call) -> web.StreamResponse:
    """GetObject with conditions and range."""
    opened = await asyncio.to_thread(_open_following, call)
    with opened.file:
        record = opened.record
        check_conditions(call.header, record)
        headers = answers.object_headers(record, call.query)
        standard = _wants_standard_range(call)
        part = parse_range(call.header("Range"), record.size, standard=standard)
        first, last = part or (0, record.size - 1)
        if part:
            headers["content-range"] = f"bytes {first}-{last}/{record.size}"
        status = 206 if part else 200
        return await _send(call, opened.file, first, last - first + 1, status, headers)


def _wants_standard_range(call: Call) -> bool:
    value = call.header("x-oss-range-behavior")
    if value not in ("", "standard"):
        raise invalid_argument(f"x-oss-range-behavior must be 'standard'; it is {value!r}.")
    return bool(value)


async def _send(
    call: Call, file: BinaryIO, start: int, length: int, status: int, headers: dict[str, str]
) -> web.StreamResponse:
    file.seek(start)
    if length <= CHUNK:
        body = await asyncio.to_thread(file.read, length)
        return web.Response(status=status, body=body, headers=headers)
    answer = web.StreamResponse(status=status, headers=headers)
    answer.content_length = length
    await answer.prepare(call.request)
    while length > 0:
        chunk = await asyncio.to_thread(file.read, min(CHUNK, length))
        if not chunk:
            raise ConnectionAbortedError("The file was cut by hand while it was sent.")
        length -= len(chunk)
        await answer.write(chunk)
    await answer.write_eof()
    return answer


async def head_object(call: Call) -> web.StreamResponse:
    """HeadObject and GetObjectMeta."""
    record = await asyncio.to_thread(_record_following, call)
    check_conditions(call.header, record)
    headers = answers.object_headers(record, call.query)
    return web.Response(headers={**headers, "content-length": str(record.size)})


def _record_following(call: Call) -> Record:
    store = call.service.store
    store.require_bucket(call.bucket)
    record = store.recogniser.record(call.bucket, call.key)
    if record.attributes.kind != SYMLINK:
        return record
    return _through_link(record, store.recogniser.record(call.bucket, _target(record)))


def _open_following(call: Call) -> OpenObject:
    store = call.service.store
    store.require_bucket(call.bucket)
    opened = store.recogniser.open(call.bucket, call.key)
    if opened.record.attributes.kind != SYMLINK:
        return opened
    opened.file.close()
    target = store.recogniser.open(call.bucket, _target(opened.record))
    return OpenObject(_through_link(opened.record, target.record), target.file)


def _through_link(link: Record, target: Record) -> Record:
    """Return the target's bytes with what is said of the link itself, as the service answers."""
    modified = max(link.modified, target.modified)
    return replace(target, attributes=link.attributes, modified=modified)


def _target(record: Record) -> str:
    """Return the key a link leads to; links to links are not followed, as on the service."""
    return record.attributes.target


async def delete_object(call: Call) -> web.StreamResponse:
    """DeleteObject; 204 also where there was none."""
    store, cause = call.service.store, call.cause("ObjectRemoved:DeleteObject")
    await asyncio.to_thread(store.delete, call.bucket, call.key, cause)
    return answers.empty(204)


async def copy_object(call: Call) -> web.StreamResponse:
    """CopyObject; onto itself it changes metadata."""
    record = await asyncio.to_thread(_copy, call)
    root = xml.element(
        "CopyObjectResult",
        xml.leaf("ETag", answers.quoted(record.etag)),
        xml.leaf("LastModified", xml.timestamp(record.modified)),
    )
    return answers.xml_answer(root, answers.written(record))


def _copy(call: Call) -> Record:
    store = call.service.store
    store.require_bucket(call.bucket)
    opened = open_source(call)
    with opened.file, store.layout.draft() as draft:
        source = opened.record
        if source.attributes.kind == APPENDABLE:
            text = f"The object {source.key!r} is Appendable and cannot be copied."
            raise OssError(400, "OperationNotSupported", text)
        draft.write_from(opened.file, source.size)
        plan = placing(call, "ObjectCreated:CopyObject", _copied_attributes(call, source))
        return store.commit(plan, draft)


def open_source(call: Call) -> OpenObject:
    """Open the object that ``x-oss-copy-source`` names and check the conditions on it."""
    bucket, key = parse_source(call.header(_COPY_SOURCE))
    store = call.service.store
    store.require_bucket(bucket)
    opened = store.recogniser.open(bucket, key)
    try:
        check_copy_conditions(call.header, opened.record)
    except OssError:
        opened.file.close()
        raise
    return opened


def parse_source(text: str) -> tuple[str, str]:
    """Split ``/bucket/percent-encoded-key``; raises OssError 400 for anything else.

    Raises OssError 501 where it names a version.
    """
    path, _, version = text.partition("?")
    if version:
        raise not_implemented(
            f"This server keeps no versions; leave {version!r} out of the source."
        )
    bucket, slash, key = unquote(path).removeprefix("/").partition("/")
    if not slash or not key or not keys.is_bucket_name(bucket):
        raise invalid_argument(f"x-oss-copy-source must be /BUCKET/KEY; it is {text!r}.")
    return bucket, key


def _copied_attributes(call: Call, source: Record) -> Attributes:
    said = attributes.from_headers(call.request.headers.items())
    kept, sent = source.attributes.headers, said.headers
    # Left out, the class is the bucket's, whatever the source has.
    headers = {n: v for n, v in kept.items() if n != STORAGE_CLASS}
    headers |= {n: v for n, v in sent.items() if n == STORAGE_CLASS}
    if _replaces(call, "x-oss-metadata-directive"):
        headers = {n: v for n, v in kept.items() if n == "content-type"} | sent
    tags = said.tags if _replaces(call, "x-oss-tagging-directive") else source.attributes.tags
    return Attributes(headers=headers, tags=tags, acl=said.acl, kind=NORMAL)


def _replaces(call: Call, name: str) -> bool:
    value = call.header(name, "COPY")
    if value not in ("COPY", "REPLACE"):
        raise invalid_argument(f"{name} must be COPY or REPLACE, in capitals; it is {value!r}.")
    return value == "REPLACE"


async def append_object(call: Call) -> web.StreamResponse:
    """AppendObject: the position given must be the object's length."""
    position = call.query.get("position", "")
    if not re.fullmatch(r"\d{1,15}", position):
        raise invalid_argument(f"position must be a whole number; it is {position!r}.")
    store = call.service.store
    store.require_bucket(call.bucket)
    # Attributes are those of the first append; a later one brings bytes alone.
    sent = [] if int(position) else call.request.headers.items()
    said = attributes.from_headers(sent)
    plan = replace(placing(call, "ObjectCreated:AppendObject", said), forbid_overwrite=False)
    with store.layout.draft() as draft:
        await receive(call, draft)
        record = await asyncio.to_thread(store.append, plan, draft, int(position))
    headers = {**answers.written(record), "x-oss-next-append-position": str(record.size)}
    return answers.empty(headers=headers)


async def put_symlink(call: Call) -> web.StreamResponse:
    """PutSymlink: an empty object that leads to another key of the bucket."""
    target = unquote(call.header("x-oss-symlink-target"))
    if not target:
        raise invalid_argument("PutSymlink needs the header x-oss-symlink-target.")
    keys.check_key(target)
    said = attributes.from_headers(call.request.headers.items())
    said = replace(said, kind=SYMLINK, target=target)
    store = call.service.store
    plan = placing(call, "ObjectCreated:PutSymlink", said)
    with store.layout.draft() as draft:
        record = await asyncio.to_thread(store.commit, plan, draft)
    return answers.empty(headers={"ETag": answers.quoted(record.etag)})


async def get_symlink(call: Call) -> web.StreamResponse:
    """GetSymlink; raises OssError 400 ``NotSymlink`` for another kind of object."""
    store = call.service.store
    store.require_bucket(call.bucket)
    record = await asyncio.to_thread(store.recogniser.record, call.bucket, call.key)
    if record.attributes.kind != SYMLINK:
        text = f"The object {call.key!r} is {record.attributes.kind}, not a symbolic link."
        raise OssError(400, "NotSymlink", text)
    headers = {
        "x-oss-symlink-target": xml.encode_name(record.attributes.target, "url"),
        "ETag": answers.quoted(record.etag),
        "Last-Modified": answers.last_modified(record),
    }
    return answers.empty(headers=headers)
