"""The runtime's HTTP face: the http trigger, direct invocation, OSS events, and its own state."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from local import own_computer
from local.runtime import frames
from local.runtime.delivery import PayloadTooLarge
from local.runtime.described import described_triggers
from local.runtime.pool import Throttled
from local.runtime.process import Outcome
from local.runtime.runtime import Runtime
from local.runtime.sign_in import SignIn
from local.runtime.signed_calls import DELAY, LIST_TRIGGERS, refused_call
from local.runtime.web_instance import request_frame

REQUEST_BYTES = 32 * 1024 * 1024
"""Largest body of a synchronous request ("limits" page)."""
BODY_SECONDS = 60.0
"""Longest that a caller may take for a body."""
LONGEST_DELAY = 3600
"""Of an asynchronous invocation, in seconds ("asynchronous invocation" page)."""
RUNTIME = web.AppKey("runtime", Runtime)
SIGN_IN = web.AppKey("sign_in", SignIn)
OWN = ("/_", "/2023-03-30/")
"""What the paths of the platform and of this laptop begin with; every other is the trigger's."""
CANCELED = 499
"""What nobody reads: the caller has hung up."""
LOOK_SECONDS = 0.1
"""How often a call looks whether its caller has."""
UNHANDLED = {"X-Fc-Error-Type": "UnhandledInvocationError"}


def make_app(runtime: Runtime, sign_in: SignIn | None = None) -> web.Application:
    """The application; the runtime must have been entered. `sign_in`: what its link is good for."""
    app = web.Application(client_max_size=REQUEST_BYTES, middlewares=[_errors])
    app[RUNTIME] = runtime
    if sign_in is not None:
        app[SIGN_IN] = sign_in
        app.router.add_post("/_runtime/sign-in", _sign_in)
    app.router.add_post("/_events/oss", _oss_events)
    app.router.add_get("/_runtime/state", _state)
    app.router.add_get("/_runtime/access", _access)
    app.router.add_post("/2023-03-30/functions/{name}/invocations", _invocation)
    app.router.add_get("/2023-03-30/functions/{name}/triggers", _triggers)
    app.router.add_route("*", "/{path:(?s:.*)}", _http_trigger)
    return app


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    own = request.path.startswith(OWN)
    if reason := own_computer.refusal(request, pages=not own):
        return _error(403, "AccessDenied", reason)
    try:
        return await handler(request)
    except Throttled as error:
        return _error(429, "ResourceThrottled", str(error))
    except PayloadTooLarge as error:
        return _error(413, "PayloadTooLarge", str(error))
    except web.HTTPRequestEntityTooLarge:
        text = f"the request body is larger than {REQUEST_BYTES} bytes; put it into OSS instead"
        return _error(413, "PayloadTooLarge", text)


async def _oss_events(request: web.Request) -> web.Response:
    try:
        document = json.loads((await _body(request)).decode("utf-8"))
        events = document["events"]
        fired = await request.app[RUNTIME].objects.accept(events)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        text = f'not an OSS event: {error}; expected JSON {{"events": [...]}}'
        return _error(400, "InvalidArgument", text)
    return web.json_response({"invocations": fired})


async def _state(request: web.Request) -> web.Response:
    return web.json_response(request.app[RUNTIME].state())


async def _access(request: web.Request) -> web.Response:
    """What the roles asked of Function Compute, and what of it was denied."""
    return web.json_response(request.app[RUNTIME].settings.rights.report())


