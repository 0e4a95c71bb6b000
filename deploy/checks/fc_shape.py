"""A value against a model of the API: unknown and missing keys, wrong types, bounds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from deploy.checks.fc_limits import Bound, bounds, shown
from deploy.checks.fc_models import Model, Models
from deploy.stack.findings import Finding

SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}
WORDS = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false"}
TYPE_ADVICE = "Give a value of this type; quotes make a text of a number."


def unknown_key(key: str, known: list[str], where: str, source: str) -> Finding:
    """A key nobody reads, with the known key that looks most like it."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(str(key).lower(), list(by_lower), n=1, cutoff=0.6)
    advice = f"Did you mean {by_lower[close[0]]}?" if close else "Remove it."
    return Finding(
        "unknown-key", f"{where}.{key}", "an unknown key", ", ".join(sorted(known)), advice, source
    )


class Shape:
    """Walks a value along the models."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._bounds = bounds()

    def findings(self, value: Any, model: str, where: str) -> Iterator[Finding]:
        """Everything that is wrong with an object that should be `model`."""
        return self._object(value, self._models.get(model), where)

    def _object(self, value: Any, model: Model, where: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield _mistyped(value, f"a mapping ({model.name})", where, model.source)
            return
        for key in value:
            if key not in model.fields:
                yield unknown_key(key, list(model.fields), where, model.source)
        for key, field in model.fields.items():
            if key in value:
                yield from self._property(value[key], model, key, f"{where}.{key}")
            elif field.required:
                yield Finding(
                    "missing-key", where, f"no {key}", f"{key}", f"Add {key}.", model.source
                )

    def _property(self, value: Any, model: Model, key: str, where: str) -> Iterator[Finding]:
        wrong = list(self._typed(value, model.fields[key].type, where, model.source))
        yield from wrong
        if not wrong:
            yield from self._bounded(value, f"{model.name}.{key}", where)

    def _bounded(self, value: Any, name: str, where: str) -> Iterator[Finding]:
        own, items = self._bound(name), self._bound(f"{name}[]")
        if own:
            yield from own.findings(value, where)
        if items:
            for place, item in enumerate(value):
                inner = f"{where}[{place}]" if isinstance(value, list) else f"{where}.{item}"
                yield from items.findings(item, inner)

    def _bound(self, name: str) -> Bound | None:
        """Bounds of a model count for what is derived from it too (component.yaml)."""
        found = self._bounds.get(name)
        model, _, key = name.partition(".")
        base = BASES.get(model)
        return found or (self._bounds.get(f"{base}.{key}") if base else None)

    def _typed(self, value: Any, type_: str, where: str, source: str) -> Iterator[Finding]:
        listed = re.fullmatch(r"List\[(.+)\]", type_)
        mapped = re.fullmatch(r"Dict\[str, (.+)\]", type_)
        if type_ == "any":
            return
        if " | " in type_:
            yield from self._choice(value, type_.split(" | "), where, source)
        elif listed:
            yield from self._list(value, listed[1], where, source)
        elif mapped:
            yield from self._map(value, mapped[1], where, source)
        elif type_ in SCALARS:
            yield from _scalar(value, type_, where, source)
        else:
            yield from self._object(value, self._models.get(type_), where)

    def _choice(self, value: Any, types: list[str], where: str, source: str) -> Iterator[Finding]:
        """The first type where it fits; what is wrong with the last one otherwise."""
        tried = [list(self._typed(value, each, where, source)) for each in types]
        if all(tried):
            yield from tried[-1] if isinstance(value, dict) else tried[0]

    def _list(self, value: Any, item: str, where: str, source: str) -> Iterator[Finding]:
        if not isinstance(value, list):
            yield _mistyped(value, "a list", where, source)
            return
        for place, each in enumerate(value):
            yield from self._typed(each, item, f"{where}[{place}]", source)

    def _map(self, value: Any, item: str, where: str, source: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield _mistyped(value, "a mapping", where, source)
            return
        for key, each in value.items():
            yield from self._typed(each, item, f"{where}.{key}", source)


BASES = {"FunctionProps": "CreateFunctionInput", "AsyncInvokeConfig": "PutAsyncInvokeConfigInput"}
"""Models of component.yaml that have another's bounds beside their own."""


def _scalar(value: Any, type_: str, where: str, source: str) -> Iterator[Finding]:
    fits = isinstance(value, SCALARS[type_]) and (type_ == "bool") == isinstance(value, bool)
    if not fits:
        yield _mistyped(value, WORDS[type_], where, source)


def _mistyped(value: Any, expected: str, where: str, source: str) -> Finding:
    return Finding("wrong-type", where, f"found {shown(value)}", expected, TYPE_ADVICE, source)
