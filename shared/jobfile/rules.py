"""Rules across the fields of a job that JSON Schema cannot express; the model's file lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.catalogue import pointers
from shared.catalogue.models import Model
from shared.catalogue.plain import Plain
from shared.jobfile.findings import Findings

_SIZE = re.compile(r"([1-9][0-9]{0,4})\*([1-9][0-9]{0,4})\Z")

_WHOLE = re.compile(r"-?[0-9]{1,18}")

_Rule = Mapping[str, Any]


def check_rules(job: Plain, model: Model, found: Findings) -> None:
    """Applies the model's rules to a job whose `parameters` may be absent."""
    for rule in model.rules:
        for pointer, value in pointers.find(job, rule["at"]):
            _KINDS[rule["kind"]](rule, pointer, value, job, model, found)


def _measured(
    measure: Callable[[int, int], tuple[float, ...]], name: str
) -> Callable[[_Rule, str, Plain, Plain, Model, Findings], None]:
    def check(
        rule: _Rule, pointer: str, value: Plain, _: Plain, model: Model, found: Findings
    ) -> None:
        size = _SIZE.match(value) if isinstance(value, str) else None
        if size is None:
            return  # the schema says so already
        numbers = measure(int(size[1]), int(size[2]))
        if any(not rule["min"] <= number <= rule["max"] for number in numbers):
            shown = " and ".join(
                f"{number:.6g}" if number < 100 else f"{number:.0f}" for number in numbers
            )
            what = f"the {name} is {shown}, allowed is {rule['reason']}; choose another size"
            expected = f"{name} from {rule['min']} to {rule['max']} ({rule['reason']})"
            found.violate(pointer, expected, value, what, model.source(rule["source"]))

    return check


def _ignored_if(
    rule: _Rule, pointer: str, value: Plain, job: Plain, model: Model, found: Findings
) -> None:
    when = rule["when"]
    hit = any(v == when["equals"] for _, v in pointers.find(job, when["at"]))
    if hit and value not in ([], "", None):
        found.notice(pointer, "nothing", value, rule["reason"], model.source(rule["source"]))


def _same_length(
    rule: _Rule, pointer: str, value: Plain, job: Plain, model: Model, found: Findings
) -> None:
    for _, other in pointers.find(job, rule["as"]):
        if isinstance(value, list) and isinstance(other, list) and len(value) != len(other):
            expected = f"as many items as {rule['as']}, {len(other)}"
            what = (
                f"there are {len(value)} items but {len(other)} at {rule['as']}; {rule['reason']}"
            )
            found.violate(pointer, expected, value, what, model.source(rule["source"]))


_KINDS: dict[str, Callable[[_Rule, str, Plain, Plain, Model, Findings], None]] = {
    "area": _measured(lambda width, height: (width * height,), "area in pixels"),
    "aspect": _measured(lambda width, height: (width / height,), "aspect (width / height)"),
    "sides": _measured(lambda width, height: (width, height), "side in pixels"),
    "ignored_if": _ignored_if,
    "same_length": _same_length,
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
