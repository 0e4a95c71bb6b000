"""The two forms of a request's body: flat, as jobs are written, checked and kept, and the one that
the service takes, where that is a message.

The message is `input.messages[0] = {role: user, content: [{image: …}, …, {text: …}]}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.catalogue.models import MESSAGES as MESSAGES_BODY
from shared.catalogue.models import MessagesForm, Model
from shared.catalogue.plain import Plain

MESSAGES = "/input/messages"
CONTENT = f"{MESSAGES}/0/content"

Body = Mapping[str, Any]


def wire_body(model: Model, body: Body, region: str) -> dict[str, Any]:
    """The body as the service takes it in a region. `body` is a checked one in the flat form."""
    sent = {**body, "model": model.id_in(region)}
    form = model.messages
    if form is None or model.body != MESSAGES_BODY:
        return sent
    given: Body = body["input"]
    images = given.get(form.images) if form.images else None
    content = [{"image": image} for image in images or ()] + [{"text": given[form.text]}]
    own = {name: given[name] for name in form.parameters if name in given}
    return {
        **sent,
        "input": {"messages": [{"role": "user", "content": content}]},
        "parameters": {**own, **body["parameters"]},
    }


def is_native(model: Model, body: Plain) -> bool:
    """Whether a job is written in messages, for a model that has a route that takes them."""
    given = body.get("input") if isinstance(body, dict) else None
    return model.messages is not None and isinstance(given, dict) and "messages" in given


def flat_body(model: Model, body: Body) -> tuple[dict[str, Any], dict[str, str]]:
    """A native body in the flat form, and where each of its parts was written: JSON Pointers into
    the flat form by those into `body`.

    What is not in order is left out (`shared.jobfile.messages` tells of it). Raises ValueError for
    a model without messages.
    """
    form = model.messages
    if form is None:
        raise ValueError(f"{model.name} takes no messages")
    parameters = body.get("parameters")
    given, moved = _input(form, model, body["input"])
    kept = {}
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        if name in form.parameters:
            given[name], moved[f"/input/{name}"] = value, f"/parameters/{name}"
        else:
            kept[name] = value
    flat = {**body, "input": given}
    return ({**flat, "parameters": kept} if isinstance(parameters, dict) else flat), moved


def _input(form: MessagesForm, model: Model, given: Body) -> tuple[dict[str, Any], dict[str, str]]:
    flat: dict[str, Any] = {}
    moved: dict[str, str] = {}
    images: list[Plain] = []
    for index, item in _items(given):
        if "text" in item and form.text not in flat:
            flat[form.text], moved[f"/input/{form.text}"] = item["text"], f"{CONTENT}/{index}/text"
        if "image" in item and form.images:
            moved[f"/input/{form.images}/{len(images)}"] = f"{CONTENT}/{index}/image"
            images.append(item["image"])
    if form.images:
        moved[f"/input/{form.images}"] = CONTENT
        if images or form.images in model.input_schema.get("required", ()):
            flat[form.images] = images
    return flat, moved


def _items(given: Body) -> Iterator[tuple[int, Body]]:
    """The parts of the first message that can be read."""
    messages = given.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    content = first.get("content") if isinstance(first, dict) else None
    for index, item in enumerate(content if isinstance(content, list) else ()):
        if isinstance(item, dict):
            yield index, item


def written_forms(model: Model) -> list[tuple[Body, Body]]:
    """JSON Schemas of `input` and `parameters` in each form in which a job may be written, for
    editors and programs: flat, and in messages where a route of the service takes those."""
    flat, form = (model.input_schema, model.parameters_schema), model.messages
    return [flat] if form is None else [flat, _native(model, form)]


def _native(model: Model, form: MessagesForm) -> tuple[Body, Body]:
    fields = model.input_schema["properties"]
    parts = [_item("text", fields[form.text])]
    parts += [_item("image", fields[form.images]["items"])] if form.images else []
    content = {"type": "array", "minItems": 1, "items": {"anyOf": parts}}
    message = _closed({"role": {"const": "user"}, "content": content})
    messages = {"type": "array", "minItems": 1, "maxItems": 1, "items": message}
    own = {name: fields[name] for name in form.parameters}
    parameters = model.parameters_schema
    properties = {**parameters["properties"], **own}
    return _closed({"messages": messages}), {**parameters, "properties": properties}


def _item(key: str, field: Body) -> dict[str, Any]:
    item = _closed({key: field})
    return {**item, "properties": {**item["properties"], "type": {"const": key}}}


def _closed(properties: Body) -> dict[str, Any]:
    """A mapping with exactly these keys."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": dict(properties),
    }
