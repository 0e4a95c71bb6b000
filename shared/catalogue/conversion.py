"""How jobs of one model are written for its successor.

Declared in the model's file, under `status.successor.conversion`, so that no code knows which model
follows which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalogue.models import Condition


@dataclass(frozen=True)
class Setting:
    """A value that a converted job has at the pointer `at`, where all of `when` hold for the job as
    it was written. Later settings go before earlier ones."""

    at: str
    value: Any
    when: tuple[Condition, ...]


@dataclass(frozen=True)
class Conversion:
    """How a job is written for the successor.

    `fields`: pointer to pointer. `drop`: pointer of what the successor does not know, and what is
    said of it, in English. `mask`: the image whose marks become white and all else black.
    """

    fields: Mapping[str, str]
    settings: tuple[Setting, ...]
    drop: Mapping[str, str]
    mask: str | None


def conversion_of(said: Mapping[str, Any]) -> Conversion:
    """What a model file declares in the form that schemas/model.meta.yaml describes."""
    return Conversion(
        fields=dict(said["fields"]),
        settings=tuple(_setting(one) for one in said.get("set", ())),
        drop={at: words["en"] for at, words in said.get("drop", {}).items()},
        mask=said.get("mask"),
    )


def _setting(said: Mapping[str, Any]) -> Setting:
    when = said.get("when", ())
    return Setting(said["at"], said["value"], (when,) if isinstance(when, Mapping) else tuple(when))
