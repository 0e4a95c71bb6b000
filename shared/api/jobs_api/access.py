"""Who may do what: tokens, scopes, and browsers of other origins."""

from __future__ import annotations

from typing import Any

import falcon

from shared.api import wires
from shared.api.context import app_of
from shared.api.dashscope import is_open
from shared.api.jobs_api.problems import Problem
from shared.api.tokens import identify

PAGE = "/web"
READING = ("GET", "HEAD", "OPTIONS")
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"
SHOWN_HEADERS = "ETag, Location, Retry-After, Link"


class Tokens:
    """Lets only callers pass whose token is known and whose scope covers the endpoint.

    An endpoint may name the scope it needs (`needs`); else reading needs read and the rest submit.
    """

    def process_request(self, request: falcon.Request, _response: falcon.Response) -> None:
        if is_open(request.path) or is_static(request.path) or request.context.get("preflight"):
            return
        caller = identify(app_of(request).settings, request.auth)
        if caller is not None:
            request.context.caller = caller
            return
        if (refused := wires.token_refused(request)) is not None:
            raise refused
        raise Problem(401, "Not authorised", "Send a valid token: `Authorization: Bearer <token>`.")

    def process_resource(
        self, request: falcon.Request, _response: falcon.Response, resource: Any, _params: object
    ) -> None:
        caller = request.context.get("caller")
        needed = getattr(resource, "needs", "read" if request.method in READING else "submit")
        if caller is None or caller.may(needed):
            return
        detail = f"This needs a token of scope {needed}."
        if needed == "admin" and caller.prefix:
            detail = "This concerns all jobs: it needs a token of scope admin without a prefix."
        raise wires.refusal(request.path, 403, detail, "AccessDenied") or Problem(
            403, "Not allowed", detail
        )


class Origins:
    """CORS for the one origin of the settings, or none at all."""

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        if not self._asked_by_it(request) or request.method != "OPTIONS":
            return
        request.context.preflight = True
        response.set_header("Access-Control-Allow-Methods", "GET, POST, PUT")
        response.set_header("Access-Control-Allow-Headers", ALLOWED_HEADERS)
        response.set_header("Access-Control-Max-Age", "600")
        response.status = falcon.HTTP_204
        response.complete = True

    def process_response(
        self, request: falcon.Request, response: falcon.Response, _resource: object, _ok: bool
    ) -> None:
        response.set_header("X-Content-Type-Options", "nosniff")
        origin = app_of(request).settings.cors_origin
        if origin:
            response.append_header("Vary", "Origin")
        if self._asked_by_it(request):
            response.set_header("Access-Control-Allow-Origin", origin)
            response.set_header("Access-Control-Expose-Headers", SHOWN_HEADERS)

    def _asked_by_it(self, request: falcon.Request) -> bool:
        origin = app_of(request).settings.cors_origin
        return bool(origin) and request.get_header("Origin") == origin


def is_static(path: str) -> bool:
    """Whether a path is the page's, which holds no data and so needs no token."""
    return path in ("/", PAGE) or path.startswith(f"{PAGE}/")
