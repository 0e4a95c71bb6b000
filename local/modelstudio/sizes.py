"""How large an image comes out."""

from __future__ import annotations

from collections.abc import Mapping

from local.modelstudio.rules import Row
from local.modelstudio.values import parse_size

Size = tuple[int, int]
LEVELS = {"1K": 1024, "2K": 2048, "4K": 4096}  # about so many pixels, squared
_STEP = 16
_LONGEST = 8  # to one


def output_size(rule: Row, value: object, last_image: Size | None) -> Size | None:
    """The size a parameter asks for, a level in the shape of the last image; None if it is open."""
    own = rule.get("levels")
    levels = own if isinstance(own, Mapping) else LEVELS
    if isinstance(value, str) and value in levels:
        return _of_level(levels[value], last_image or (1, 1))
    size, step = parse_size(value), rule.get("snap", 1)
    return None if size is None else (size[0] // step * step, size[1] // step * step)


def size_like(
    rule: Row, sizes: Mapping[str, Size], parameters: Mapping[str, object]
) -> Size | None:
    """The size of an image that came along, changed as the rule has it."""
    for name, listed in rule.get("sizes", {}).items():
        if parameters[name] in listed:
            return parse_size(listed[parameters[name]])
    wide, high = sizes[rule["like"]]
    scale = rule.get("short_side", min(wide, high)) / min(wide, high)
    return round(wide * scale), round(high * scale)


def _of_level(side: int, shape: Size) -> Size:
    root = min(_LONGEST, max(1 / _LONGEST, shape[0] / shape[1])) ** 0.5
    return _snapped(side * root), _snapped(side / root)


def _snapped(side: float) -> int:
    return round(side / _STEP) * _STEP
