"""What a model demands of an input image: format, sides, alpha, the same size as another."""

from __future__ import annotations

import io
import operator
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from local.modelstudio.errors import service_error
from local.modelstudio.stored import stored_size

Size = tuple[int, int]
_BOUNDS: Mapping[str, Callable[[int, int], bool]] = {
    "more_than": operator.gt,
    "at_least": operator.ge,
    "less_than": operator.lt,
    "at_most": operator.le,
}
_ALIASES = {"MPO": "JPEG"}  # a JPEG with a second picture behind the first, as phones write it
_NOTHING = 16  # shades of grey that noise may differ by


def check_picture(data: bytes, rules: Mapping[str, Any]) -> Size:
    """The image's (width, height). Raises ServiceError where it breaks the model's image rules."""
    if len(data) < rules.get("min_bytes", 0):
        raise service_error(rules["errors"]["bytes"])
    try:
        picture = Image.open(io.BytesIO(data))
    except (OSError, ValueError, Image.DecompressionBombError) as problem:
        raise service_error(rules["errors"]["format"]) from problem
    form = _ALIASES.get(picture.format or "", picture.format)
    if form not in rules["formats"]:
        raise service_error(rules["errors"]["format"])
    size = stored_size(picture)
    if not all(_inside(side, rules.get("side", {})) for side in size) or _is_narrow(size, rules):
        raise service_error(rules["errors"]["resolution"])
    if form in rules["no_alpha"] and _has_alpha(picture):
        raise service_error(rules["errors"]["format"])
    if "rgba" in rules and picture.mode != "RGBA":
        raise service_error(rules["rgba"])
    _decode(picture)
    return size


def is_blank(data: bytes) -> bool:
    """Whether a sound picture is of one colour, so that there is nothing on it."""
    with Image.open(io.BytesIO(data)) as picture:
        low, high = picture.convert("L").getextrema()
    return int(high) - int(low) < _NOTHING


def _inside(side: int, bounds: Mapping[str, int]) -> bool:
    return all(_BOUNDS[name](side, limit) for name, limit in bounds.items())


def _is_narrow(size: Size, rules: Mapping[str, Any]) -> bool:
    if min(size) > rules.get("shorter_at_most", max(size)):
        return True
    return "max_aspect" in rules and max(size) > rules["max_aspect"] * min(size)


def _has_alpha(picture: Image.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info


def _decode(picture: Image.Image) -> None:
    try:
        picture.load()
    except (OSError, ValueError, SyntaxError) as problem:
        raise service_error("image_read") from problem


def check_same_size(sizes: Mapping[str, Size], fields: Mapping[str, Mapping[str, Any]]) -> None:
    """Every image that must be as large as another is. Raises ServiceError."""
    for name, rule in fields.items():
        other = rule.get("same_size_as")
        if other is not None and name in sizes and sizes[name] != sizes[other]:
            detail = f"the resolution of {name} must be the same as that of {other}"
            raise service_error("specification", detail=detail)


def check_sums(size: Size, rules: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Every sum of parameters that must stay below a multiple of a side. Raises ServiceError."""
    sides = dict(zip(("width", "height"), size, strict=True))
    for rule in rules.get("sums_below", ()):
        limit = rule["times"] * sides[rule["of"]]
        if sum(parameters[field] for field in rule["fields"]) >= limit:
            detail = f"the sum of {' and '.join(rule['fields'])} must be below {limit}"
            raise service_error("specification", detail=detail)
