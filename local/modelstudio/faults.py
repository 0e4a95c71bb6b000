"""What is set to go wrong: rules matched against events, and what each action does to a request."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from aiohttp import web

from local.modelstudio.errors import ServiceError, service_error
from local.modelstudio.wire import json_answer, refusal

_HANG_SECONDS = 300.0
Work = Callable[[], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """One rule of the setting `faults` and how often it has matched and struck.

    Each has dice of its own: what strikes elsewhere at the same time does not change its luck.
    """

    rule: Mapping[str, Any]
    dice: random.Random
    matched: int = 0
    struck: int = 0

    def fits(self, at: str, model: str, image: int | None) -> bool:
        """Whether the rule speaks of this event at all."""
        if self.rule["at"] != at or not fnmatchcase(model, self.rule.get("model", "*")):
            return False
        return self.rule.get("image") in (None, image)

    def strikes(self) -> bool:
        """Whether it happens now: after `skip` matches, `times` times, with chance `share`."""
        self.matched += 1
        if self.matched <= self.rule.get("skip", 0):
            return False
        if self.struck >= self.rule.get("times", float("inf")):
            return False
        if self.dice.random() >= self.rule.get("share", 1.0):
            return False
        self.struck += 1
        return True

    @property
    def action(self) -> str:
        """What happens; an error instead of the work unless the rule says otherwise."""
        return str(self.rule.get("action", "answer"))

    @property
    def seconds(self) -> float | None:
        """The time `delay` and `hang` take."""
        value = self.rule.get("seconds")
        return None if value is None else float(value)

    @property
    def error(self) -> ServiceError:
        """The error in the rule's words; what it leaves out is taken from the named error."""
        base = service_error(self.rule.get("error", "internal"))
        return ServiceError(
            self.rule.get("status", base.status),
            self.rule.get("code", base.code),
            self.rule.get("message", base.message),
        )


class FaultBook:
    """All faults in force. The first that fits an event and strikes is the one that happens."""

    def __init__(self, rules: Sequence[Mapping[str, Any]], seed: int) -> None:
        self._faults = [Fault(rule, random.Random(f"{seed} {k}")) for k, rule in enumerate(rules)]

    def take(self, at: str, model: str, image: int | None = None) -> Fault | None:
        """The fault of this event, if any."""
        for fault in self._faults:
            if fault.fits(at, model, image) and fault.strikes():
                return fault
        return None

    def counts(self) -> list[dict[str, Any]]:
        """Each rule with how often it struck, for the report."""
        return [{**fault.rule, "struck": fault.struck} for fault in self._faults]


async def answer_despite(
    fault: Fault | None, request: web.Request, work: Work
) -> web.StreamResponse:
    """Do the work and answer, or what the fault makes of it."""
    if fault is None:
        return await work()
    if fault.action == "delay":
        await asyncio.sleep(fault.seconds or 0.0)
        return await work()
    if fault.action == "hang":
        await asyncio.sleep(_HANG_SECONDS if fault.seconds is None else fault.seconds)
        return cut(request)
    if fault.action == "cut_before":
        return cut(request)
    if fault.action == "cut_after":
        return await _work_and_cut(request, work)
    if fault.action == "answer_after":
        with suppress(ServiceError):
            await work()
    if fault.action in _CHANGES:
        return _CHANGES[fault.action](await work(), fault)
    return _error_answer(fault)


def _truncated(answer: web.StreamResponse, _: Fault) -> web.StreamResponse:
    """The first half as if it were all: nothing but the picture itself tells."""
    half = _bytes(answer)[: len(_bytes(answer)) // 2]
    return web.Response(status=answer.status, body=half, content_type=answer.content_type)


def _retyped(answer: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    return web.Response(
        status=answer.status, body=_bytes(answer), content_type=fault.rule["content_type"]
    )


def _reworded(answer: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    """The query's answer with another status and nothing of what the true one brings along."""
    told = json.loads(_bytes(answer))
    output = {"task_id": told["output"]["task_id"], "task_status": fault.rule["word"]}
    return json_answer({"request_id": told["request_id"], "output": output})


def _bytes(answer: web.StreamResponse) -> bytes:
    body = answer.body if isinstance(answer, web.Response) else None
    return bytes(body) if isinstance(body, (bytes, bytearray)) else b""


_CHANGES: Mapping[str, Callable[[web.StreamResponse, Fault], web.StreamResponse]] = {
    "truncate": _truncated,
    "retype": _retyped,
    "word": _reworded,
}


async def _work_and_cut(request: web.Request, work: Work) -> web.StreamResponse:
    try:
        answer = await work()
    except ServiceError:
        return cut(request)
    if isinstance(answer, web.Response) and answer.content_type == "image/png":
        return await _half(request, answer)
    return cut(request)


async def _half(request: web.Request, whole: web.Response) -> web.StreamResponse:
    body = _bytes(whole)
    answer = web.StreamResponse(headers={"Content-Type": "image/png"})
    answer.content_length = len(body)
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    cut(request)
    return answer


def cut(request: web.Request) -> web.Response:
    """Drop the connection without (further) answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _error_answer(fault: Fault) -> web.Response:
    error = fault.error
    status = 200 if fault.action == "body_200" else error.status
    if "body" in fault.rule:
        return web.Response(status=status, text=fault.rule["body"], content_type="text/html")
    return json_answer(refusal(error), status)
