"""Building answers: headers of objects, XML bodies, errors."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from email.utils import formatdate

from aiohttp import web

from local.oss import xml
from local.oss.errors import OssError, invalid_argument
from local.oss.records import Record

# What a client may store with an object besides x-oss-meta-*.
STORED_HEADERS = (
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-language",
    "cache-control",
    "expires",
    "x-oss-storage-class",
)
_OVERRIDES = (
    "content-type",
    "content-language",
    "content-encoding",
    "content-disposition",
    "cache-control",
    "expires",
)
# oss2 reads only the first 4096 bytes of an error.
_MAX_MESSAGE = 2000
_XML_TYPE = {"Content-Type": "application/xml"}


def empty(status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an answer without a body."""
    return web.Response(status=status, headers=headers)


def xml_answer(root: xml.Element, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return 200 with an XML document."""
    return web.Response(body=xml.document(root), headers={**_XML_TYPE, **(headers or {})})


def error_answer(error: OssError, request_id: str, host: str) -> web.Response:
    """Return an error; ``x-oss-err`` repeats the body for HEAD, which has none."""
    if error.status == 304:
        return web.Response(status=304, headers=error.headers)
    root = xml.element(
        "Error",
        xml.leaf("Code", error.code),
        xml.leaf("Message", error.message[:_MAX_MESSAGE]),
        xml.leaf("RequestId", request_id),
        xml.leaf("HostId", host),
        _detail(error) if error.detail else None,
        xml.leaf("EC", error.ec) if error.ec else None,
    )
    body = xml.document(root)
    short = body if len(body) <= 4096 else b""
    headers = {**error.headers, **_XML_TYPE}
    if short:
        headers["x-oss-err"] = base64.b64encode(short).decode()
    if error.ec:
        headers["x-oss-ec"] = error.ec
    return web.Response(status=error.status, body=body, headers=headers)


def _detail(error: OssError) -> xml.Element:
    """Why a role was denied, as the error page 0003-00000201 shows it."""
    return xml.element("AccessDeniedDetail", *(xml.leaf(n, v) for n, v in error.detail.items()))


def quoted(etag: str) -> str:
    """Return an ETag as headers and XML carry it."""
    return f'"{etag}"'


def last_modified(record: Record) -> str:
    """Return the time of the last change as an HTTP date."""
    return formatdate(int(record.modified), usegmt=True)


def written(record: Record) -> dict[str, str]:
    """Return the headers of the answer to a write."""
    return {"ETag": quoted(record.etag), "x-oss-hash-crc64ecma": str(record.crc64)}


def content_md5(digest: bytes) -> dict[str, str]:
    """Return the header that repeats the MD5 of a body received."""
    return {"Content-MD5": base64.b64encode(digest).decode()}


def object_headers(record: Record, query: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of GET and HEAD; ``response-*`` parameters override the stored ones."""
    headers = {
        "content-type": "application/octet-stream",
        "x-oss-storage-class": "Standard",
        **record.attributes.headers,
        "accept-ranges": "bytes",
        "etag": quoted(record.etag),
        "last-modified": last_modified(record),
        "x-oss-hash-crc64ecma": str(record.crc64),
        "x-oss-object-type": record.attributes.kind,
    }
    if record.attributes.kind == "Appendable":
        headers["x-oss-next-append-position"] = str(record.size)
    if record.attributes.tags:
        headers["x-oss-tagging-count"] = str(len(record.attributes.tags))
    for name in _OVERRIDES:
        value = query.get(f"response-{name}")
        if value:
            check_header_value(f"response-{name}", value)
            headers[name] = value
    return headers


def check_header_value(name: str, value: str) -> None:
    """Refuse what no header can carry: control characters and broken UTF-8."""
    if any(c < " " or "\ud800" <= c <= "\udfff" for c in value):
        raise invalid_argument(f"{name} may not hold control characters and must be UTF-8.")
