"""Finding images and texts in a task's answer, at the places the catalogue names.

A place is a JSON Pointer (RFC 6901) in which `*` stands for every item of a list, at any depth: the
images of several choices, or several in one, or a list of plain URLs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.catalogue.pointers import find, steps_of

MOST_TEXTS = 64
MOST_CHARACTERS = 64_000
"""Of the texts of an answer together; one has at most 4,000 (`shared.modelstudio.answers`)."""

_Item = Mapping[str, Any]


def result_items(answer: Mapping[str, Any], results_at: str) -> list[Mapping[str, Any]]:
    """The results in order, each with `url`, or with `code` and `message` if that image failed.

    Failed images sit among the good ones (wan2.5 API reference), and so do texts, which are left
    out (wan2.6-image API reference). A text where a URL belongs is said instead of the image that
    was refused (poster generation API reference).
    """
    steps = steps_of(results_at)
    found = _found(answer, steps, None)
    return [
        _result(value, item or {}) for value, item in found if _is_image(value, item, steps[-1])
    ]


def result_texts(answer: Mapping[str, Any], texts_at: str) -> list[str]:
    """The texts beside the images, in order: at most `MOST_TEXTS` and `MOST_CHARACTERS`."""
    texts: list[str] = []
    left = MOST_CHARACTERS
    for _, text in find(answer, texts_at):
        if isinstance(text, str) and text and left and len(texts) < MOST_TEXTS:
            texts.append(text[:left])
            left -= len(texts[-1])
    return texts


def value_at(answer: Mapping[str, Any], pointer: str) -> Any:
    """What lies at a place without `*`; None where nothing does."""
    return next((value for _, value in find(answer, pointer)), None)


def prompts_of(answer: Mapping[str, Any], results_at: str, key: str) -> list[str]:
    """The prompts that the results show, as they were sent."""
    prompts = (item.get(key) for item in result_items(answer, results_at))
    return [prompt for prompt in prompts if isinstance(prompt, str)]


def _found(
    value: Any, steps: Sequence[str], item: _Item | None
) -> Iterator[tuple[Any, _Item | None]]:
    """What `value` holds at the end of `steps`, and the innermost list item around it."""
    if steps and steps[0] == "*" and isinstance(value, list):
        for one in value:
            if isinstance(one, dict) or len(steps) == 1:
                yield from _found(one, steps[1:], one if isinstance(one, dict) else {})
    elif steps and steps[0] != "*" and isinstance(value, (dict, list)):
        yield from _found(_enter(value, steps[0]), steps[1:], item)
    else:
        yield (None if steps else value), item


def _is_image(value: Any, item: _Item | None, key: str) -> bool:
    """Whether this is an image, or one that failed, and not a text or anything else beside the
    images: an item may say what it is (`type`, wan2.6 and wan2.7 image API references)."""
    if item is None:
        return bool(value)
    beside = isinstance(item.get("text"), str) or item.get("type", key) != key
    return value is not None or "code" in item or not beside


def _result(value: Any, item: _Item) -> _Item:
    """`url` is whatever stands in its place; only a plain text beside URLs may be no URL."""
    if item or not isinstance(value, str) or value.startswith(("http://", "https://")):
        return {**item, "url": value or None}
    return {"message": value, "url": None}


def _enter(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return None
