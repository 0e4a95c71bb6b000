"""The body of a create: what is refused at once, and what is passed on.

The service refuses at once a body that cannot be read, an unknown model, and fields that are
missing or of another JSON type; values out of range and images that do not fit it finds out in
the task (samples of the three API references, error code page).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.api.dashscope import errors
from shared.api.dashscope.messages import is_messages, tidied
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import TextUnreadable
from shared.catalogue.wire import flat_body
from shared.jobfile import ParseLimits
from shared.jobfile.json_reader import read_json

UPLOADED = re.compile(r"oss://(uploads/[0-9a-f-]{36}/[^/]+)")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
_WORDS = {"string": "a text", "integer": "a whole number", "array": "a list", "object": "an object"}


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises DashScopeError."""
    try:
        value = read_json(raw.decode("utf-8"), ParseLimits().bounds())
    except UnicodeDecodeError as error:
        raise errors.body_invalid(f"byte {error.start + 1} is not UTF-8") from None
    except TextUnreadable as error:
        raise errors.body_invalid(str(error)) from None
    if not isinstance(value, dict):
        raise errors.body_invalid("a JSON object with model, input and parameters is expected")
    return value


def read_request(
    body: Mapping[str, Any], catalogue: Catalogue, *, resolves: bool
) -> dict[str, Any]:
    """The request as a job file holds it. `resolves`: X-DashScope-OssResourceResolve was sent.

    Raises DashScopeError for what the service refuses at once. Fields that are null or empty and
    not required count as absent, because the SDK sends them; fields that no document names are
    left out, because the service ignores them. Within an object such a field stays, for the check
    to refuse: it may be an older name of one that decides what is paid for.
    """
    model = _model(body, catalogue)
    given = _sections(body)
    if is_messages(given["input"]):
        given = tidied(given, model)
        _refuse_wrong(flat_body(model, given)[0], model)
        request = {"input": given["input"], "parameters": _beside_messages(given, model)}
    else:
        _refuse_wrong(given, model)
        request = {
            "input": _without_empty(_known(given["input"], model.input_schema), model),
            "parameters": _known(given["parameters"], model.parameters_schema),
        }
    return {"model": model.name, **(_resolved(request) if resolves else request)}


def _model(body: Mapping[str, Any], catalogue: Catalogue) -> Model:
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise errors.field_invalid("model", "model is the name of a model, as a text")
    model = catalogue.get(name)
    if model is None:
        raise errors.model_unknown(name, catalogue.names())
    return model


def _sections(body: Mapping[str, Any]) -> dict[str, Any]:
    """`input` and `parameters` as they were sent."""
    given: dict[str, Any] = {"input": body.get("input"), "parameters": body.get("parameters") or {}}
    for section, value in given.items():
        if not isinstance(value, dict):
            raise errors.field_invalid(section, f"{section} must be an object")
    if given["parameters"].get("stream") is True:
        raise errors.streaming()
    return given


def _beside_messages(given: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """The parameters, and the fields of the flat `input` that stand among them."""
    form, sent = model.messages, given["parameters"]
    moved = {name: sent[name] for name in (form.parameters if form else ()) if name in sent}
    own = _known(moved, model.input_schema)
    return {**_without_empty(own, model), **_known(sent, model.parameters_schema)}


def _refuse_wrong(given: Mapping[str, Any], model: Model) -> None:
    wrong = _missing(given["input"], model.input_schema)
    wrong |= _mistyped(given["input"], model.input_schema)
    wrong |= _mistyped(given["parameters"], model.parameters_schema)
    if wrong:
        detail = "; ".join(f"{name} must be {want}" for name, want in wrong.items())
        raise errors.field_invalid(", ".join(wrong), detail)


def _missing(values: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, str]:
    fields = schema["properties"]
    return {
        name: _wanted(fields[name]) for name in schema["required"] if _is_empty(values.get(name))
    }


def _mistyped(values: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, str]:
    fields = schema["properties"]
    return {
        name: _wanted(fields[name])
        for name, value in values.items()
        if name in fields and value is not None and not _has_type(value, fields[name])
    }


def _has_type(value: Any, schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    if "x-also-text" in schema and isinstance(value, str) and value.isascii() and value.isdigit():
        return True  # the check makes it a number
    wanted = _TYPES.get(str(kind), object)
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind in ("integer", "number")):
        return False
    return not isinstance(value, list) or all(
        _has_type(item, schema.get("items", {})) for item in value
    )


def _wanted(schema: Mapping[str, Any]) -> str:
    kind = str(schema.get("type"))
    return str(schema.get("x-expected") or _WORDS.get(kind) or "true or false")


def _is_empty(value: Any) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _known(values: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    fields = schema["properties"]
    return {name: value for name, value in values.items() if name in fields and value is not None}


def _without_empty(values: Mapping[str, Any], model: Model) -> dict[str, Any]:
    kept: dict[str, Any] = _tidied(values, model.input_schema)
    return kept


def _tidied(value: Any, schema: Mapping[str, Any]) -> Any:
    """The same without what is empty and may be left out; objects within are tidied as well."""
    if isinstance(value, list) and "items" in schema:
        return [_tidied(item, schema["items"]) for item in value]
    if not isinstance(value, Mapping) or "properties" not in schema:
        return value
    required, fields = schema.get("required", ()), schema["properties"]
    tidy = {name: _tidied(item, fields.get(name, {})) for name, item in value.items()}
    return {k: v for k, v in tidy.items() if k in required or not _is_empty(v)}


def _resolved(value: Any) -> Any:
    """The same request with `oss://uploads/…` written as what it is: an object of our bucket."""
    if isinstance(value, dict):
        return {name: _resolved(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if isinstance(value, str) and (named := UPLOADED.fullmatch(value)):
        return f"oss:///{named[1]}"
    return value
