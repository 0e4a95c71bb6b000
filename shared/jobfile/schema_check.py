"""Holds a value against a JSON Schema (2020-12) and reports everything that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.catalogue import pointers
from shared.catalogue.plain import Plain, escape
from shared.jobfile import wording
from shared.jobfile.findings import Findings
from shared.jobfile.quick_check import seconds, surely_fits

_MOST_ERRORS = 1000
"""Errors of the library that are looked at; each takes some kilobytes of memory."""

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError


@dataclass(frozen=True)
class Section:
    """A part of the job and its schema. `sections` are the keys known in each part."""

    name: str
    schema: Mapping[str, Any]
    sections: Mapping[str, Iterable[str]]
    sources: Mapping[str, str]
    default_source: str


@lru_cache(maxsize=1)
def _validator_class() -> Any:
    # Imported late: an instance that reads only correct jobs never spends these 45 ms.
    from jsonschema import Draft202012Validator, TypeChecker
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def whole(_: TypeChecker, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def at_most(_: object, bound: float, value: object, __: object) -> Iterator[ValidationError]:
        length = seconds(value) if isinstance(value, str) else None
        if length is not None and length > bound:
            yield ValidationError("too long")

    checker = Draft202012Validator.TYPE_CHECKER.redefine("integer", whole)
    more: Any = extend  # the library has no annotation for it
    return more(Draft202012Validator, {"x-max-seconds": at_most}, type_checker=checker)


def check_section(value: Plain, section: Section, found: Findings) -> None:
    """Reports every violation of the section's schema by `value`."""
    if surely_fits(value, section.schema):
        return
    base = f"/{section.name}" if section.name else ""
    validator = _validator_class()(section.schema)
    errors = islice(validator.iter_errors(value), _MOST_ERRORS)
    flat = [one for error in sorted(errors, key=_order) for one in _flatten(error)]
    mistyped = {_order(one) for one in flat if one.validator == "type"}
    for one in flat:
        if one.validator == "type" or _order(one) not in mistyped:
            _report(one, base, section, found)


def _order(error: ValidationError) -> str:
    return pointers.of(error.absolute_path)


def _flatten(error: ValidationError) -> Iterator[ValidationError]:
    """An error of anyOf or oneOf as the errors of the alternative that fits best."""
    if not error.context:
        yield error
        return
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    for inner in min(branches.values(), key=len):
        yield from _flatten(inner)


def _report(error: ValidationError, base: str, section: Section, found: Findings) -> None:
    place = base + pointers.of(error.absolute_path)
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    source = _source(error, section)
    if error.validator == "required":
        _report_missing(error, place, schema, source, found)
    elif error.validator == "additionalProperties" and isinstance(error.instance, dict):
        _report_unknown(error, place, section, source, found)
    elif "propertyNames" in error.absolute_schema_path:
        name = str(error.instance)
        want = f"a key of 1 to {schema.get('maxLength', 64)} characters"
        found.violate(
            f"{place}/{escape(name)}", want, name, f"the key is not {want}; rename it", source
        )
    else:
        keyword, value = str(error.validator), error.instance
        what = wording.advice(keyword, schema, value, _spare(error, section))
        found.violate(place, wording.expected_by(keyword, schema), value, what, source)


def _report_missing(
    error: ValidationError, place: str, schema: Mapping[str, Any], source: str, found: Findings
) -> None:
    instance: Any = error.instance
    for name in schema["required"]:
        if name not in instance:
            inner = schema.get("properties", {}).get(name, {})
            pointer = f"{place}/{escape(name)}"
            want = wording.expected(inner) if inner else "a value"
            what = f"the key `{name}` is missing; add it, {want}"
            found.violate(pointer, want, None, what, source, found="nothing")


def _report_unknown(
    error: ValidationError, place: str, section: Section, source: str, found: Findings
) -> None:
    instance: Any = error.instance
    schema: Any = error.schema
    known = schema.get("properties", {})
    inside = place.lstrip("/")
    sections = {**section.sections, inside: list(known)}
    want = f"one of {', '.join(sorted(known))}"
    for key in instance:
        if key not in known and not found.full(skipped=1):
            what = wording.unknown_key(key, inside, sections)
            found.violate(f"{place}/{escape(key)}", want, instance[key], what, source)


def _spare(error: ValidationError, section: Section) -> str:
    """What could be removed, if anything: the item of a list, or a key that may be left out."""
    steps = list(error.absolute_schema_path)
    if steps[-3:-2] != ["properties"]:
        return "item" if steps[-2:-1] == ["items"] else ""
    node: Any = section.schema
    for step in steps[:-3]:
        node = node[step]
    return "" if steps[-2] in node.get("required", ()) else "key"


def _source(error: ValidationError, section: Section) -> str:
    """The title of the document named nearest to the place of the error."""
    node: Any = section.schema
    short = node.get("x-source")
    for step in error.absolute_schema_path:
        node = node[step]
        if isinstance(node, dict) and "x-source" in node:
            short = node["x-source"]
    return section.sources.get(str(short), section.default_source)
