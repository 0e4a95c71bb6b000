"""Receiving request bodies: large ones in pieces onto the disk, small ones whole."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib

from aiohttp import StreamReader

from local.oss.draft import CHUNK, Draft
from local.oss.errors import OssError, malformed_xml
from local.oss.service import Call

MAX_OBJECT_BYTES = 5 * 1024**3
_MAX_DOCUMENT = 2 * 1024**2
_INLINE = 64 * 1024


async def receive(call: Call, draft: Draft) -> None:
    """Write the body into a draft, in bounded memory, and check length and Content-MD5."""
    length = call.request.content_length
    if length is not None and length > MAX_OBJECT_BYTES:
        text = f"The body has {length} bytes; at most {MAX_OBJECT_BYTES} go in one request."
        raise OssError(400, "EntityTooLarge", text)
    await drain(call.request.content, draft)
    if length is not None and draft.size != length:
        text = f"The body ended after {draft.size} of {length} bytes."
        raise OssError(400, "RequestTimeout", text)
    check_md5(call.header("Content-MD5"), draft.md5)


async def drain(source: StreamReader, draft: Draft) -> None:
    """Copy a stream into a draft; larger pieces are written and hashed off the event loop."""
    pieces = bytearray()
    while True:
        data = await source.readany()
        pieces += data
        if len(pieces) >= CHUNK or (not data and len(pieces) > _INLINE):
            await asyncio.to_thread(draft.write, bytes(pieces))
            pieces.clear()
        if not data:
            draft.write(bytes(pieces))
            return


def check_md5(header: str, digest: bytes) -> None:
    """Compare a Content-MD5 header, where there is one, with what came."""
    if not header:
        return
    try:
        given = base64.b64decode(header, validate=True)
    except (binascii.Error, ValueError):
        given = b""
    if given != digest:
        expected = base64.b64encode(digest).decode()
        text = f"The Content-MD5 {header!r} is not that of the body received, {expected!r}."
        raise OssError(400, "InvalidDigest", text)


async def read_document(call: Call) -> bytes:
    """Read a small body whole; raises OssError 400 above 2 MB and for a wrong Content-MD5."""
    body = bytearray()
    while data := await call.request.content.readany():
        body += data
        if len(body) > _MAX_DOCUMENT:
            raise malformed_xml(f"The document has more than {_MAX_DOCUMENT} bytes.")
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    check_md5(call.header("Content-MD5"), digest)
    return bytes(body)
