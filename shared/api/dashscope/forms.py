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
    only a list of objects has room for. `texts` go beside the images of a message.
    """
    parts = at.strip("/").split("/")[1:]
    built: dict[str, Any] = _built("", parts, images, texts)
    return built


def _built(
    name: str, parts: Sequence[str], images: Sequence[Mapping[str, Any]], texts: Sequence[str]
) -> Any:
    """What stands at a place; `name` is the part before it."""
    good = [image for image in images if "url" in image]
    if not parts:
        return good[0]["url"] if good else None
    first, *rest = parts
    if first != "*":
        return {**ASIDE.get(name, {}), first: _built(first, rest, images, texts)}
    if not rest:
        return [image["url"] for image in good]
    if "*" in rest:  # all images in one message, as in the samples with several
        return [_built(name, rest, images, texts)]
    if name == TYPED:
        told = [{"type": "text", "text": text} for text in texts]
        return [{"type": rest[-1], **_nested(rest, image["url"])} for image in good] + told
    return [_item(rest, image) for image in images]


def _item(parts: Sequence[str], image: Mapping[str, Any]) -> dict[str, Any]:
    """An image of a list, what is told of it beside its address; or why it was not made."""
    told = {name: value for name, value in image.items() if name != "url"}
    return told | (_nested(parts, image["url"]) if "url" in image else {})


def _nested(parts: Sequence[str], url: str) -> dict[str, Any]:
    value: Any = url
    for part in reversed(parts):
        value = {part: value}
    nested: dict[str, Any] = value
    return nested
