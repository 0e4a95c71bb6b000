"""Results in the form of an answer: the inverse of finding them there.

The place of the results (JSON Pointer, `*` for every item) says the form: a list of objects, of
plain addresses, a single address, or messages with contents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ASIDE: Mapping[str, Mapping[str, Any]] = {
    "choices": {"finish_reason": "stop"},
    "message": {"role": "assistant"},
}
"""What stands beside the results in each part of this name (samples of the API references)."""
TYPED = "content"
"""The list whose items say what they are, as `type` (wan2.6 and wan2.7 API references)."""


def output_with(
    at: str, images: Sequence[Mapping[str, Any]], texts: Sequence[str] = ()
) -> dict[str, Any]:
    """The `output` that holds the images at a place below /output.

    Each image has `url`, and what is told of it; or `code` and `message` if it was not made, which
    only a list of objects has room for. `texts` stand beside the images of a message. With two `*`
    all images are in one item of the outer list, as in the samples with several; with one, each has
    an item of its own.
    """
    parts = at.strip("/").split("/")[1:]
    shown = images if _has_room(parts) else [image for image in images if "url" in image]
    built: dict[str, Any] = _built("", parts, shown, texts)
    return built


def in_messages(at: str) -> bool:
    """Whether the results at a place are parts of messages."""
    return TYPED in at.split("/")


def _has_room(parts: Sequence[str]) -> bool:
    """Whether the results are objects of a list, so that a failure can be one of them."""
    return parts.count("*") == 1 and len(parts) > 2 and parts[-2] == "*" and TYPED not in parts


def _built(
    name: str, parts: Sequence[str], images: Sequence[Mapping[str, Any]], texts: Sequence[str]
) -> Any:
    """What lies at a place; `name` is the part before it."""
    if not parts:
        return images[0]["url"] if images else None
    first, *rest = parts
    if first != "*" and not first.isdecimal():
        return {**ASIDE.get(name, {}), first: _built(first, rest, images, texts)}
    own_item = first == "*" and "*" not in rest
    groups = [[image] for image in images] if own_item else [images]
    items = [_item(name, rest, one, () if at else texts) for at, one in enumerate(groups)]
    return items + [{"type": "text", "text": text} for text in texts if name == TYPED]


def _item(
    name: str, parts: Sequence[str], images: Sequence[Mapping[str, Any]], texts: Sequence[str]
) -> Any:
    """An item of the list `name`; the innermost one says what is told of its image."""
    if len(parts) != 1 or not images:
        return _built(name, parts, images, texts)
    (key,), (image, *_) = parts, images
    if name == TYPED:
        return {"type": key, key: image["url"]}
    told = {field: value for field, value in image.items() if field != "url"}
    return told | ({key: image["url"]} if "url" in image else {})
