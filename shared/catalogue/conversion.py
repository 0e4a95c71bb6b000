"""How jobs of one model are written for its successor.

Declared in the model's file, under `status.successor.conversion`, so that no code knows which model
follows which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalogue.models import Setting, settings_of


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
        settings=settings_of(said.get("set", ())),
        drop={at: words["en"] for at, words in said.get("drop", {}).items()},
        mask=said.get("mask"),
    )
