"""The `messages` form of a body: one message of one text and any number of images."""

from __future__ import annotations

from typing import Any

from local.modelstudio.errors import service_error
from local.modelstudio.fields import facts
from local.modelstudio.rules import ModelRules, Row, varied

_TAKES_NO_IMAGES: Row = {"min": 0, "max": 0}


def flat_body(model: ModelRules, body: Row) -> dict[str, Any]:
    """The body with `input: {prompt, images}`. Raises ServiceError where it is no such message."""
    given = body.get("input")
    if not isinstance(given, dict):
        raise service_error("field_invalid", field="input")
    if given.get("messages") is None:
        raise service_error("field_required", field="input.messages")
    content = _content(given["messages"])
    texts, images = ([item[key] for item in content if key in item] for key in ("text", "image"))
    rule = _of_images(model, body.get("parameters"))
    if not texts or len(images) < rule["min"]:
        raise service_error("image_or_text_lacking")
    if len(texts) > 1:
        raise service_error("one_text_only")
    if len(images) > rule["max"]:
        raise service_error("specification", detail=f"at most {rule['max']} images are supported")
    return {**body, "input": {"prompt": texts[0], "images": images}}


def _of_images(model: ModelRules, parameters: object) -> Row:
    """How many images may come along with such parameters."""
    read = {"input": {}, "parameters": parameters if isinstance(parameters, dict) else {}}
    return varied(model.input.get("images", _TAKES_NO_IMAGES), facts(model, read))


def _content(messages: object) -> list[dict[str, Any]]:
    if not isinstance(messages, list) or len(messages) != 1:
        raise service_error("one_message_only")
    message = messages[0]
    if not isinstance(message, dict) or message.get("role") != "user":
        raise service_error("field_invalid", field="input.messages.0.role")
    content = message.get("content")
    if not isinstance(content, list) or not all(_is_item(item) for item in content):
        raise service_error("field_invalid", field="input.messages.0.content")
    return content


def _is_item(item: object) -> bool:
    return isinstance(item, dict) and ("text" in item) != ("image" in item)
