"""Bucket operations: create, delete, list, what is said of them, batch delete."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiohttp import web

from local.oss import access, answers, attributes, configurations, documents, keys, xml
from local.oss.bodies import read_document
from local.oss.descriptions import acl_document
from local.oss.errors import invalid_argument, malformed_xml, not_implemented
from local.oss.notices import ACCOUNT_ID
from local.oss.offered import is_true
from local.oss.service import Call
from local.oss.xml import element, leaf

_MAX_DELETED = 1000


def _owner() -> xml.Element:
    return element("Owner", leaf("ID", ACCOUNT_ID), leaf("DisplayName", ACCOUNT_ID))


def _described(call: Call, name: str, settings: dict[str, Any]) -> list[xml.Element]:
    region = call.service.region
    return [
        leaf("Name", name),
        leaf("Location", f"oss-{region}"),
        leaf("CreationDate", xml.timestamp(settings["created"])),
        # A client that follows the endpoint it is told has to come back here.
        leaf("ExtranetEndpoint", call.endpoint),
        leaf("IntranetEndpoint", call.endpoint),
        leaf("StorageClass", settings["storage_class"]),
        leaf("Region", region),
    ]


async def list_buckets(call: Call) -> web.StreamResponse:
    """ListBuckets, with prefix, marker, max-keys, tag-key and tag-value."""
    query = call.query
    count = keys.parse_max(query.get("max-keys"), "max-keys", 100, 1000)
    found = list(islice(_wanted_buckets(call), count + 1))
    page, more = found[:count], len(found) > count
    nodes = [element("Bucket", *_described(call, name, settings)) for name, settings in page]
    root = element(
        "ListAllMyBucketsResult",
        _owner(),
        leaf("Prefix", query.get("prefix", "")),
        leaf("Marker", query.get("marker", "")),
        leaf("MaxKeys", count),
        leaf("IsTruncated", more),
        leaf("NextMarker", page[-1][0] if more else ""),
        element("Buckets", *nodes),
    )
    return answers.xml_answer(root)


def _wanted_buckets(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    store, query = call.service.store, call.query
    prefix, marker = query.get("prefix", ""), query.get("marker", "")
    key, value = query.get("tag-key", ""), query.get("tag-value", "")
    if value and not key:
        raise invalid_argument("tag-value needs tag-key beside it.")
    for name in store.layout.buckets():
        if not name.startswith(prefix) or name <= marker:
            continue
        settings = store.settings(name)
        tags = configurations.tags_of(settings) if key else {}
        if not key or (key in tags and value in ("", tags[key])):
            yield name, settings


async def create_bucket(call: Call) -> web.StreamResponse:
    """PutBucket; repeating it is no error."""
    wanted = await _configuration(call)
    acl = call.header("x-oss-acl")
    if acl:
        attributes.check_acl(acl, attributes.BUCKET_ACLS)
    store = call.service.store
    await asyncio.to_thread(store.create_bucket, call.bucket, **wanted)
    if acl:
        await asyncio.to_thread(_change, call, acl=acl)
    return answers.empty(headers={"Location": f"/{call.bucket}"})


async def _configuration(call: Call) -> dict[str, str]:
    """Return the settings that the request says a new bucket is to have."""
    body = await read_document(call)
    if not body:
        return {}
    root = documents.checked(body, "CreateBucketConfiguration")
    attributes.check_storage_class(xml.text_of(root, "StorageClass", "Standard"))
    names = {"StorageClass": "storage_class", "DataRedundancyType": "redundancy"}
    return {names[node.tag]: node.text or "" for node in root}


async def delete_bucket(call: Call) -> web.StreamResponse:
    """DeleteBucket."""
    await asyncio.to_thread(call.service.store.delete_bucket, call.bucket)
    return answers.empty(204)


def _change(call: Call, **changes: object) -> None:
    call.service.store.change_settings(call.bucket, **changes)


async def bucket_info(call: Call) -> web.StreamResponse:
    """GetBucketInfo."""
    settings = call.service.store.settings(call.bucket)
    root = element(
        "Bucket",
        *_described(call, call.bucket, settings),
        leaf("DataRedundancyType", settings["redundancy"]),
        leaf("Comment", ""),
        _owner(),
        element("AccessControlList", leaf("Grant", settings["acl"])),
        leaf("Versioning", settings.get("versioning", "Disabled")),
    )
    return answers.xml_answer(element("BucketInfo", root))


async def get_location(call: Call) -> web.StreamResponse:
    """GetBucketLocation."""
    call.service.store.require_bucket(call.bucket)
    return answers.xml_answer(leaf("LocationConstraint", f"oss-{call.service.region}"))


async def put_acl(call: Call) -> web.StreamResponse:
    """PutBucketACL."""
    acl = call.header("x-oss-acl")
    attributes.check_acl(acl, attributes.BUCKET_ACLS)
    await asyncio.to_thread(_change, call, acl=acl)
    return answers.empty()


async def get_acl(call: Call) -> web.StreamResponse:
    """GetBucketACL."""
    return answers.xml_answer(acl_document(call.service.store.settings(call.bucket)["acl"]))


async def put_versioning(call: Call) -> web.StreamResponse:
    """PutBucketVersioning: Suspended alone, since no older versions are kept here.

    From then on x-oss-forbid-overwrite has no effect, as on the service once a bucket has had
    versioning. Raises OssError 501 for Enabled.
    """
    root = await documents.read(call, "VersioningConfiguration")
    status = xml.text_of(root, "Status")
    if status == "Enabled":
        raise not_implemented(
            "This server keeps no older versions of objects. Suspended is accepted: it shows what "
            "becomes of x-oss-forbid-overwrite in a bucket that has had versioning."
        )
    await asyncio.to_thread(_change, call, versioning=status)
    return answers.empty()


async def get_versioning(call: Call) -> web.StreamResponse:
    """GetBucketVersioning: without a Status where it was never set."""
    status = call.service.store.settings(call.bucket).get("versioning")
    return answers.xml_answer(
        element("VersioningConfiguration", leaf("Status", status) if status else None)
    )


async def delete_objects(call: Call) -> web.StreamResponse:
    """DeleteMultipleObjects: all keys asked for are answered as deleted, absent ones too."""
    call.service.store.require_bucket(call.bucket)
    root = xml.parse(await read_document(call), "Delete")
    if root.find("Object/VersionId") is not None:
        raise not_implemented("This server keeps no versions; leave out <VersionId>.")
    names = [xml.text_of(node, "Key") for node in root.findall("Object")]
    region, action = call.service.region, "oss:DeleteObject"
    wanted = (access.of_object(region, call.bucket, name, action) for name in names)
    call.service.guard.require(call.role, wanted)
    if not 1 <= len(names) <= _MAX_DELETED:
        raise malformed_xml(f"{len(names)} objects are listed; expected 1 to {_MAX_DELETED}.")
    encoding = call.encoding
    quiet = is_true("Quiet", xml.text_of(root, "Quiet", "").strip())
    await asyncio.to_thread(_delete_all, call, names)
    if quiet:
        return answers.empty()
    deleted = [element("Deleted", leaf("Key", xml.encode_name(n, encoding))) for n in names]
    kind = leaf("EncodingType", encoding) if encoding else None
    return answers.xml_answer(element("DeleteResult", kind, *deleted))


def _delete_all(call: Call, names: list[str]) -> None:
    cause = call.cause("ObjectRemoved:DeleteObjects")
    for name in names:
        call.service.store.delete(call.bucket, name, cause)
