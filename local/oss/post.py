"""PostObject: a browser's form uploads a file under a signed policy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from aiohttp import BodyPartReader, MultipartReader, web

from local.oss import access, answers, attributes, keys, signature_v1, signature_v4, xml
from local.oss.authentication import Authenticator, Credentials
from local.oss.draft import CHUNK, Draft
from local.oss.errors import OssError, access_denied, invalid_argument
from local.oss.notices import Cause
from local.oss.offered import check_form, is_true
from local.oss.post_policy import Policy, parse_policy
from local.oss.records import Record
from local.oss.service import Call
from local.oss.storage import Placing

_MAX_FIELD_BYTES = 64 * 1024


async def post_object(call: Call) -> web.StreamResponse:
    """Store the ``file`` of a form; the fields that matter come before it."""
    store = call.service.store
    store.require_bucket(call.bucket)
    if call.request.content_type != "multipart/form-data":
        raise invalid_argument("PostObject needs a body of the type multipart/form-data.")
    try:
        fields, file = await _read_fields(await call.request.multipart())
        check_form(fields)
        policy, signer = _check_policy(call.service.authenticator, fields, time.time())
        policy.check_fields({**fields, "bucket": call.bucket})
        plan = _plan(call, fields, file.filename or "")
        headers = {name: value for name, value in fields.items() if name.startswith("x-oss-")}
        call.service.guard.require(
            signer.role, access.writes(call.service.region, call.bucket, plan.key, headers)
        )
        with store.layout.draft() as draft:
            await _receive_file(file, draft, policy)
            record = await asyncio.to_thread(store.commit, plan, draft)
    except ValueError as error:
        raise _malformed(str(error)) from None
    return _answer(call, fields, record)


async def _read_fields(reader: MultipartReader) -> tuple[dict[str, str], BodyPartReader]:
    fields: dict[str, str] = {}
    while part := await reader.next():
        if not isinstance(part, BodyPartReader):
            raise _malformed("a part holds parts itself")
        name = (part.name or "").lower()
        if name == "file":
            return fields, part
        value = bytearray()
        while chunk := await part.read_chunk(8192):
            value += chunk
            if len(value) > _MAX_FIELD_BYTES:
                raise _malformed(f"the field {name!r} has more than {_MAX_FIELD_BYTES} bytes")
        fields[name] = value.decode("utf-8", "replace")
    raise _malformed("it has no field 'file'; send it last")


def _check_policy(
    authenticator: Authenticator, fields: Mapping[str, str], now: float
) -> tuple[Policy, Credentials]:
    """Check the policy's signature: the policy and who signed it; raises OssError 403."""
    policy = fields.get("policy", "")
    if not policy:
        raise access_denied("Anonymous access is forbidden; the form needs a signed policy.")
    token = fields.get("x-oss-security-token", "")
    if "x-oss-signature-version" in fields:
        credential = fields.get("x-oss-credential", "")
        signer, scope = authenticator.scope(credential, fields.get("x-oss-date", ""), token)
        expected = signature_v4.sign_text(signer.secret, scope, policy.encode())
        given = fields.get("x-oss-signature", "")
    else:
        signer = authenticator.check_key(fields.get("ossaccesskeyid", ""), token)
        expected = signature_v1.sign(signer.secret, policy)
        given = fields.get("signature", "")
    authenticator.compare(signer, expected, given, policy)
    return parse_policy(policy, now), signer


def _plan(call: Call, fields: Mapping[str, str], filename: str) -> Placing:
    name = filename.replace("\\", "/").rpartition("/")[2]
    key = fields.get("key", "").replace("${filename}", name)
    keys.check_key(key)
    said = attributes.from_headers(fields.items())
    headers = {name: value for name, value in said.headers.items() if value}
    if fields.get("x-oss-content-type"):
        headers["content-type"] = fields["x-oss-content-type"]
    cause: Cause = call.cause("ObjectCreated:PostObject")
    forbid = is_true("x-oss-forbid-overwrite", fields.get("x-oss-forbid-overwrite", ""))
    return Placing(call.bucket, key, replace(said, headers=headers), cause, forbid)


async def _receive_file(file: BodyPartReader, draft: Draft, policy: Policy) -> None:
    while chunk := await file.read_chunk(CHUNK):
        await asyncio.to_thread(draft.write, bytes(chunk))
        if policy.largest is not None and draft.size > policy.largest:
            break
    policy.check_size(draft.size)


def _answer(call: Call, fields: Mapping[str, str], record: Record) -> web.StreamResponse:
    headers = answers.written(record)
    redirect = fields.get("success_action_redirect", "")
    if redirect:
        joined = urlencode({"bucket": call.bucket, "key": record.key, "etag": headers["ETag"]})
        separator = "&" if "?" in redirect else "?"
        return answers.empty(303, {**headers, "Location": f"{redirect}{separator}{joined}"})
    status = fields.get("success_action_status", "204")
    if status != "201":
        return answers.empty(200 if status == "200" else 204, headers)
    root = xml.element(
        "PostResponse",
        xml.leaf("Bucket", call.bucket),
        xml.leaf("Location", call.address(record.key)),
        xml.leaf("Key", record.key),
        xml.leaf("ETag", headers["ETag"]),
    )
    answer = answers.xml_answer(root, headers)
    answer.set_status(201)
    return answer


def _malformed(why: str) -> OssError:
    return OssError(400, "MalformedPOSTRequest", f"The form cannot be used: {why}.")
