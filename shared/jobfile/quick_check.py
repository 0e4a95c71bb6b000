"""Whether a value surely fits a JSON Schema, without importing the library.

Most jobs are right, and importing jsonschema to learn that takes 45 ms, a sixth of a cold start of
submit. So the keywords that the schemas of jobs use are checked here first. Only "it fits" is
final: everything else, and every schema with another keyword, goes to the library, which finds and
explains all violations (shared.jobfile.schema_check).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.catalogue.plain import Plain

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhd])\Z")
_ELSEWHERE = frozenset({"properties", "additionalProperties"})
_ANNOTATIONS = frozenset({"$schema", "title", "description", "default", "examples"})


def seconds(duration: str) -> float | None:
    """The seconds of a duration such as 30m, 6h or 2d; None if it is none."""
    match = _DURATION.match(duration)
    return float(match[1]) * _UNITS[match[2]] if match else None


def surely_fits(value: Plain, schema: Any) -> bool:
    """True only if the library would find no violation (JSON Schema 2020-12, `x-max-seconds`)."""
    if not isinstance(schema, Mapping):
        return schema is True
    return all(_holds(value, *item) for item in schema.items()) and _members_fit(value, schema)


def _holds(value: Plain, keyword: str, wanted: Any) -> bool:
    if keyword in _CHECKS:
        kinds, check = _CHECKS[keyword]
        return bool(kinds and type(value) not in kinds) or check(value, wanted)
    return keyword in _ELSEWHERE or keyword in _ANNOTATIONS or keyword.startswith("x-")


def _members_fit(value: Plain, schema: Mapping[str, Any]) -> bool:
    if not isinstance(value, dict):
        return True
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    return all(surely_fits(member, known.get(name, others)) for name, member in value.items())


def _is_of(value: Plain, names: str | list[str]) -> bool:
    wanted = [names] if isinstance(names, str) else names
    return any(type(value) in _TYPES[name] for name in wanted if name in _TYPES)


def _is_short(value: str, bound: float) -> bool:
    length = seconds(value)
    return length is None or length <= bound


_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_CHECKS: Mapping[str, tuple[tuple[type, ...], Callable[[Any, Any], bool]]] = {
    "type": ((), _is_of),
    "enum": ((), lambda value, texts: type(value) is str and value in texts),
    "required": ((dict,), lambda value, names: all(name in value for name in names)),
    "maxProperties": ((dict,), lambda value, most: len(value) <= most),
    "propertyNames": ((dict,), lambda value, inner: all(surely_fits(key, inner) for key in value)),
    "items": ((list,), lambda value, inner: all(surely_fits(item, inner) for item in value)),
    "minItems": ((list,), lambda value, least: len(value) >= least),
    "maxItems": ((list,), lambda value, most: len(value) <= most),
    "pattern": ((str,), lambda value, pattern: re.search(pattern, value) is not None),
    "minLength": ((str,), lambda value, least: len(value) >= least),
    "maxLength": ((str,), lambda value, most: len(value) <= most),
    "x-max-seconds": ((str,), _is_short),
    "minimum": ((int, float), lambda value, least: value >= least),
    "maximum": ((int, float), lambda value, most: value <= most),
}
"""By keyword: the types of values it is about (none: all), and whether such a value is right."""
