"""Bodies in the form of messages: what is refused at once (API references of such models).

One message of the user holds one text and the images, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.api.dashscope import errors
from shared.catalogue.models import Model

MESSAGES = "messages"


def is_messages(given: Any) -> bool:
    """Whether an `input` holds messages."""
    return isinstance(given, Mapping) and MESSAGES in given


def refuse_malformed(given: Mapping[str, Any], model: Model) -> None:
    """Raises DashScopeError for messages of which no request can be made for the model."""
    form = model.messages
    if form is None:
        fields = ", ".join(model.input_schema["properties"])
        raise errors.field_invalid(MESSAGES, f"{model.name} takes no messages but input: {fields}")
    items = _content(given[MESSAGES])
    texts = [item for item in items if "text" in item]
    if len(texts) != 1:
        raise _wrong(f"content must hold exactly one text, not {len(texts)}")
    if form.images is None and len(items) > 1:
        raise _wrong(f"{model.name} takes no images; content must hold one text alone")


def _content(messages: Any) -> list[Mapping[str, Any]]:
    """The parts of the one message, each a text or an image."""
    if not isinstance(messages, list) or len(messages) != 1:
        raise _wrong("it must be a list of exactly one message")
    message = messages[0]
    if not isinstance(message, dict) or message.get("role") != "user":
        raise _wrong("the message must be an object whose role is user")
    content = message.get("content")
    if not isinstance(content, list) or not all(map(_is_part, content)):
        raise _wrong('content must be a list of {"text": …} and {"image": …}')
    return content


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    told = [part[kind] for kind in ("text", "image") if kind in part]
    return len(told) == 1 and isinstance(told[0], str)


def _wrong(detail: str) -> errors.DashScopeError:
    return errors.field_invalid(f"input.{MESSAGES}", detail)


def flat(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """`input` and `parameters` in the flat form that the catalogue describes."""
    form, sent, parameters = model.messages, dict(given["input"]), dict(given["parameters"])
    if form is None:
        return {"input": sent, "parameters": parameters}
    parts = sent.pop(MESSAGES)[0]["content"] if is_messages(sent) else ()
    for part in parts:
        if "text" in part:
            sent[form.text] = part["text"]
    images = [part["image"] for part in parts if "image" in part]
    if form.images is not None and images:
        sent[form.images] = images
    moved = {name: parameters.pop(name) for name in form.parameters if name in parameters}
    return {"input": moved | sent, "parameters": parameters}
