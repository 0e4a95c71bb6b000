"""What a request says, as far as the model's rules go: its fields, texts, images, parameters.

A body of the messages form has been made flat before (messages.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.modelstudio.errors import service_error
from local.modelstudio.rules import ModelRules, Row, holds, varied
from local.modelstudio.values import check_value, meant


def check_fields(model: ModelRules, body: Row) -> None:
    """What is refused at once: fields that are missing or of another type. Raises ServiceError."""
    given = body.get("input")
    if not isinstance(given, dict):
        raise service_error("field_invalid", field="input")
    if not isinstance(body.get("parameters"), (dict, type(None))):
        raise service_error("field_invalid", field="parameters")
    if body.get("parameters") is None and model.row.get("needs_parameters"):
        raise service_error("empty_parameters")
    _check_types(model.input, given)
    one_of = model.row.get("one_of")
    if one_of and not any(given.get(name) for name in one_of["fields"]):
        detail = f"one of {', '.join(one_of['fields'])} is required"
        raise service_error(one_of["error"], detail=detail)


def _check_types(rules: Mapping[str, Row], given: Row) -> None:
    for name, rule in rules.items():
        value, needed = given.get(name), rule["required"]
        if "only_when" in rule and not (needed := holds(rule["only_when"], given)):
            continue
        if value in (None, "", []) and not needed:
            continue
        if rule["type"] == "text" and isinstance(value, str) and not needed:
            continue  # samples send a negative_prompt of one space
        if not _has_type(rule, value):
            raise service_error("field_invalid", field=name)
        if rule["type"] == "object":
            _check_object(rule, given[name])


def _has_type(rule: Row, value: object) -> bool:
    if rule["type"] == "images":
        return isinstance(value, list) and bool(value) and all(_is_text(item) for item in value)
    if rule["type"] == "texts":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if rule["type"] == "object":
        return isinstance(value, dict)
    if rule["type"] == "enum":
        return meant(rule, value) is not None
    if rule["type"] == "record":
        return isinstance(value, dict)
    return _is_text(value)


def _check_object(rule: Row, given: Row) -> None:
    """An object's own fields, and how many items its lists have."""
    _check_types(rule["fields"], given)
    for name, inner in rule["fields"].items():
        other = inner.get("same_length_as")
        if other and given.get(name) and len(given[name]) != len(given.get(other) or []):
            detail = f"{name} must be as long as {other}"
            raise service_error("specification", detail=detail)
    together, most = rule["together"]["fields"], rule["together"]["most"]
    if sum(len(given.get(name) or []) for name in together) > most:
        detail = f"{' and '.join(together)} must hold at most {most} items"
        raise service_error("specification", detail=detail)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def facts(model: ModelRules, body: Row) -> dict[str, Any]:
    """What the conditions of the rules know: parameters, `function`, `images`."""
    given = body.get("parameters") or {}
    known = {
        name: rule.get("default") if given.get(name) is None else given[name]
        for name, rule in model.parameters.items()
    }
    known["function"] = body["input"].get("function")
    known["images"] = bool(body["input"].get("images"))
    return known


def wanted_images(model: ModelRules, body: Row) -> int:
    """`n`, or what counts instead, as far as it can be read, for the metrics of a task that fails
    on its parameters."""
    known, counted = facts(model, body), model.row.get("counted_by")
    name = counted["parameter"] if counted and holds(counted["when"], known) else "n"
    if name not in model.parameters:
        return 1
    rule = varied(model.parameters[name], known)
    value = (body.get("parameters") or {}).get(name, rule["default"])
    if isinstance(value, int) and rule["min"] <= value <= rule["max"]:
        return _made(rule, int(value))
    return _made(rule, int(rule["default"]))


def _made(rule: Row, n: int) -> int:
    """Where `n` only bounds a set, the model makes a third less, from three upwards."""
    return n - n // 3 if rule.get("up_to") else n


def used_texts(model: ModelRules, body: Row) -> dict[str, str]:
    """Texts as the model sees them: what is beyond the limit is cut without a word."""
    found = {}
    for rules, given in (
        (model.input, body["input"]),
        (model.parameters, body.get("parameters") or {}),
    ):
        for name, rule in rules.items():
            value = given.get(name)
            if rule["type"] == "text":
                text = value[: rule.get("max_chars")] if isinstance(value, str) else ""
                found[rule.get("as", name)] = text
    return found


def _all_fields(rules: Mapping[str, Row], given: Row) -> Iterator[tuple[str, Row, Any]]:
    """Name, rule and value of every field, those of objects among them."""
    for name, rule in rules.items():
        if rule["type"] == "object":
            yield from _all_fields(rule["fields"], given.get(name) or {})
        elif holds(rule.get("only_when", {}), given):
            yield name, rule, given.get(name)


def image_rules(model: ModelRules, field: str) -> Row:
    """What an image of that field must be."""
    rules = {name: rule for name, rule, _ in _all_fields(model.input, {})}
    return {**model.images, **rules.get(field, {}).get("images", {})}


def image_addresses(model: ModelRules, body: Row) -> list[tuple[str, str]]:
    """(field, address) of every input image, in the drawing's order. Raises ServiceError."""
    found: list[tuple[str, str]] = []
    for name, rule, value in _all_fields(model.input, body["input"]):
        if rule["type"] == "image" and value:
            found.append((name, value))
        elif rule["type"] == "images":
            value, rule = value or [], varied(rule, facts(model, body))
            if not rule["min"] <= len(value) <= rule["max"]:
                detail = f"{name} must hold {rule['min']} to {rule['max']} images"
                raise service_error(rule["error"], detail=detail)
            found += [(name, address) for address in value]
    return found


def used_parameters(model: ModelRules, body: Row) -> dict[str, Any]:
    """Parameters with their defaults; unknown ones are passed over. Raises ServiceError."""
    given, known = body.get("parameters") or {}, facts(model, body)
    used: dict[str, Any] = {}
    for name, plain in model.parameters.items():
        rule, value = varied(plain, known), given.get(name)
        used[name] = rule.get("default") if value is None else check_value(name, rule, value)
        if rule["type"] == "boxes" and value is not None:
            _check_boxes(name, rule, used[name], body)
    used["n"] = wanted_images(model, body)
    return used | _used_input(model, body["input"])


def _used_input(model: ModelRules, given: Row) -> dict[str, Any]:
    """What is among the input though it only sets how the model works. Raises ServiceError."""
    rules = {name: model.input[name] for name in given if name in model.input}
    used = {
        name: check_value(name, rule, given[name])
        for name, rule in rules.items()
        if rule["type"] in ("enum", "record") and given[name] is not None
    }
    if "pair" in model.row:
        _check_pair(model.row["pair"], used)
    return used


def _check_pair(rule: Row, used: Row) -> None:
    first, second = (used[name] for name in rule["fields"])
    if first == second or not {rule["open"], *rule["one_of"]} & {first, second}:
        names, values = " and ".join(rule["fields"]), " or ".join(rule["one_of"])
        detail = f"{names} must differ, and one of them be {values}"
        raise service_error("specification", detail=detail)


def _check_boxes(name: str, rule: Row, boxes: list[Any], body: Row) -> None:
    if len(boxes) != len(body["input"].get("images") or []):
        raise service_error(rule["error"], detail=f"{name} must hold one list for each image")
