"""How many images a request is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.catalogue.conditions import default_of, holds
from shared.catalogue.models import ImageNumber, Model
from shared.catalogue.plain import Plain

MOST_IMAGES = 64
"""Of one answer; the largest number that any document allows is 12. What is beyond is not fetched:
no task can have been asked for so many."""
USUAL = ImageNumber("/parameters/n")


@dataclass(frozen=True)
class Wanted:
    """How many images a request asks for; `exact` is false where the service may make fewer.

    `at`: the field that says so; None where the model has none, because it always makes one.
    """

    images: int
    exact: bool = True
    at: str | None = None


def wanted(model: Model | None, request: Plain) -> Wanted:
    """How many images a request (in the flat form) asks for, or the model makes by default."""
    number = _number(model, request)
    section, name = number.at.strip("/").split("/", 1)
    given = request.get(section) if isinstance(request, Mapping) else None
    value = given.get(name) if isinstance(given, Mapping) else None
    field = None if model is None else model.field(section, name)
    if value is None and model is not None and field is not None:
        value = default_of(field, model, request)
    if not isinstance(value, int) or isinstance(value, bool):
        value = 1
    at = None if field is None and model is not None else number.at
    return Wanted(max(1, value), not number.fewer, at)


def images_wanted(model: Model | None, request: Plain) -> int:
    """How many images a request asks for, at most."""
    return wanted(model, request).images


def _number(model: Model | None, request: Plain) -> ImageNumber:
    """Where the number stands in this request."""
    if model is None:
        return USUAL
    fitting = (one for one in model.number if holds(one.when, model, request))
    return next(fitting, USUAL)
