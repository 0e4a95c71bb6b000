"""The models' own rules, read from models.yaml, and what they say of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.modelstudio.errors import service_error

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ModelRules:
    """One model of models.yaml. Durations in seconds."""

    name: str
    kind: str
    task: str
    region: str
    typical_seconds: float
    free_images: int
    submissions_per_second: int
    concurrent_tasks: int
    tells_times: bool
    tells_prompts: bool
    prompt_addition: str
    input: Mapping[str, Row]
    parameters: Mapping[str, Row]
    images: Row

    @property
    def api_key_name(self) -> str:
        """The `user_api_unique_key` of the task management page."""
        return f"apikey:v1:aigc:{self.task}:image-synthesis:{self.name}"


def load_models() -> dict[str, ModelRules]:
    """Every model the server knows, by name."""
    text = Path(__file__).with_name("models.yaml").read_text(encoding="utf-8")
    return {name: _model(name, row) for name, row in yaml.safe_load(text).items()}


def _model(name: str, row: Row) -> ModelRules:
    return ModelRules(
        name=name,
        kind=row["kind"],
        task=row["task"],
        region=row["region"],
        typical_seconds=float(row["typical_seconds"]),
        free_images=row["free_images"],
        submissions_per_second=row["limits"]["submissions_per_second"],
        concurrent_tasks=row["limits"]["concurrent_tasks"],
        tells_times=row["answer"]["times"],
        tells_prompts=row["answer"]["prompts"],
        prompt_addition=row.get("prompt_addition", ""),
        input=row["input"],
        parameters=row["parameters"],
        images=row["images"],
    )


def check_fields(model: ModelRules, body: Row) -> None:
    """What is refused at once: fields that are missing or of another type. Raises ServiceError."""
    given = body.get("input")
    if not isinstance(given, dict):
        raise service_error("field_invalid", field="input")
    if not isinstance(body.get("parameters"), (dict, type(None))):
        raise service_error("field_invalid", field="parameters")
    for name, rule in model.input.items():
        value = given.get(name)
        if value in (None, "", []) and not rule["required"]:
            continue
        if not _has_type(rule["type"], value):
            raise service_error("field_invalid", field=name)


def _has_type(kind: str, value: object) -> bool:
    if kind == "images":
        return isinstance(value, list) and bool(value) and all(_is_text(item) for item in value)
    return _is_text(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def wanted_images(model: ModelRules, body: Row) -> int:
    """`n` as far as it can be read, for the metrics of a task that fails on its parameters."""
    rule = model.parameters["n"]
    value = (body.get("parameters") or {}).get("n", rule["default"])
    if isinstance(value, int) and rule["min"] <= value <= rule["max"]:
        return int(value)
    return int(rule["default"])


def used_texts(model: ModelRules, body: Row) -> dict[str, str]:
    """Texts as the model sees them: what is beyond the limit is cut without a word."""
    texts = {name: rule for name, rule in model.input.items() if rule["type"] == "text"}
    return {
        name: (body["input"].get(name) or "")[: rule["max_chars"]] for name, rule in texts.items()
    }


def image_addresses(model: ModelRules, body: Row) -> list[tuple[str, str]]:
    """(field, address) of every input image, in the drawing's order. Raises ServiceError."""
    found: list[tuple[str, str]] = []
    for name, rule in model.input.items():
        value = body["input"].get(name)
        if rule["type"] == "image":
            found.append((name, value))
        elif rule["type"] == "images":
            if not rule["min"] <= len(value) <= rule["max"]:
                detail = f"{name} must hold {rule['min']} to {rule['max']} images"
                raise service_error(rule["error"], detail=detail)
            found += [(name, address) for address in value]
    return found


def used_parameters(model: ModelRules, body: Row) -> dict[str, Any]:
    """Parameters with their defaults; unknown ones are passed over. Raises ServiceError."""
    given = body.get("parameters") or {}
    used: dict[str, Any] = {}
    for name, rule in model.parameters.items():
        value = given.get(name)
        used[name] = (
            rule.get("default") if value is None else _CHECKS[rule["type"]](name, rule, value)
        )
    return used


def _enum(name: str, rule: Row, value: object) -> object:
    if value not in rule["values"]:
        raise service_error(rule["error"], field=name, allowed=list(rule["values"]))
    return value


def _integer(name: str, rule: Row, value: object) -> int:
    if rule.get("numeric_text") and isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise service_error("specification", detail=f"{name} must be an integer")
    if not rule["min"] <= value <= rule["max"]:
        raise service_error(rule["error"], field=name, min=rule["min"], max=rule["max"])
    return value


def _boolean(name: str, rule: Row, value: object) -> bool:
    if not isinstance(value, bool):
        raise service_error(rule["error"], detail=f"{name} must be true or false")
    return value


def _colors(name: str, rule: Row, value: object) -> list[list[int]]:
    if isinstance(value, list) and all(_is_color(item) for item in value):
        return value
    raise service_error(rule["error"], detail=f"{name} must be a list of [R,G,B], each 0 to 255")


def _is_color(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(type(part) is int and 0 <= part <= 255 for part in value)
    )


def _area(name: str, rule: Row, value: object) -> str:
    size = parse_size(value)
    if size is None:
        raise service_error(rule["error"], detail=f"{name} must be width*height")
    if not rule["min_pixels"] <= size[0] * size[1] <= rule["max_pixels"]:
        detail = f"pixels of {name} must be between {rule['min_pixels']} and {rule['max_pixels']}"
        raise service_error(rule["error"], detail=detail)
    if max(size) > rule["max_aspect"] * min(size):
        limit = rule["max_aspect"]
        raise service_error(
            rule["error"], detail=f"aspect of {name} must be 1:{limit} to {limit}:1"
        )
    return str(value)


def parse_size(value: object) -> tuple[int, int] | None:
    """(width, height) of `W*H`, or None if it is something else."""
    match = (
        re.fullmatch(r"([1-9][0-9]{0,4})\*([1-9][0-9]{0,4})", value)
        if isinstance(value, str)
        else None
    )
    return (int(match[1]), int(match[2])) if match else None


_CHECKS: Mapping[str, Callable[[str, Row, object], object]] = {
    "enum": _enum,
    "integer": _integer,
    "boolean": _boolean,
    "colors": _colors,
    "area": _area,
}
