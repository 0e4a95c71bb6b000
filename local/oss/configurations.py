"""Documents kept with a bucket: lifecycle rules (never carried out), CORS rules, tags."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from local.oss import answers, documents, lifecycle, xml
from local.oss.errors import OssError
from local.oss.service import Call, Handler
from local.oss.xml import element, leaf

MAX_BUCKET_TAGS = 20


async def _keep(call: Call, name: str, root: xml.Element | None) -> None:
    text = None if root is None else xml.document(root).decode()
    changes: dict[str, object] = {name: text}
    await asyncio.to_thread(call.service.store.change_settings, call.bucket, **changes)


async def put_lifecycle(call: Call) -> web.StreamResponse:
    """PutBucketLifecycle: checked as the service checks it, kept, never carried out."""
    root = await documents.read(call, "LifecycleConfiguration")
    lifecycle.check(root)
    await _keep(call, "lifecycle", root)
    return answers.empty()


async def put_cors(call: Call) -> web.StreamResponse:
    """PutBucketCors: methods are kept in capitals, ResponseVary is false where it was left out."""
    root = await documents.read(call, "CORSConfiguration")
    for method in root.iter("AllowedMethod"):
        method.text = (method.text or "").upper()
    if root.find("ResponseVary") is None:
        root.append(leaf("ResponseVary", False))
    await _keep(call, "cors", root)
    return answers.empty()


async def put_tagging(call: Call) -> web.StreamResponse:
    """PutBucketTags."""
    root = await documents.read(call, "Tagging")
    pairs = tag_pairs(root)
    if len(pairs) > MAX_BUCKET_TAGS or len(dict(pairs)) < len(pairs):
        text = f"{len(pairs)} tags; at most {MAX_BUCKET_TAGS} are allowed, each key once."
        raise OssError(400, "InvalidTag", text)
    await _keep(call, "tagging", root)
    return answers.empty()


async def delete_tagging(call: Call) -> web.StreamResponse:
    """DeleteBucketTags: all of them, or those that ``tagging`` names with commas between."""
    gone = {name for name in call.query["tagging"].split(",") if name}
    tags = tags_of(call.service.store.settings(call.bucket)) if gone else {}
    left = {name: value for name, value in tags.items() if name not in gone}
    await _keep(call, "tagging", tagging_document(left) if left else None)
    return answers.empty(204)


def tags_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return a bucket's tags."""
    kept = settings.get("tagging")
    return dict(tag_pairs(xml.parse(str(kept).encode(), "Tagging"))) if kept else {}


def tag_pairs(root: xml.Element) -> list[tuple[str, str]]:
    """Return what a Tagging document says, key and value, in its order."""
    tags = root.findall("TagSet/Tag")
    return [(xml.text_of(tag, "Key"), xml.text_of(tag, "Value", "")) for tag in tags]


def tagging_document(tags: Mapping[str, str]) -> xml.Element:
    """Return tags as a Tagging document."""
    nodes = [element("Tag", leaf("Key", k), leaf("Value", v)) for k, v in tags.items()]
    return element("Tagging", element("TagSet", *nodes))


def get(name: str, missing: str) -> Handler:
    """Return a handler that answers the document kept, or 404 with the code ``missing``."""

    async def handler(call: Call) -> web.StreamResponse:
        kept = call.service.store.settings(call.bucket).get(name)
        if kept is None:
            raise OssError(404, missing, f"The bucket {call.bucket!r} has no {name} configuration.")
        headers = {"Content-Type": "application/xml"}
        return web.Response(body=str(kept).encode(), headers=headers)

    return handler


def delete(name: str) -> Handler:
    """Return a handler that removes a document kept with the bucket."""

    async def handler(call: Call) -> web.StreamResponse:
        await _keep(call, name, None)
        return answers.empty(204)

    return handler
