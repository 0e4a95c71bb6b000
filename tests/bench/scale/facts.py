"""The assumptions of facts.yaml, and the models that can be paid for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from shared.catalogue.models import Model, load_catalogue

FACTS = Path(__file__).with_name("facts.yaml")
STACK = Path(__file__).resolve().parents[3] / "s.yaml"
DAY = 86400


@dataclass(frozen=True)
class Facts:
    """Figures by group and name, each with the reason for it."""

    values: dict[str, dict[str, float]]
    reasons: tuple[tuple[str, float, str], ...]

    def of(self, group: str, name: str) -> float:
        return self.values[group][name]


@lru_cache(maxsize=1)
def facts() -> Facts:
    """Read facts.yaml, and from s.yaml how old an event may get."""
    document: dict[str, Any] = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    stack = yaml.safe_load(STACK.read_text(encoding="utf-8"))
    asynchronous = stack["resources"]["submit"]["props"]["asyncInvokeConfig"]
    age = asynchronous["maxAsyncEventAgeInSeconds"]
    document["function_compute"]["event_age"] = {"value": age, "why": "s.yaml"}
    values = {
        group: {name: float(line["value"]) for name, line in lines.items()}
        for group, lines in document.items()
    }
    reasons = tuple(
        (f"{group}.{name}", float(line["value"]), str(line["why"]))
        for group, lines in document.items()
        for name, line in lines.items()
    )
    return Facts(values, reasons)


def timeout() -> int:
    """Seconds that `submit` may run (s.yaml)."""
    stack = yaml.safe_load(STACK.read_text(encoding="utf-8"))
    return int(stack["resources"]["submit"]["props"]["timeout"])


def models() -> list[Model]:
    """The catalogue, those that allow most first."""
    catalogue = load_catalogue()
    found = [model for name in catalogue.names() if (model := catalogue.get(name))]
    return sorted(found, key=lambda model: -rate_of(model))


def payable() -> list[Model]:
    """Those that can be used once the free images are gone."""
    return [model for model in models() if model.price.payable]


def rate_of(model: Model) -> float:
    """Jobs a second that one account gets done."""
    return model.limits.concurrent / model.typical_seconds
