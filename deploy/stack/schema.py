"""A value against a JSON Schema, as findings that say what to do.

Beside the standard's keywords a schema may have `source` (who demands it), `means` (what is
expected, in words), `advice`, `id` (of the finding), and `maxBytes` (of a text in UTF-8).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError

from deploy.stack.cron import cron_problem
from deploy.stack.findings import Finding, shown

Schema: TypeAlias = Mapping[str, Any]
Told: TypeAlias = tuple[str, str, str, str, str]
"""A finding's id, the place below the value's own, what was found, expected, and what to do."""
WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
}


class Unknown(str):
    """A value that only the cloud knows once the stack is made; no schema judges it."""

    __slots__ = ()


def read_schema(path: Path) -> Schema:
    """A schema written as YAML."""
    loaded: Schema = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def validator(schema: Schema) -> Any:
    """What `schema_findings` takes; worth keeping, as building it takes longer than using it."""
    return _Validator(schema, format_checker=_FORMATS)


def schema_findings(checked: Any, value: Any, where: str) -> Iterator[Finding]:
    """Everything in the value at `where` that breaks the schema of a validator."""
    for error in checked.iter_errors(value):
        if isinstance(error.instance, Unknown):
            continue
        schema = error.schema if isinstance(error.schema, Mapping) else {}
        source = str(schema.get("source", checked.schema.get("source", "")))
        place = where + "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path
        )
        for id, below, found, expected, advice in _told(error):
            yield Finding(
                str(schema.get("id", id)),
                f"{place}{below}".lstrip("."),
                found,
                str(schema.get("means", expected)),
                str(schema.get("advice", advice)),
                source,
            )


def unknown_key(key: str, known: list[str]) -> Told:
    """A key nobody reads, with the known key that looks most like it."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(str(key).lower(), list(by_lower), n=1, cutoff=0.6)
    advice = f"Did you mean {by_lower[close[0]]}?" if close else "Remove it."
    return "unknown-key", f".{key}", "an unknown key", ", ".join(sorted(known)), advice


def _told(error: ValidationError) -> Iterator[Told]:
    value: Any = error.instance
    rule: Any = error.validator_value
    # What a mapping holds may be a key of the environment, so it is not shown.
    found = "found a mapping" if isinstance(value, dict) else f"found {shown(value)}"
    schema: Mapping[str, Any] = error.schema  # type: ignore[assignment]  # no keyword of true fails
    if error.validator in ("required", "dependentRequired"):
        yield from _missing(value, rule)
    elif error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        yield from (unknown_key(key, known) for key in value if key not in known)
    elif error.validator == "type":
        words = " or ".join(WORDS[one] for one in ([rule] if isinstance(rule, str) else rule))
        advice = "Give a value of this type; quotes make a text of a number."
        yield "wrong-type", "", found, words, advice
    elif error.validator == "format":
        yield str(rule), "", f"{found}: {error.cause}", str(rule), "Correct it."
    else:
        id, expected, advice = _bound(str(error.validator), rule, schema)
        below = f".{value}" if "propertyNames" in error.absolute_schema_path else ""
        yield id, below, found, expected, advice


def _missing(value: Any, rule: Any) -> Iterator[Told]:
    if isinstance(rule, dict):  # dependentRequired
        rule = [one for key in rule if key in value for one in rule[key]]
    for key in rule:
        if key not in value:
            yield "missing-key", "", f"no {key}", key, f"Add {key}."


_SHORTEN, _LENGTHEN = "Shorten it.", "Lengthen it."
_WITHIN = "Choose a value within the range."
_AS_SPELLED = "Use what is expected, as spelled here."
_BOUNDS = {
    "minimum": ("out-of-range", "at least {}", _WITHIN),
    "maximum": ("out-of-range", "at most {}", _WITHIN),
    "multipleOf": ("wrong-step", "a multiple of {}", "Round it to the next multiple."),
    "enum": ("not-allowed", "{}", _AS_SPELLED),
    "const": ("not-allowed", "{}", _AS_SPELLED),
    "pattern": ("wrong-form", "a match of {}", "Write it in this form."),
    "maxLength": ("too-long", "at most {} characters", _SHORTEN),
    "maxBytes": ("too-long", "at most {} bytes", _SHORTEN),
    "maxItems": ("too-long", "at most {} items", _SHORTEN),
    "minLength": ("too-short", "at least {} characters", _LENGTHEN),
    "minItems": ("too-short", "at least {} items", _LENGTHEN),
}
"""Id, what was expected, and advice for keywords; any other is a form."""


def _bound(keyword: str, rule: Any, schema: Mapping[str, Any]) -> tuple[str, str, str]:
    other = "wrong-form", f"{keyword} {{}}", "Write it in this form."
    id, expected, advice = _BOUNDS.get(keyword, other)
    if id == "out-of-range" and {"minimum", "maximum"} <= schema.keys():
        return id, f"{schema['minimum']} to {schema['maximum']}", advice
    choices = " or ".join(map(str, rule)) if keyword == "enum" else rule
    return id, expected.format(choices), advice


def _is_multiple(_: Any, step: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    """Exact where binary fractions are not: 0.35 is a multiple of 0.05."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and Fraction(str(value)) % Fraction(str(step)):
        yield ValidationError(f"{value} is not a multiple of {step}")


def _has_bytes(_: Any, most: int, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and len(value.encode()) > most:
        yield ValidationError(f"more than {most} bytes")


def _is_cron(text: object) -> bool:
    problem = cron_problem(text) if isinstance(text, str) else None
    if problem:
        raise ValueError(problem)
    return True


def _is_json_object(text: object) -> bool:
    if isinstance(text, str) and not isinstance(json.loads(text), dict):
        raise ValueError("not a JSON object")
    return True


_Validator: Callable[..., Any] = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"multipleOf": _is_multiple, "maxBytes": _has_bytes}
)
_FORMATS = FormatChecker(formats=())
_FORMATS.checks("cron", raises=ValueError)(_is_cron)
_FORMATS.checks("json-object", raises=ValueError)(_is_json_object)
