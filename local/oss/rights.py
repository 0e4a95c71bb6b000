"""Which rights a request needs, by its operation."""

from __future__ import annotations

from collections.abc import Iterator

from local.oss import access, routes
from local.oss.objects import parse_source
from local.oss.service import Call
from local.ram import Access


def asked(call: Call) -> Iterator[Access]:
    """What a request asks for; nothing for what is judged with its body, or unknown (405)."""
    region, bucket, key = call.service.region, call.bucket, call.key
    operation = (call.method, routes.subresource(call))
    if not bucket:
        yield access.of_service(region)
    elif not key:
        action = access.BUCKET_ACTIONS.get(operation)
        if action:
            yield access.of_bucket(region, bucket, action, call.query)
    elif operation in access.OBJECT_ACTIONS:
        yield from _of_object(call, access.OBJECT_ACTIONS[operation])


def _of_object(call: Call, action: str) -> Iterator[Access]:
    region, headers = call.service.region, {name.lower(): "" for name in call.request.headers}
    if action == "oss:PutObject":
        yield from access.writes(region, call.bucket, call.key, headers)
    else:
        yield access.of_object(region, call.bucket, call.key, action)
    if "x-oss-copy-source" in headers:
        source = parse_source(call.header("x-oss-copy-source"))
        yield access.of_object(region, *source, "oss:GetObject")
