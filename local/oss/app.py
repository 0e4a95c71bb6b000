"""The application: every request passes here, is authenticated, routed and answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aiohttp import ClientError, web
from aiohttp.typedefs import Handler as WebHandler

from local import own_computer
from local.oss import admin, answers, cors, keys, routes
from local.oss.authentication import Authenticator, Credentials
from local.oss.errors import OssError, access_denied, not_implemented
from local.oss.guard import Guard
from local.oss.listing import Lister
from local.oss.multipart import Uploads
from local.oss.notices import new_request_id
from local.oss.rights import asked
from local.oss.service import Call, Service, parse_target
from local.oss.storage import Store
from local.ram import Identity

logger = logging.getLogger("local.oss")
SERVICE = web.AppKey("service", Service)
_REQUEST_ID = "oss_request_id"
_CORS = "oss_cors"
_READS = ("GET", "HEAD")


def build_service(
    root: Path,
    region: str,
    credentials: Credentials,
    *,
    notify: bool,
    roles: Mapping[str, Identity] | None = None,
) -> Service:
    """Open a folder; raises OSError where it cannot be used.

    `credentials` are the account's own, which may do anything; `roles` act within their policies.
    """
    roles = roles or {}
    theirs = [Credentials(r.key_id, r.secret, r.token, r.name) for r in roles.values() if r.key_id]
    root.mkdir(parents=True, exist_ok=True)
    store = Store(root, region, notify=notify)
    lister = Lister(store.layout, store.database)
    authenticator = Authenticator(credentials, region, theirs)
    return Service(store, lister, Uploads(store), authenticator, region, Guard(roles))


def build_application(service: Service) -> web.Application:
    """Return the web application of a service."""
    # A middleware takes every request: keys such as "a//b" are no business of a path router.
    application = web.Application(middlewares=[_answer])
    application[SERVICE] = service
    application.on_response_prepare.append(_complete_headers)
    return application


async def _complete_headers(request: web.Request, answer: web.StreamResponse) -> None:
    answer.headers["Server"] = "AliyunOSS"
    answer.headers["x-oss-request-id"] = request.get(_REQUEST_ID, "")
    if answer.status == 204:
        # Clients keep the connection only if they are told that nothing follows.
        answer.headers["Content-Length"] = "0"
    origin = request.headers.get("Origin", "")
    document = request.get(_CORS)
    rule = cors.find_rule(document, origin, request.method)
    if rule:
        answer.headers.update(cors.answer_headers(rule, origin))
    if cors.varies(document):
        answer.headers["Vary"] = "Origin"


@web.middleware
async def _answer(request: web.Request, handler: WebHandler) -> web.StreamResponse:
    request_id = request[_REQUEST_ID] = new_request_id()
    try:
        return await _operate(request, request_id)
    except OssError as error:
        return answers.error_answer(error, request_id, request.host)
    except (ConnectionError, ClientError):
        # The client is gone; an answer begun cannot be finished, and nobody would read another.
        if request.transport:
            request.transport.abort()
        return answers.empty(400)
    except Exception as error:
        path = request.raw_path.partition("?")[0]  # a presigned query would give away its right
        reason = f"{type(error).__name__}: {error}"
        logger.error("%s %s %s: %s", request_id, request.method, path, reason)
        text = "The server could not do this; its log names the reason under the request id."
        return answers.error_answer(OssError(500, "InternalError", text), request_id, request.host)


async def _operate(request: web.Request, request_id: str) -> web.StreamResponse:
    service = request.app[SERVICE]
    reason = own_computer.refusal(request, pages=request.path != admin.PATH)
    if reason:
        raise access_denied(f"{reason[0].upper()}{reason[1:]}.")
    if request.path == admin.PATH:
        return admin.answer(request, service)
    target = parse_target(request.raw_path, request.host, service.store.layout.has_bucket)
    call = Call(service, request, target, request_id)
    _check_names(call)
    if call.bucket and service.store.layout.has_bucket(call.bucket):
        request[_CORS] = service.store.settings(call.bucket).get("cors")
    if call.method == "OPTIONS":
        return _preflight(call)
    call = _authorised(call)
    if call.method == "PUT" and ({"If-Match", "If-None-Match"} & set(request.headers)):
        text = "A header you provided implies functionality that is not implemented: a PUT cannot "
        raise not_implemented(text + "be conditional; use x-oss-forbid-overwrite: true.")
    return await routes.find(call)(call)


def _preflight(call: Call) -> web.StreamResponse:
    origin = call.header("Origin")
    method = call.header("Access-Control-Request-Method")
    asked = call.header("Access-Control-Request-Headers")
    rule = cors.find_rule(call.request.get(_CORS), origin, method, asked)
    return answers.empty(headers=cors.preflight_headers(rule, origin, asked))


def _check_names(call: Call) -> None:
    if call.bucket:
        keys.check_bucket_name(call.bucket)
    if call.key:
        keys.check_key(call.key)


def _authorised(call: Call) -> Call:
    """Return the call with the role it acts under; raises OssError where it may not be made."""
    if call.bucket and not _creates_bucket(call):
        call.service.store.require_bucket(call.bucket)  # looked up first, as on the service
    signer = call.service.authenticator.check(call.signed(), time.time())
    if signer:
        call = replace(call, role=signer.role)
        if signer.role:
            call.service.guard.require(signer.role, asked(call))
        return call
    if call.key and not routes.subresource(call) and _is_public(call):
        return call
    if call.method == "POST" and call.bucket and not call.key and not call.query:
        return call  # a form upload, signed by its policy (post.py)
    raise access_denied("Anonymous access is forbidden for this operation; sign the request.")


def _creates_bucket(call: Call) -> bool:
    return call.method == "PUT" and not call.key and not routes.subresource(call)


def _is_public(call: Call) -> bool:
    """Tell whether anybody may do this by the ACL of the object, or else of its bucket."""
    store = call.service.store
    if not store.layout.has_bucket(call.bucket):
        return False
    acl = str(store.settings(call.bucket)["acl"])
    record = store.database.record(call.bucket, call.key)
    if record is not None and record.attributes.acl != "default":
        acl = record.attributes.acl
    if call.method in _READS:
        return acl in ("public-read", "public-read-write")
    return acl == "public-read-write"
