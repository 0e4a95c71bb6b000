"""Rules across the fields of a job that JSON Schema cannot express; the model's file lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalogue import pointers
from shared.catalogue.conditions import holds
from shared.catalogue.models import Model
from shared.catalogue.plain import Plain
from shared.jobfile import wording
from shared.jobfile.findings import Findings

_SIZE = re.compile(r"([1-9][0-9]{0,4})\*([1-9][0-9]{0,4})\Z")
_SHARE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)%?\Z")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NEARLY = 0.005
_EMPTY: tuple[Plain, ...] = ([], "", None)


def check_rules(job: Plain, model: Model, found: Findings) -> None:
    """Applies the model's rules to a job whose `parameters` may be absent."""
    for rule in model.rules:
        if holds(rule.get("when", ()), model, job):
            _KINDS[rule["kind"]](_Held(rule, job, model, found))


@dataclass(frozen=True)
class _Held:
    """A rule that is held against a job."""

    rule: Mapping[str, Any]
    job: Plain
    model: Model
    found: Findings

    def written(self, pointer: str | None = None) -> Iterator[tuple[str, Plain]]:
        """Pointer and value of what the rule, or a pointer, is about, unless it is empty."""
        for place, value in pointers.find(self.job, pointer or self.rule["at"]):
            if value not in _EMPTY:
                yield place, value

    def violate(self, place: str, expected: str, value: Plain, what: str, shown: str = "") -> None:
        source = self.model.source(self.rule["source"])
        self.found.violate(place, expected, value, what, source, shown)

    @property
    def reason(self) -> str:
        return str(self.rule["reason"])


def _measured(
    measure: Callable[[int, int], tuple[float, ...]], name: str
) -> Callable[[_Held], None]:
    def check(held: _Held) -> None:
        rule = held.rule
        for pointer, value in held.written():
            size = _SIZE.match(value) if isinstance(value, str) else None
            if size is None:
                continue  # a level such as 2K, or else the schema says so already
            numbers = measure(int(size[1]), int(size[2]))
            if any(not rule["min"] <= number <= rule["max"] for number in numbers):
                shown = " and ".join(
                    f"{number:.6g}" if number < 100 else f"{number:.0f}" for number in numbers
                )
                what = f"the {name} is {shown}, allowed is {held.reason}; choose another size"
                expected = f"{name} from {rule['min']} to {rule['max']} ({held.reason})"
                held.violate(pointer, expected, value, what)

    return check


def _ignored_if(held: _Held) -> None:
    source = held.model.source(held.rule["source"])
    for pointer, value in held.written():
        held.found.notice(pointer, "nothing", value, held.reason, source)


def _required_if(held: _Held) -> None:
    if not any(held.written()):
        expected = wording.expected(_field(held.model, held.rule["at"]))
        held.violate(held.rule["at"], expected, None, held.reason, shown="nothing")


def _field(model: Model, pointer: str) -> Mapping[str, Any]:
    section, *names = pointers.steps_of(pointer)
    field = model.input_schema if section == "input" else model.parameters_schema
    for name in names:
        field = field.get("properties", {}).get(name, {})
    return field


def _forbidden_if(held: _Held) -> None:
    forbidden = held.rule.get("value")
    for pointer, value in held.written():
        if "value" not in held.rule:
            held.violate(pointer, "nothing", value, held.reason)
        elif type(value) is type(forbidden) and value == forbidden:
            held.violate(pointer, f"another value than {forbidden}", value, held.reason)


def _values_if(held: _Held) -> None:
    allowed = held.rule["values"]
    for pointer, value in held.written():
        if not any(type(value) is type(one) and value == one for one in allowed):
            expected = f"one of {', '.join(map(str, allowed))}"
            held.violate(pointer, expected, value, held.reason)


def _bounds_if(held: _Held) -> None:
    low, high = held.rule.get("min"), held.rule.get("max")
    ends = [f"at least {low}"] if low is not None else []
    ends += [f"at most {high}"] if high is not None else []
    bounds = " and ".join(ends)
    for pointer, value in held.written():
        number = len(value) if isinstance(value, list) else value
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            continue  # the schema says so already
        if (low is not None and number < low) or (high is not None and number > high):
            expected = f"a number, {bounds}"
            if isinstance(value, list):
                expected = f"a list with so many items: {bounds}"
            held.violate(pointer, expected, value, held.reason)


