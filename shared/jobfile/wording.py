"""What JSON Schema found wrong, in words a caller can act on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.catalogue.plain import Plain
from shared.jobfile.quick_check import surely_fits

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_NUMERIC = re.compile(r"\s*[-+]?[0-9]+(?:\.[0-9]+)?\s*\Z")
_SHORTEST_LIKENESS = 0.6
_LEAST_BEGINNING = 4
_LONGEST_NAME = 256


def expected(schema: Mapping[str, Any]) -> str:
    """What a valid value looks like."""
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return f"one of {', '.join(str(value) for value in schema['enum'])}"
    kinds = schema.get("type", "value")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    words = " or ".join(_TYPES.get(kind, kind) for kind in kinds if kind != "null")
    return _bounded(words, schema)


def _bounded(kind: str, schema: Mapping[str, Any]) -> str:
    if "minimum" in schema or "maximum" in schema:
        return _in_range(kind, schema.get("minimum"), schema.get("maximum"))
    if "minItems" in schema or "maxItems" in schema:
        return _of_items(kind, schema.get("minItems"), schema.get("maxItems"))
    if "maxLength" in schema:
        return f"{kind} of at most {schema['maxLength']} characters"
    if "maxProperties" in schema:
        return f"{kind} of at most {schema['maxProperties']} keys"
    return kind


def _in_range(kind: str, least: Any, most: Any) -> str:
    if least is None:
        return f"{kind} of at most {most}"
    return f"{kind} of at least {least}" if most is None else f"{kind} from {least} to {most}"


def _of_items(kind: str, least: Any, most: Any) -> str:
    if least is None:
        return f"{kind} of at most {most} items"
    if most is None:
        return f"{kind} of at least {least} items"
    return f"{kind} of {least} to {most} items"


def expected_by(keyword: str, schema: Mapping[str, Any]) -> str:
    """What a valid value looks like, to whom has broken this rule of the schema."""
    if keyword == "maxLength":
        return f"a text of at most {schema['maxLength']} characters"
    return expected(schema)


def advice(keyword: str, schema: Mapping[str, Any], value: Plain, spare: str = "") -> str:
    """What is wrong with the value and what to do, as the rest of a sentence. `spare`: what of it
    may be removed instead."""
    if value is None:
        wanted = expected(schema)
        instead = f"{wanted}, or remove the {spare}" if spare else wanted
        return f"nothing is written here; write {instead}"
    return _WORDS.get(keyword, _other)(schema, value)


def _type(schema: Mapping[str, Any], value: Plain) -> str:
    wanted = schema.get("type")
    if wanted in ("integer", "number") and isinstance(value, str) and _NUMERIC.match(value):
        return f"a text where {expected(schema)} belongs; remove the quotes"
    if wanted == "integer" and isinstance(value, float):
        return f"a number with a decimal point; write it without one, {expected(schema)}"
    if wanted == "boolean" and isinstance(value, str):
        return "a text where true or false belongs; write true or false without quotes"
    if wanted == "string" and isinstance(value, (int, float)):
        return _unquoted(schema, json.dumps(value))
    return f"this has the wrong type; write {expected(schema)}"


def _unquoted(schema: Mapping[str, Any], written: str) -> str:
    if surely_fits(written, schema):
        return f'a text is expected; put it in quotes: "{written[:60]}"'
    return f"a text is expected; write {expected(schema)}"


def _enum(schema: Mapping[str, Any], value: Plain) -> str:
    known = [str(option) for option in schema["enum"]]
    if isinstance(value, str) and (near := nearest(value.replace("x", "*"), known)):
        return f"this value is not known; did you mean {near}?"
    return f"this value is not known; write {expected(schema)}"


def _pattern(schema: Mapping[str, Any], value: Plain) -> str:
    if not str(value).strip():
        return f"this is empty; write {expected(schema)}"
    return f"this is not in the right form; write {expected(schema)}"


def _range(schema: Mapping[str, Any], _: Plain) -> str:
    return f"this is out of range; write {expected(schema)}"


def _length(schema: Mapping[str, Any], value: Plain) -> str:
    if isinstance(value, str):
        return f"this has {len(value)} characters; write {expected_by('maxLength', schema)}"
    return f"there are {len(value)}; write {expected(schema)}"


def _duration(schema: Mapping[str, Any], _: Plain) -> str:
    return f"this is too long; at most {schema['x-max-seconds'] // 86400}d"


def _other(schema: Mapping[str, Any], _: Plain) -> str:
    return f"this does not fit; write {expected(schema)}"


_WORDS = {
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _range,
    "maximum": _range,
    "minItems": _length,
    "maxItems": _length,
    "minLength": _length,
    "maxLength": _length,
    "maxProperties": _length,
    "x-max-seconds": _duration,
}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one begins, else the one most like it, if any is."""
    if len(name) > _LONGEST_NAME:
        return None  # comparing takes memory in proportion to the length

    by_lower = {option.lower(): option for option in known}
    begun = [option for option in by_lower if option.startswith(name.lower())]
    if begun and len(name) >= _LEAST_BEGINNING:
        return by_lower[min(begun, key=len)]
    from difflib import get_close_matches  # few jobs have a name wrong, so a start does without

    matches = get_close_matches(name.lower(), list(by_lower), n=1, cutoff=_SHORTEST_LIKENESS)
    return by_lower[matches[0]] if matches else None


def unknown_key(key: str, section: str, sections: Mapping[str, Iterable[str]]) -> str:
    """What to do about a key that does not belong into `section` ('' is the top level)."""
    here = list(sections.get(section, ()))
    for other, names in sections.items():
        if other != section and key in names:
            place = f"under `{other}`" if other else "at the top level"
            return f"the key `{key[:60]}` does not belong here but {place}; move it there"
    if near := nearest(key, here):
        return f"the key `{key[:60]}` is not known; did you mean `{near}`?"
    listed = ", ".join(sorted(here)) or "none"
    return f"the key `{key[:60]}` is not known; remove it (known here: {listed})"
