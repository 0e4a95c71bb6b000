"""What a request may carry: parameters that its endpoint knows, and a body as it is."""

from __future__ import annotations

from typing import Any

import falcon

from shared.api import wires
from shared.api.context import app_of, free_room
from shared.api.jobs_api.access import is_static
from shared.api.jobs_api.problems import Problem, unknown_parameter

SMALL_BODY = 64 * 1024
"""Bytes up to which a body needs no room of its own."""


class Carried:
    """Refuses what would be misread: a body in another coding, a parameter that nobody reads.

    An endpoint names the query parameters that it reads by method (`parameters`). Large bodies
    wait until there is room for them: many at once would take more memory than an instance has.
    """

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        coding = (request.get_header("Content-Encoding") or "identity").strip().lower()
        if coding == "identity" or not request.content_length:
            _take_room(request, response)
            return
        response.set_header("Accept-Encoding", "identity")
        detail = f"The body is encoded ({coding[:80]}); send the body without Content-Encoding."
        raise wires.refusal(request.path, 415, detail, "InvalidParameter") or Problem(
            415, "Encoded body", detail
        )

    def process_response(
        self, request: falcon.Request, _response: falcon.Response, _resource: object, _ok: bool
    ) -> None:
        free_room(request)

    def process_resource(
        self, request: falcon.Request, _response: falcon.Response, resource: Any, _params: object
    ) -> None:
        if wires.is_of_others(request.path) or is_static(request.path):
            return
        if not hasattr(resource, f"on_{request.method.lower()}"):
            return  # no such method, which is said soon
        known = getattr(resource, "parameters", {}).get(request.method, ())
        for name in request.params:
            if name not in known:
                raise unknown_parameter(name, known)


def _take_room(request: falcon.Request, response: falcon.Response) -> None:
    """Raises Problem, or what the path's wire has for it, where others keep the room."""
    size = request.content_length or 0
    if size <= SMALL_BODY:
        return
    if app_of(request).instance.bodies.take(size):
        request.context.room = size
        return
    response.set_header("Retry-After", "5")
    detail = "Many large requests are being read; send this one again in a few seconds."
    raise wires.refusal(request.path, 503, detail, "ServiceUnavailable") or Problem(
        503, "Busy", detail
    )
