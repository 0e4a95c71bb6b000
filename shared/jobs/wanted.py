"""How many images a request is for."""

from __future__ import annotations

from typing import Any

from shared.catalogue.models import Model

MOST_IMAGES = 16
"""Of a model that names no limit, or that has left the catalogue."""


def images_wanted(model: Model | None, parameters: Any) -> int:
    """How many images a request asks for, or the model makes by default."""
    number = parameters.get("n") if isinstance(parameters, dict) else None
    if number is None and model is not None:
        number = model.parameters_schema["properties"].get("n", {}).get("default", 1)
    if not isinstance(number, int) or isinstance(number, bool):
        return 1
    return max(1, number)


def most_images(model: Model | None) -> int:
    """The most images one task may make; more in an answer cannot be what was asked for."""
    number = model.parameters_schema["properties"].get("n", {}) if model else {}
    return int(number.get("maximum") or MOST_IMAGES)
