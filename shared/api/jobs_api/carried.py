"""What a request may carry: parameters that its endpoint knows, and a body as it is."""

from __future__ import annotations

from typing import Any

import falcon

from shared.api.dashscope import DashScopeError, is_dashscope
from shared.api.jobs_api.access import is_static
from shared.api.jobs_api.problems import Problem, unknown_parameter


class Carried:
    """Refuses what would be misread: a body in another coding, a parameter that nobody reads.

    An endpoint names the query parameters that it reads by method (`parameters`).
    """

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        coding = (request.get_header("Content-Encoding") or "identity").strip().lower()
        if coding == "identity" or not request.content_length:
            return
        response.set_header("Accept-Encoding", "identity")
        detail = f"The body is encoded ({coding[:80]}); send the body without Content-Encoding."
        if is_dashscope(request.path):
            raise DashScopeError(415, "InvalidParameter", detail)
        raise Problem(415, "Encoded body", detail)

    def process_resource(
        self, request: falcon.Request, _response: falcon.Response, resource: Any, _params: object
    ) -> None:
        if is_dashscope(request.path) or is_static(request.path):
            return
        if not hasattr(resource, f"on_{request.method.lower()}"):
            return  # no such method, which is said soon
        known = getattr(resource, "parameters", {}).get(request.method, ())
        for name in request.params:
            if name not in known:
                raise unknown_parameter(name, known)
