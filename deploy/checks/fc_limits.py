"""limits.yaml: what is allowed beyond names and types, and which document says so."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from deploy.stack.findings import Finding

LIMITS = Path(__file__).with_name("limits.yaml")


@dataclass(frozen=True)
class Bound:
    """The entry of one property, or of one rule."""

    entry: Mapping[str, Any]

    @property
    def source(self) -> str:
        return str(self.entry["source"])

    def __getitem__(self, name: str) -> Any:
        return self.entry[name]

    def findings(self, value: Any, where: str) -> Iterator[Finding]:
        """What of the entry's kinds the value breaks; values of another type are not judged."""
        checks = (self._range(value), self._choice(value), self._form(value), self._size(value))
        for id, expected, advice in (broken for broken in checks if broken):
            yield Finding(id, where, f"found {shown(value)}", expected, advice, self.source)

    def _range(self, value: Any) -> tuple[str, str, str] | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        low, high = self.entry.get("min"), self.entry.get("max")
        if (low is not None and value < low) or (high is not None and value > high):
            return "out-of-range", f"{low} to {high}", "Choose a value within the range."
        step = self.entry.get("step")
        if step and Fraction(str(value)) % Fraction(str(step)):
            return "wrong-step", f"a multiple of {step}", "Round it to the next multiple."
        return None

    def _choice(self, value: Any) -> tuple[str, str, str] | None:
        choices = self.entry.get("one_of")
        if choices is None or isinstance(value, (list, dict)) or value in choices:
            return None
        return "not-allowed", " or ".join(map(str, choices)), "Use one of these, as spelled here."

    def _form(self, value: Any) -> tuple[str, str, str] | None:
        pattern = self.entry.get("pattern")
        if pattern is None or not isinstance(value, str) or re.fullmatch(pattern, value):
            return None
        return "wrong-form", str(self.entry["means"]), "Write it in this form."

    def _size(self, value: Any) -> tuple[str, str, str] | None:
        for kind, unit, sized in _sizes(value):
            most = self.entry.get(kind)
            if most is not None and sized > most:
                return "too-long", f"at most {most} {unit}, not {sized}", "Shorten it."
        return None


@functools.cache
def bounds() -> dict[str, Bound]:
    """Bounds of properties: `Model.property`, and `Model.property[]` for items."""
    return {name: Bound(entry) for name, entry in _limits()["bounds"].items()}


def rule(name: str) -> Bound:
    """The numbers and the source of a rule that spans several properties."""
    return Bound(_limits()["rules"][name])


def shown(value: Any) -> str:
    """A value as a finding shows it; long ones are cut."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}…"


@functools.cache
def _limits() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(LIMITS.read_text(encoding="utf-8"))
    return loaded


def _sizes(value: Any) -> Iterator[tuple[str, str, int]]:
    if isinstance(value, str):
        yield "max_length", "characters", len(value)
        yield "max_bytes", "bytes", len(value.encode())
    elif isinstance(value, list):
        yield "max_items", "items", len(value)
