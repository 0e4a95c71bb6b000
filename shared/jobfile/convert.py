"""A job written for one model becomes a job for its successor, as the model's file declares.

Nothing is submitted, nothing is stored, no image is fetched over the network: masks are read where
the check reads them, and a changed image is written into the job as inline data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue import pointers
from shared.catalogue.conditions import default_of, holds
from shared.catalogue.conversion import Conversion, conversion_of
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import MOST_SHOWN, Capped, Plain, copy
from shared.jobfile.convert_images import ImageChange, NotConvertible
from shared.jobfile.document import Document
from shared.jobfile.findings import Unreadable, Violation, counted, short_pointer, show
from shared.jobfile.references import Place
from shared.jobfile.wording import nearest

_SECTIONS = ("input", "parameters")


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
    if model.name == to:
        return Converted(copy(job))
    target, conversion = _target(model, to, catalogue)
    done = Converted({**copy(job), "model": target.name, "input": {}, "parameters": {}})
    _Writing(job, model, target, conversion, done).write()
    ImageChange(place, model, target, conversion).apply(job, done.value, done.notes)
    _drop_id(done)
    done.notes.append(_price(model, target))
    return done


def _drop_id(done: Converted) -> None:
    """An id belongs to one request: the job as it was may have run under it."""
    own = done.value.get("job")
    if isinstance(own, dict) and "id" in own:
        del own["id"]
        if not own:
            del done.value["job"]
        done.notes.append("at /job/id: left out; the job as it was may have run under this id.")


def convert_all(
    documents: Iterable[Document], to: str | None, catalogue: Catalogue, place: Place
) -> list[Converted]:
    """Every job of a file. Where no model is named, those that have no successor stay as they are,
    unless that is so of all.

    Raises Unreadable with all reasons if a job cannot be converted, and StoreError.
    """
    documents, known = list(documents), conversions(catalogue)
    some = to is None and any(_name(one.value) in known for one in documents)
    done, wrong = [], []
    for document in documents:
        if some and _name(document.value) in set(catalogue.names()) - set(known):
            done.append(Converted(copy(document.value), ["its model stays."]))
            continue
        try:
            done.append(convert(document.value, to, catalogue, place))
        except NotConvertible as error:
            wrong.append(_violation(document, error))
            if len(wrong) > MOST_SHOWN:
                break
    if wrong:
        raise Unreadable(counted(wrong[:MOST_SHOWN], len(wrong[MOST_SHOWN:])))
    return done


def _violation(document: Document, error: NotConvertible) -> Violation:
    place = next((value for _, value in pointers.find(document.value, error.pointer)), None)
    expected = "what can be written for another model"
    line, source = document.line(error.pointer), "model catalogue"
    return Violation(error.pointer, line, expected, show(place), str(error), source)


def _price(model: Model, target: Model) -> str:
    new, old = target.price, model.price
    costs = f"an image costs {new.currency} {new.per_image:.2f} with {target.name}"
    if not old.payable:
        return f"{costs}."
    return f"{costs}; {model.name}: {old.currency} {old.per_image:.2f}."


def conversions(catalogue: Catalogue) -> dict[str, str]:
    """By model, the successor that its jobs can be converted to."""
    return {
        model.name: model.status.successor
        for model in catalogue.models()
        if model.status and model.status.conversion and model.status.successor
    }


def _name(job: Plain) -> str | None:
    name = job.get("model") if isinstance(job, dict) else None
    return name if isinstance(name, str) else None


def _model(job: Plain, catalogue: Catalogue) -> Model:
    name = _name(job)
    model = catalogue.get(name) if name else None
    if model is not None:
        return model
    if not name:
        raise NotConvertible("/model", "the job names no model; write `model: NAME` into it.")
    near = nearest(name, catalogue.names())
    hint = f"did you mean {near}?" if near else f"the models are {', '.join(catalogue.names())}."
    raise NotConvertible("/model", f"{name[:80]} is not a known model; {hint}")


def _target(model: Model, to: str | None, catalogue: Catalogue) -> tuple[Model, Conversion]:
    known = conversions(catalogue)
    if to is not None and catalogue.get(to) is None:
        what = f"{to[:80]} is not a known model; {_possible(model.name, known)}"
        raise NotConvertible("/model", what)
    target = catalogue.get(known.get(model.name, ""))
    if target is None or model.status is None or to not in (None, target.name):
        what = f"jobs of {model.name} cannot be converted to {to or 'another model'}"
        raise NotConvertible("/model", f"{what}; {_possible(model.name, known)}")
    return target, conversion_of(model.status.conversion)


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
            elif (default := self._default(at)) is not None:
                self._keep_default(at, to, default)
        for setting in self.conversion.settings:
            if holds(setting.when, self.model, self.job):
                _put(self.done.value, setting.at, copy(setting.value))
        self._drop(left)
        self._keep_odd()
        if not self.done.value["parameters"]:
            del self.done.value["parameters"]

    def _given(self) -> list[tuple[str, Any]]:
        """Pointer and value of each field that is written in the job."""
        sections = ((name, self.job.get(name)) for name in _SECTIONS)
        return [
            (pointers.of((name, key)), value)
            for name, section in sections
            if isinstance(section, dict)
            for key, value in section.items()
        ]

    def _keep_odd(self) -> None:
        """A section that is no mapping stays for the check to refuse."""
        for name in _SECTIONS:
            if not isinstance(self.job.get(name) or {}, dict):
                self.done.value[name] = copy(self.job[name])

    def _keep_default(self, at: str, to: str, default: Any) -> None:
        """What a job costs must not change with the model's default."""
        _put(self.done.value, to, copy(default))
        said = f"{default!r}, the default of {self.model.name}, is written so that it stays so"
        self.done.notes.append(f"at {to}: {said}.")

    def _default(self, at: str) -> Any:
        """The default of a field that has to be sent; None if there is none."""
        _, section, name = at.split("/", 2)
        inside = self.model.input_schema if section == "input" else self.model.parameters_schema
        described: Mapping[str, Any] = inside["properties"].get(name, {})
        if not described.get("x-send-default"):
            return None
        return default_of(described, self.model, self.job)

    def _drop(self, left: Mapping[str, Any]) -> None:
        rules = (rule for rule in self.model.images if rule.at == self.conversion.mask)
        used = {str(rule.marks.colours) for rule in rules if rule.marks}
        lost = Capped[str]()
        for at, value in left.items():
            if at not in used and (why := self._loss(at, value)):
                lost.add(f"at {short_pointer(at)}: left out; {why}.")
        self.done.notes += lost.kept
        if lost.more:
            self.done.notes.append(f"{lost.more} more fields were left out.")

    def _loss(self, at: str, value: Any) -> str | None:
        """Why a field is left out; None where what it says is written in another way."""
        if at in self.conversion.drop:
            return self.conversion.drop[at]
        asking = [one for setting in self.conversion.settings for one in setting.when]
        if not any(one["at"] == at for one in asking):
            return f"{self.model.name} has no such field"
        if any(one["at"] == at and holds(one, self.model, self.job) for one in asking):
            return None
        _, section, name = at.split("/", 2)
        field_schema = self.model.field(section, name) or {}
        usual = default_of(field_schema, self.model, self.job)
        if type(value) is type(usual) and value == usual:
            return None
        return f"it counts as {show(usual)}, because {show(value)} is none of its values"


def _put(value: dict[str, Any], pointer: str, new: Any) -> None:
    _, section, name = pointer.split("/", 2)
    value[section][name] = new
