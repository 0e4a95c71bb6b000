"""Parameters by their type: what is refused, and in which words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from local.modelstudio.errors import ServiceError, service_error
from local.modelstudio.rules import Row

_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
_PERCENT = re.compile(r"[0-9]{1,3}\.[0-9]{2}%")


def check_value(name: str, rule: Row, value: object) -> object:
    """The value as the model uses it. Raises ServiceError."""
    return _CHECKS[rule["type"]](name, rule, value)


def parse_size(value: object) -> tuple[int, int] | None:
    """(width, height) of `W*H`, or None if it is something else."""
    match = (
        re.fullmatch(r"([1-9][0-9]{0,4})\*([1-9][0-9]{0,4})", value)
        if isinstance(value, str)
        else None
    )
    return (int(match[1]), int(match[2])) if match else None


def _wrong(rule: Row, detail: str) -> ServiceError:
    return service_error(rule["error"], detail=detail)


def meant(rule: Row, value: object) -> str | int | None:
    """Which value of an enumeration a text or whole number is, or is the name of; None for none
    of them. True is no 1."""
    if type(value) is int:
        return value if value in rule["values"] else None
    if not isinstance(value, str):
        return None
    named: str = rule["names"].get(value.lower(), value.lower()) if "names" in rule else value
    return named if named in rule["values"] else None


def _enum(name: str, rule: Row, value: object) -> object:
    if (known := meant(rule, value)) is None:
        raise service_error(rule["error"], field=name, allowed=list(rule["values"]))
    return known


def _integer(name: str, rule: Row, value: object) -> int:
    if rule.get("numeric_text") and isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise service_error("specification", detail=f"{name} must be an integer")
    _in_range(name, rule, value)
    return value


def _number(name: str, rule: Row, value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise service_error("specification", detail=f"{name} must be a number")
    _in_range(name, rule, value)
    return float(value)


def _in_range(name: str, rule: Row, value: float) -> None:
    low, high = rule["min"], rule.get("max", math.inf)
    if not low <= value <= high:
        raise service_error(rule["error"], field=name, min=low, max=high)


def _boolean(name: str, rule: Row, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(rule, f"{name} must be true or false")
    return value


def _text(name: str, rule: Row, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(rule, f"{name} must be a text")
    return value[: rule.get("max_chars")]


def _colors(name: str, rule: Row, value: object) -> Sequence[Sequence[int]]:
    if isinstance(value, list) and all(_is_color(item) for item in value):
        return value
    raise _wrong(rule, f"{name} must be a list of [R,G,B], each 0 to 255")


def _is_color(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(type(part) is int and 0 <= part <= 255 for part in value)
    )


def _palette(name: str, rule: Row, value: object) -> list[Row]:
    if not isinstance(value, list) or not rule["min"] <= len(value) <= rule["max"]:
        raise _wrong(rule, f"{name} must hold {rule['min']} to {rule['max']} colors")
    if not all(_is_share(item) for item in value):
        raise _wrong(rule, f'{name} must hold {{"hex": "#RRGGBB", "ratio": "25.00%"}}')
    if sum(Decimal(item["ratio"][:-1]) for item in value) != 100:
        raise _wrong(rule, f"the ratios of {name} must add up to 100.00%")
    return value


def _is_share(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    code, ratio = value.get("hex"), value.get("ratio")
    if not isinstance(code, str) or not isinstance(ratio, str):
        return False
    return bool(_HEX.fullmatch(code) and _PERCENT.fullmatch(ratio))


def _boxes(name: str, rule: Row, value: object) -> list[list[list[int]]]:
    if not isinstance(value, list) or not all(_are_boxes(item, rule["max"]) for item in value):
        raise _wrong(rule, f"{name} must hold, for each image, up to {rule['max']} [x1,y1,x2,y2]")
    return value


def _are_boxes(value: object, most: int) -> bool:
    return isinstance(value, list) and len(value) <= most and all(_is_box(box) for box in value)


def _is_box(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(type(part) is int and part >= 0 for part in value)
    )


def _size(name: str, rule: Row, value: object) -> str:
    if isinstance(value, str) and value in rule.get("levels", ()):
        return value
    size = parse_size(value)
    if size is None:
        raise _wrong(rule, f"{name} must be width*height")
    low, high = rule.get("min_pixels", 1), rule.get("max_pixels", math.inf)
    if not low <= size[0] * size[1] <= high:
        raise _wrong(rule, f"pixels of {name} must be between {low} and {high}")
    low, high = rule.get("min_side", 1), rule.get("max_side", math.inf)
    if not low <= min(size) <= max(size) <= high:
        raise _wrong(rule, f"sides of {name} must be between {low} and {high}")
    limit = rule.get("max_aspect", math.inf)
    if max(size) > limit * min(size):
        raise _wrong(rule, f"aspect of {name} must be 1:{limit} to {limit}:1")
    return str(value)


def _record(name: str, rule: Row, value: object) -> object:
    if not isinstance(value, dict):
        raise _wrong(rule, f"{name} must be an object")
    for inner, one in rule["fields"].items():
        if value.get(inner) is not None:
            check_value(f"{name}.{inner}", one, value[inner])
        elif inner in rule.get("needs", ()):
            raise _wrong(rule, f"{name}.{inner} is missing")
    return value


def _list(name: str, rule: Row, value: object) -> object:
    if not isinstance(value, list):
        raise _wrong(rule, f"{name} must be a list")
    return [check_value(name, rule["each"], item) for item in value]


def _absent(name: str, rule: Row, value: object) -> object:
    raise service_error("specification", detail=f"{name} is not supported here")


_CHECKS: Mapping[str, Callable[[str, Row, object], object]] = {
    "absent": _absent,
    "boolean": _boolean,
    "boxes": _boxes,
    "colors": _colors,
    "enum": _enum,
    "integer": _integer,
    "list": _list,
    "number": _number,
    "palette": _palette,
    "record": _record,
    "size": _size,
    "text": _text,
}
