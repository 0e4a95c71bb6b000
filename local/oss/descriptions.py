"""Sub-resources of an object that leave its bytes alone: tagging and ACL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp import web

from local.oss import answers, attributes, documents, xml
from local.oss.configurations import tag_pairs, tagging_document
from local.oss.errors import invalid_argument
from local.oss.notices import ACCOUNT_ID
from local.oss.records import Attributes, Record
from local.oss.service import Call


async def _record(call: Call) -> Record:
    store = call.service.store
    store.require_bucket(call.bucket)
    return await asyncio.to_thread(store.recogniser.record, call.bucket, call.key)


async def _set_tags(call: Call, tags: dict[str, str]) -> None:
    def change(old: Attributes) -> Attributes:
        return replace(old, tags=tags)

    store = call.service.store
    store.require_bucket(call.bucket)
    await asyncio.to_thread(store.describe, call.bucket, call.key, change)


async def put_tagging(call: Call) -> web.StreamResponse:
    """PutObjectTagging; LastModified stays."""
    root = await documents.read(call, "Tagging")
    await _set_tags(call, attributes.check_tags(tag_pairs(root)))
    return answers.empty()


async def get_tagging(call: Call) -> web.StreamResponse:
    """GetObjectTagging."""
    tags = (await _record(call)).attributes.tags
    return answers.xml_answer(tagging_document(tags))


async def delete_tagging(call: Call) -> web.StreamResponse:
    """DeleteObjectTagging, of all tags; raises OssError 400 where the request names some."""
    if call.query["tagging"]:
        raise invalid_argument("An object's tags go all at once; ask for '?tagging' alone.")
    await _set_tags(call, {})
    return answers.empty(204)


async def put_object_acl(call: Call) -> web.StreamResponse:
    """PutObjectACL."""
    acl = call.header("x-oss-object-acl")
    attributes.check_acl(acl, attributes.OBJECT_ACLS)

    def change(old: Attributes) -> Attributes:
        return replace(old, acl=acl)

    store = call.service.store
    store.require_bucket(call.bucket)
    await asyncio.to_thread(store.describe, call.bucket, call.key, change)
    return answers.empty()


async def get_object_acl(call: Call) -> web.StreamResponse:
    """GetObjectACL."""
    return answers.xml_answer(acl_document((await _record(call)).attributes.acl))


def acl_document(acl: str) -> xml.Element:
    """Return the AccessControlPolicy of a bucket or an object."""
    owner = xml.element("Owner", xml.leaf("ID", ACCOUNT_ID), xml.leaf("DisplayName", ACCOUNT_ID))
    grants = xml.element("AccessControlList", xml.leaf("Grant", acl))
    return xml.element("AccessControlPolicy", owner, grants)
