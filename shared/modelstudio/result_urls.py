"""Finding the results in a task's answer, at the place the catalogue names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def result_items(answer: Mapping[str, Any], results_at: str) -> list[Mapping[str, Any]]:
    """The results in order, each with `url`, or with `code` and `message` if that image failed.

    `results_at` is a JSON Pointer (RFC 6901) to the URL; `*` stands for every item of a list.
    Failed images sit among the good ones (wan2.5 API reference).
    """
    parts = results_at.strip("/").split("/")
    if "*" not in parts:
        return [{"url": url} for url in [_walk(answer, parts)] if url]
    star = parts.index("*")
    items = _walk(answer, parts[:star])
    if not isinstance(items, list):
        return []
    inner = parts[star + 1 :]
    return [item | {"url": _walk(item, inner)} for item in items if isinstance(item, dict)]


def prompts_of(answer: Mapping[str, Any], results_at: str, key: str) -> list[str]:
    """The prompts that the results show, as they were sent."""
    prompts = (item.get(key) for item in result_items(answer, results_at))
    return [prompt for prompt in prompts if isinstance(prompt, str)]


def _walk(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
