"""Whether a condition of a model file holds for a request (in the flat form)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.catalogue.models import Condition, Model
from shared.catalogue.plain import Plain
from shared.catalogue.pointers import find, steps_of

_NOTHING = object()


def holds(when: Condition | Iterable[Condition], model: Model, request: Plain) -> bool:
    """Whether all of the conditions hold. `request` has the keys `input` and `parameters`.

    A field that is left out counts as its default; `present` asks whether it is written, and what
    is empty ("", [] or null) is not.
    """
    every = (when,) if isinstance(when, Mapping) else when
    return all(_holds(one, model, request) for one in every)


def _holds(when: Condition, model: Model, request: Plain) -> bool:
    section, name = steps_of(when["at"])[:2]
    value = next((value for _, value in find(request, when["at"])), _NOTHING)
    if "present" in when:
        return (value is not _NOTHING and value not in ("", [], None)) is when["present"]
    if value is _NOTHING:
        value = default_of(model.field(section, name) or {}, model, request)
    wanted = when["in"] if "in" in when else [when["equals"]]
    return any(type(value) is type(one) and value == one for one in wanted)


def default_of(field: Mapping[str, Any], model: Model, request: Plain) -> Any:
    """What a field that is left out of the request counts as; None for nothing.

    `x-default-if` lists other defaults with their conditions; the first that fits counts.
    """
    for one in field.get("x-default-if", ()):
        if holds(one["when"], model, request):
            return one["default"]
    return field.get("default")
