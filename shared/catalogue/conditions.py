"""Whether a condition of a model file holds for a request (in the flat form)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.catalogue.models import Condition, Model
from shared.catalogue.plain import Plain

_NOTHING = object()


def holds(when: Condition | Iterable[Condition], model: Model, request: Plain) -> bool:
    """Whether all of the conditions hold. `request` has the keys `input` and `parameters`.

    A field that is left out counts as its default; `present` asks whether it is written, and what
    is empty ("", [] or null) is not.
    """
    every = (when,) if isinstance(when, Mapping) else when
    return all(_holds(one, model, request) for one in every)


def _holds(when: Condition, model: Model, request: Plain) -> bool:
    section, name = when["at"].strip("/").split("/", 1)
    given = request.get(section) if isinstance(request, dict) else None
    value = given.get(name, _NOTHING) if isinstance(given, dict) else _NOTHING
    if "present" in when:
        return (value is not _NOTHING and value not in ("", [], None)) is when["present"]
    if value is _NOTHING:
        value = default_of(_field(model, section, name), model, request)
    wanted = when["in"] if "in" in when else [when["equals"]]
    return any(type(value) is type(one) and value == one for one in wanted)


def _field(model: Model, section: str, name: str) -> Mapping[str, Any]:
    schema = model.input_schema if section == "input" else model.parameters_schema
    field: Mapping[str, Any] = schema["properties"].get(name, {})
    return field


def default_of(field: Mapping[str, Any], model: Model, request: Plain) -> Any:
    """What a field that is left out of the request counts as; None for nothing.

    `x-default-if` lists other defaults with their conditions; the first that fits counts.
    """
    for one in field.get("x-default-if", ()):
        if holds(one["when"], model, request):
            return one["default"]
    return field.get("default")
