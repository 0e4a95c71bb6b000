"""The SDK pointed at one side or the other, and what it shows its caller, made comparable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import dashscope  # type: ignore[import-not-found]
from dashscope import ImageSynthesis
from dashscope.aigc.image_synthesis import AioImageSynthesis  # type: ignore[import-not-found]

from tests.conformance.laptop import Side

__all__ = [
    "AioImageSynthesis",
    "ImageSynthesis",
    "Shown",
    "attempt",
    "normal",
    "on_both",
    "point_at",
    "shown",
]

TIMES = {"submit_time", "scheduled_time", "end_time"}
_VARIABLE = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"https?://[^\s\"']+"), "<url>"),
    (re.compile(r"oss://[^\s\"']+"), "<upload>"),
)


@dataclass(frozen=True)
class Shown:
    """What a caller sees of an answer: ids, addresses and times aside, messages apart."""

    status_code: int | None
    code: str | None
    task_status: str | None = None
    failure: str | None = None
    results: tuple[str, ...] = ()
    metrics: tuple[tuple[str, int], ...] = ()
    usage: tuple[tuple[str, int], ...] | None = None
    raised: str | None = None
    message: str = field(default="", compare=False)


def point_at(side: Side) -> None:
    """All later calls go there. Uploads of local files follow the global address alone."""
    dashscope.base_http_api_url = side.url
    dashscope.api_key = side.key


def on_both(sides: Iterable[Side], action: Callable[[], Any]) -> list[Any]:
    """The action's outcome on each side, in the sides' order."""
    outcomes = []
    for side in sides:
        point_at(side)
        outcomes.append(action())
    return outcomes


def attempt(action: Callable[[], Any]) -> Any:
    """The response, or the exception the SDK raised instead."""
    try:
        return action()
    except dashscope.common.error.DashScopeException as raised:
        return raised


def shown(response: Any) -> Shown:
    """A response of the SDK, or its exception, as its caller sees it."""
    if isinstance(response, Exception):
        text = normal(f"{response}")
        return Shown(None, None, raised=type(response).__name__, message=text)
    output = response.output or {}
    usage = response.usage
    return Shown(
        status_code=response.status_code,
        code=response.code,
        task_status=output.get("task_status"),
        failure=output.get("code"),
        results=tuple(_kind(result) for result in output.get("results") or ()),
        metrics=_sorted(output.get("task_metrics") or {}),
        usage=None if usage is None else _sorted(usage),
        message=normal(response.message or output.get("message") or ""),
    )


def _kind(result: Any) -> str:
    """An image with what is told of it, or a failure with its code."""
    if result.get("code"):
        return f"failed: {result['code']}"
    return "image: " + ", ".join(sorted(name for name, value in result.items() if value))


def _sorted(numbers: Any) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((str(name), int(value)) for name, value in numbers.items()))


def normal(text: str) -> str:
    """Text of any sort without ids, addresses and times; JSON in it with its keys in order."""
    text = _normal_json(text)
    if "\n" in text:
        text = "\n".join(_normal_json(line) for line in text.splitlines())
    for pattern, name in _VARIABLE:
        text = pattern.sub(name, text)
    return text


def _normal_json(text: str) -> str:
    """The text with the JSON document at its end, if it has one, in normal form."""
    head, brace, rest = text.partition("{")
    try:
        document = _without_times(json.loads(brace + rest))
    except ValueError:
        return text
    return head + json.dumps(document, sort_keys=True, ensure_ascii=False)


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(part) for key, part in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [_without_times(part) for part in value]
    return value
