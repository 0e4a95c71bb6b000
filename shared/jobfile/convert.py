"""A job written for one model becomes a job for its successor, as the model's file declares.

Nothing is submitted, nothing is stored, no image is fetched over the network: masks are read where
the check reads them, and a changed image is written into the job as inline data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.conversion import Conversion, Setting, conversion_of
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import MOST_SHOWN, Plain, copy
from shared.jobfile import pointers
from shared.jobfile.convert_images import ImageChange, ImageUnfit
from shared.jobfile.findings import short_pointer
from shared.jobfile.references import Place
from shared.jobfile.wording import nearest


class NotConvertible(Exception):
    """The job cannot be written for another model; the message says why, and what can be done."""


@dataclass
class Converted:
    """The job for the successor; `notes` say what was changed or lost, a sentence each."""

    value: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def convert(job: Plain, to: str | None, catalogue: Catalogue, place: Place) -> Converted:
    """The job for the model `to`; None: for whatever its model's file names as successor.

    What is wrong with the job stays wrong: the caller checks what comes out. Raises NotConvertible,
    and StoreError if the bucket cannot be read.
    """
    model = _model(job, catalogue)
    target = _target(model, to, catalogue)
    conversion = conversion_of(model.status.conversion) if model.status else None
    if conversion is None:  # _target has made sure of it
        raise NotConvertible(model.name)
    done = Converted({**copy(job), "model": target.name, "input": {}, "parameters": {}})
    _Writing(job, model, target, conversion, done).write()
    try:
        ImageChange(place, model, target, conversion).apply(job, done.value, done.notes)
    except ImageUnfit as error:
        raise NotConvertible(str(error)) from None
    return done


def conversions(catalogue: Catalogue) -> dict[str, str]:
    """By model, the successor that its jobs can be converted to."""
    return {
        model.name: model.status.successor
        for model in catalogue.models()
        if model.status and model.status.conversion and model.status.successor
    }


def _model(job: Plain, catalogue: Catalogue) -> Model:
    name = job.get("model") if isinstance(job, dict) else None
    model = catalogue.get(name) if isinstance(name, str) else None
    if model is not None:
        return model
    if not isinstance(name, str):
        raise NotConvertible("the job names no model; write `model: NAME` into it.")
    near = nearest(name, catalogue.names())
    hint = f"did you mean {near}?" if near else f"the models are {', '.join(catalogue.names())}."
    raise NotConvertible(f"{name[:80]} is not a known model; {hint}")


def _target(model: Model, to: str | None, catalogue: Catalogue) -> Model:
    known = conversions(catalogue)
    successor = known.get(model.name)
    if to is not None and catalogue.get(to) is None:
        raise NotConvertible(f"{to[:80]} is not a known model; {_possible(model.name, known)}")
    target = catalogue.get(successor) if successor else None
    if target is None or to not in (None, successor):
        what = f"jobs of {model.name} cannot be converted to {to or 'another model'}"
        raise NotConvertible(f"{what}; {_possible(model.name, known)}")
    return target


def _possible(name: str, known: Mapping[str, str]) -> str:
    if name in known:
        return f"they can be converted to {known[name]}."
    pairs = ", ".join(f"{one} to {other}" for one, other in known.items())
    return f"what can be converted: {pairs or 'nothing'}. Write the job anew: wanx init MODEL."


@dataclass
class _Writing:
    """Writes the fields of a job for another model."""

    job: Mapping[str, Any]
    model: Model
    target: Model
    conversion: Conversion
    done: Converted

    def write(self) -> None:
        left = dict(self._given())
        for at, to in self.conversion.fields.items():
            if at in left:
                _put(self.done.value, to, copy(left.pop(at)))
            elif (default := self._default(at, "x-send-default")) is not None:
                self._keep_default(at, to, default)
        for setting in self.conversion.settings:
            if self._applies(setting):
                _put(self.done.value, setting.at, copy(setting.value))
        self._drop(left)
        if not self.done.value["parameters"]:
            del self.done.value["parameters"]

    def _given(self) -> list[tuple[str, Any]]:
        """Pointer and value of each field that is written in the job."""
        sections = ((name, self.job.get(name)) for name in ("input", "parameters"))
        return [
            (pointers.of((name, key)), value)
            for name, section in sections
            if isinstance(section, dict)
            for key, value in section.items()
        ]

    def _keep_default(self, at: str, to: str, default: Any) -> None:
        """What a job costs must not change with the model's default."""
        _put(self.done.value, to, copy(default))
        said = f"{default!r}, the default of {self.model.name}, is written so that it stays so"
        self.done.notes.append(f"at {to}: {said}.")

    def _applies(self, setting: Setting) -> bool:
        if setting.when is None:
            return True
        given = [value for _, value in pointers.find(self.job, setting.when)]
        value = given[0] if given else self._default(setting.when)
        return bool(value == setting.equals and type(value) is type(setting.equals))

    def _default(self, at: str, mark: str = "default") -> Any:
        """The default of a field, if it has the given mark in its schema."""
        _, section, name = at.split("/", 2)
        inside = self.model.input_schema if section == "input" else self.model.parameters_schema
        described: Mapping[str, Any] = inside["properties"].get(name, {})
        return described.get("default") if described.get(mark) is not None else None

    def _drop(self, left: Mapping[str, Any]) -> None:
        used = {one.when for one in self.conversion.settings}
        used |= {rule.marks.colours for rule in self.model.images if rule.marks}
        for at in list(left)[:MOST_SHOWN]:
            words = self.conversion.drop.get(at)
            if words is not None:
                self.done.notes.append(f"at {at}: left out; {words}.")
            elif at not in used or not self.conversion.mask:
                where = short_pointer(at)
                said = f"left out; {self.model.name} has no such field"
                self.done.notes.append(f"at {where}: {said}.")


def _put(value: dict[str, Any], pointer: str, new: Any) -> None:
    _, section, name = pointer.split("/", 2)
    value[section][name] = new
