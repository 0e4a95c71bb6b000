"""Who calls an operation of Function Compute: its signature, ACS3-HMAC-SHA256, and its policy.

Written a second time, from the page "V3 request structure and signature", so that a mistake in the
functions' own signing shows here. A call without a signature is a person's at this computer; one
with a delay must be signed, because only functions make it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta, timezone

from aiohttp import web

from local.runtime.declaration import Function
from local.runtime.settings import CREDENTIALS, Settings

DELAY = "x-fc-async-delay"
INVOKE, LIST_TRIGGERS = "InvokeFunction", "ListTriggers"
FORM = re.compile(
    r"ACS3-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
MUST = ("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce")
EXPIRES = timedelta(minutes=15)

Refusal = tuple[str, str]
"""Code and message of an answer 403."""


def refused_call(
    request: web.Request,
    body: bytes,
    settings: Settings,
    function: Function,
    operation: str = INVOKE,
) -> Refusal | None:
    """Why a call is not allowed; None if it is."""
    said = request.headers.get("Authorization")
    if said is None:
        text = f"a call with {DELAY} must be signed with the credentials of a role"
        return ("AccessDenied", text) if DELAY in request.headers else None
    form = FORM.fullmatch(said)
    if form is None:
        return (
            "InvalidAuthorization",
            "expected ACS3-HMAC-SHA256 with Credential, SignedHeaders, Signature",
        )
    key_id, names, signature = form.groups()
    wrong = _incomplete(request, body, names.split(";"), operation)
    if wrong:
        return wrong
    role, secret, token = _who(key_id, settings)
    if not secret:
        return "InvalidAccessKeyId.NotFound", "the AccessKey is not one of this laptop cloud"
    if token and not _same(token, request.headers.get("x-acs-security-token", "")):
        return "InvalidSecurityToken", "x-acs-security-token is not the one of this AccessKey"
    if not _same(_signature(request, names, secret), signature):
        return "SignatureDoesNotMatch", "the signature is not the one of this request"
    if role and not settings.rights.may_call(role, function, f"fc:{operation}"):
        return "AccessDenied", f"{role} may not fc:{operation} on {function.name}"
    return None


def _incomplete(
    request: web.Request, body: bytes, names: list[str], operation: str
) -> Refusal | None:
    """What is wrong with what is signed: headers, hash of the body, time."""
    sent_names = {name for name in map(str.lower, request.headers) if name.startswith("x-acs-")}
    missing = sorted((sent_names | set(MUST)) - set(names))
    if missing:
        return "IncompleteSignature", f"these headers must be signed: {', '.join(missing)}"
    if request.headers["x-acs-content-sha256"] != hashlib.sha256(body).hexdigest():
        return "InvalidContentSha256", "x-acs-content-sha256 is not the hash of the body"
    if request.headers["x-acs-action"] != operation:
        return "InvalidAction", f"x-acs-action must be {operation}"
    try:
        sent = datetime.strptime(request.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return "InvalidTimeStamp.Format", "x-acs-date must be like 2026-11-28T08:00:00Z"
    if abs(datetime.now(timezone.utc) - sent.replace(tzinfo=timezone.utc)) > EXPIRES:
        return "InvalidTimeStamp.Expired", "x-acs-date is more than 15 minutes off"
    return None


def _who(key_id: str, settings: Settings) -> tuple[str, str, str]:
    """Role, secret and token behind an AccessKey; "" where there is none of it. The account's own
    key has no role, and may call every function."""
    for role in settings.rights.roles.values():
        if role.key_id and _same(role.key_id, key_id):
            return role.name, role.secret, role.token
    names = list(CREDENTIALS.values())
    own_id, secret, token = (settings.environ.get(name, "") for name in names)
    if not _same(own_id, key_id):
        return "", "", ""
    return "", secret, token


def _signature(request: web.Request, names: str, secret: str) -> str:
    path, _, query = request.raw_path.partition("?")
    text = f"{request.method}\n{path}\n{'&'.join(sorted(filter(None, query.split('&'))))}\n"
    for name in names.split(";"):
        text += f"{name}:{request.headers.get(name, '').strip()}\n"
    text += f"\n{names}\n{request.headers['x-acs-content-sha256']}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    signed = f"ACS3-HMAC-SHA256\n{digest}".encode()
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