async def _sign_in(request: web.Request) -> web.Response:
    """The page asks with the code of its address; `_errors` has refused pages of other origins."""
    try:
        code = json.loads((await _body(request)).decode("utf-8"))["code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        code = None
    if not isinstance(code, str) or not code.isascii():
        return _error(400, "InvalidArgument", 'expected JSON {"code": "…"}')
    token = request.app[SIGN_IN].token_for(code)
    if token is None:
        return _error(403, "AccessDenied", "the link was used already, or is too old")
    return web.json_response({"token": token}, headers={"Cache-Control": "no-store"})


async def _triggers(request: web.Request) -> web.Response:
    """ListTriggers; all on one page."""
    runtime = request.app[RUNTIME]
    function = runtime.resolve(request.match_info["name"])
    if function is None:
        return _not_found(request)
    declared = runtime.pools[function].function
    refusal = refused_call(request, b"", runtime.settings, declared, LIST_TRIGGERS)
    if refusal:
        return _error(403, *refusal)
    return web.json_response({"triggers": described_triggers(declared, str(request.url.origin()))})


def _not_found(request: web.Request) -> web.Response:
    text = f"function {request.match_info['name']!r} is not declared in s.yaml"
    return _error(404, "FunctionNotFound", text)


async def _invocation(request: web.Request) -> web.Response:
    """InvokeFunction: a failed function is still HTTP 200, told apart by X-Fc-Error-Type."""
    runtime = request.app[RUNTIME]
    function = runtime.resolve(request.match_info["name"])
    if function is None:
        return _not_found(request)
    event, called = await _body(request), runtime.pools[function].function
    refusal = refused_call(request, event, runtime.settings, called)
    if refusal:
        return _error(403, *refusal)
    if called.web:
        event = request_frame("POST", "/invoke", [], event)
    if _is_async(request):
        try:
            delay = _delay(request)
        except ValueError as error:
            return _error(400, "InvalidArgument", str(error))
        return await _accepted(runtime, function, event, delay)
    request_id = str(uuid.uuid4())
    outcome = await runtime.invoke(function, event, request_id)
    if called.web:
        return _http_answer(outcome, request_id)
    return web.Response(
        body=outcome.payload,
        content_type="application/octet-stream" if outcome.ok else "application/json",
        headers={"X-Fc-Request-Id": request_id, **({} if outcome.ok else UNHANDLED)},
    )


async def _http_trigger(request: web.Request) -> web.StreamResponse:
    runtime = request.app[RUNTIME]
    function = runtime.http_function
    if function is None:
        return _error(404, "NotFound", f"nothing answers {request.method} {request.path} here")
    assert function.http_trigger is not None
    methods = function.http_trigger.methods
    if request.method not in methods:
        text = f"the http trigger takes {', '.join(methods)}, not {request.method}"
        response = _error(405, "MethodNotAllowed", text)
        response.headers["Allow"] = ", ".join(methods)
        return response
    request_id = f"1-{uuid.uuid4()}"
    path = request.raw_path if request.raw_path.startswith("/") else f"/{request.raw_path}"
    headers = list(request.headers.items())
    event = request_frame(request.method, path, headers, await _body(request))
    if _is_async(request):
        return await _accepted(runtime, function.name, event)
    stream = _Stream(request, request_id)
    invocation = runtime.invoke(function.name, event, request_id, stream.pass_on)
    outcome = await _while_connected(request, invocation)
    if outcome is None:
        text = "Invocation canceled by client"
        return stream.response or _error(CANCELED, "InvocationCanceled", text, request_id)
    return stream.ended(outcome) or _http_answer(outcome, request_id)


async def _while_connected(
    request: web.Request, invocation: Coroutine[Any, Any, Outcome]
) -> Outcome | None:
    """The outcome; None if the caller hangs up, which ends the invocation ("Invocation canceled by
    client" page): the connection to the function's server is closed, as every gateway does."""
    task = asyncio.create_task(invocation)
    try:
        while not task.done() and request.transport is not None:
            await asyncio.wait({task}, timeout=LOOK_SECONDS)
        return await task if task.done() else None
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


@dataclass
class _Stream:
    """An answer that is sent on as it comes."""

    request: web.Request
    request_id: str
    response: web.StreamResponse | None = None

    async def pass_on(self, head: dict[str, Any], body: AsyncIterator[bytes]) -> None:
        """Until it ends, or the caller has gone."""
        self.response = web.StreamResponse(
            status=head["status"], headers=_headers(head, self.request_id)
        )
        with suppress(ConnectionError):
            await self.response.prepare(self.request)
            async for chunk in body:
                await self.response.write(chunk)

    def ended(self, outcome: Outcome) -> web.StreamResponse | None:
        """The answer, if it was a stream; one that failed on its way is cut off."""
        if self.response is not None and not outcome.ok and self.request.transport is not None:
            self.request.transport.abort()
        return self.response


async def _body(request: web.Request) -> bytes:
    """Raises HTTPRequestEntityTooLarge, at once if the caller says so, and HTTPRequestTimeout."""
    if (request.content_length or 0) > REQUEST_BYTES:
        raise web.HTTPRequestEntityTooLarge(REQUEST_BYTES, request.content_length or 0)
    try:
        return await asyncio.wait_for(request.read(), BODY_SECONDS)
    except asyncio.TimeoutError:
        raise web.HTTPRequestTimeout from None


def _http_answer(outcome: Outcome, request_id: str) -> web.Response:
    """The client learns that the function failed, not how: the trace is in the function's log."""
    if not outcome.ok:
        text = "the function ended with an error; its log has the details"
        return _error(502, "UnhandledInvocationError", text, request_id)
    head, body = frames.decode(outcome.payload)
    return web.Response(status=head["status"], headers=_headers(head, request_id), body=body)


def _headers(head: dict[str, Any], request_id: str) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict((name, value) for name, value in head["headers"])
    headers["X-Fc-Request-Id"] = request_id
    return headers


def _is_async(request: web.Request) -> bool:
    return request.headers.get("X-Fc-Invocation-Type", "").lower() == "async"


def _delay(request: web.Request) -> float:
    """Seconds of x-fc-async-delay. Raises ValueError."""
    text = request.headers.get(DELAY, "0")
    if not re.fullmatch("[0-9]{1,4}", text) or int(text) > LONGEST_DELAY:
        raise ValueError(f"{DELAY} is {text!r}; expected whole seconds from 0 to {LONGEST_DELAY}")
    return float(text)


async def _accepted(
    runtime: Runtime, function: str, event: bytes, delay: float = 0.0
) -> web.Response:
    request_id = await runtime.delivery.enqueue(function, event, "invocation", delay)
    return web.Response(status=202, headers={"X-Fc-Request-Id": request_id})


def _error(status: int, code: str, message: str, request_id: str = "") -> web.Response:
    request_id = request_id or str(uuid.uuid4())
    return web.json_response(
        {"RequestId": request_id, "Code": code, "Message": message},
        status=status,
        headers={"X-Fc-Request-Id": request_id, "X-Fc-Error-Type": code},
    )