def _any_of(held: _Held) -> None:
    if not any(any(held.written(pointer)) for pointer in held.rule["at"]):
        first, *others = held.rule["at"]
        expected = f"a value here, or at {' or '.join(others)}"
        held.violate(first, expected, None, held.reason, shown="nothing")


def _sum(held: _Held) -> None:
    values = [value for _, value in held.written()]
    numbers = [_number(value) for value in values]
    known = [number for number in numbers if number is not None]
    if not values or len(known) < len(values):
        return  # the schema says so already
    total, wanted = sum(known), held.rule["equals"]
    if abs(total - wanted) > _NEARLY:
        place = held.rule["at"].partition("/*")[0]
        what = f"the sum is {total:.6g} instead of {wanted}; {held.reason}"
        held.violate(place, f"a sum of {wanted}", values, what, shown=f"a sum of {total:.6g}")


def _number(value: Plain) -> float | None:
    if isinstance(value, str):
        share = _SHARE.match(value)
        return float(share[1]) if share else None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None


def _same_length(held: _Held) -> None:
    other_place = held.found.written(held.rule["as"])
    for pointer, value in pointers.find(held.job, held.rule["at"]):
        for _, other in pointers.find(held.job, held.rule["as"]):
            if isinstance(value, list) and isinstance(other, list) and len(value) != len(other):
                expected = f"as many items as {other_place}, {len(other)}"
                counts = f"there are {len(value)} items but {len(other)} at {other_place}"
                held.violate(pointer, expected, value, f"{counts}; {held.reason}")


def _total_length(held: _Held) -> None:
    lists = [
        (place, value)
        for pointer in held.rule["at"]
        for place, value in held.written(pointer)
        if isinstance(value, list)
    ]
    total, most = sum(len(value) for _, value in lists), held.rule["max"]
    if total > most:
        place, value = lists[0]
        what = f"there are {total} items in all; {held.reason}"
        held.violate(place, f"at most {most} items in all", value, what, shown=f"{total} items")


_KINDS: dict[str, Callable[[_Held], None]] = {
    "area": _measured(lambda width, height: (width * height,), "area in pixels"),
    "aspect": _measured(lambda width, height: (width / height,), "aspect (width / height)"),
    "sides": _measured(lambda width, height: (width, height), "side in pixels"),
    "ignored_if": _ignored_if,
    "required_if": _required_if,
    "forbidden_if": _forbidden_if,
    "bounds_if": _bounds_if,
    "values_if": _values_if,
    "any_of": _any_of,
    "sum": _sum,
    "same_length": _same_length,
    "total_length": _total_length,
}


def check_lengths(job: Plain, model: Model, found: Findings) -> None:
    """Notices for texts the service cuts off without a word."""
    schemas = {"input": model.input_schema, "parameters": model.parameters_schema}
    for section, schema in schemas.items():
        for name, field in schema["properties"].items():
            limit = field.get("x-truncated-after")
            for pointer, value in pointers.find(job, f"/{section}/{name}"):
                if limit and isinstance(value, str) and len(value) > limit:
                    cut = len(value) - limit
                    what = f"the last {cut} of {len(value)} characters will be cut off; shorten it"
                    expected = f"at most {limit} characters"
                    title = model.source(field.get("x-source", ""))
                    found.notice(pointer, expected, value, what, title)


def as_numbers(job: Plain, model: Model, found: Findings) -> Plain:
    """The job with numbers where a document's own sample writes them as texts, and a notice each.

    Everything else is left to the schema.
    """
    given = job.get("parameters") if isinstance(job, dict) else None
    if not isinstance(given, dict):
        return job
    parameters = dict(given)
    for name, field in model.parameters_schema["properties"].items():
        value, short = given.get(name), field.get("x-also-text")
        if short and isinstance(value, str) and _WHOLE.fullmatch(value):
            parameters[name] = int(value)
            what = f"a text where a whole number belongs; it is sent as {int(value)}"
            source = model.source(short)
            found.notice(f"/parameters/{name}", "a whole number", value, what, source)
    return {**job, "parameters": parameters}
