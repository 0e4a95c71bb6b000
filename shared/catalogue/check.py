"""The full check of the catalogue, for tests and `make check`; a cold start skips it."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.catalogue.conversion import Conversion, conversion_of
from shared.catalogue.files import SCHEMAS, CatalogueError, read_schema
from shared.catalogue.index import described
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import Plain, escape
from shared.catalogue.tasks import load_tasks

COLUMNS, LINES = 78, 2
"""What guidance has room for, indented in a terminal of 80 columns."""


def check_catalogue(folder: Path | None = None) -> list[str]:
    """Everything that is wrong with the model files and errors.yaml, each with file and pointer.

    Raises CatalogueError if a file cannot be read at all.
    """
    root = folder or SCHEMAS
    found = []
    if (root / "errors.yaml").exists():
        content = read_schema(root / "errors.yaml")
        found += [f"errors.yaml at {one}" for one in _about(content, _validator("errors"))]
    if (root / "tasks.yaml").exists():
        tasks = read_schema(root / "tasks.yaml")
        found += [f"tasks.yaml at {one}" for one in _against(tasks, _validator("tasks"))]
    validator = _validator("model")
    for file in sorted((root / "models").glob("*.yaml")):
        content = read_schema(file)
        for name, model in described(content):
            title = file.name if model is content else f"{file.name}, {name},"
            found += [f"{title} at {one}" for one in _about(model, validator)]
            found += [f"{title} at {one}" for one in _coherence(model)]
    if found:
        return found
    catalogue = load_catalogue(root)
    return [*_successors(catalogue), *_snapshots(catalogue), *_tasks(catalogue, root)]


def _tasks(catalogue: Catalogue, root: Path) -> Iterator[str]:
    """Tasks that only one side knows, and models recommended for what they do not do."""
    there = (root / "tasks.yaml").exists()
    tasks = {one.id: one for one in load_tasks(root if there else None)}
    for model in catalogue.models():
        for name in model.tasks:
            if name not in tasks:
                yield f"{model.name} at /tasks: {name} is not a task; use one of {', '.join(tasks)}"
    for task in tasks.values() if there else ():
        for name in task.recommended:
            found = catalogue.get(name)
            if found is None or task.id not in found.tasks:
                yield f"tasks.yaml: {task.id} recommends {name}, which does not do it"


def _snapshots(catalogue: Catalogue) -> Iterator[str]:
    """Snapshots of what is no model, or a snapshot itself."""
    for model in catalogue.models():
        if model.snapshot_of is None:
            continue
        main = catalogue.get(model.snapshot_of)
        if main is None:
            yield f"{model.name}: {model.snapshot_of} is no model of the catalogue"
        elif main.snapshot_of is not None:
            yield f"{model.name}: {main.name} is a snapshot itself; name {main.snapshot_of}"


def _successors(catalogue: Catalogue) -> Iterator[str]:
    """What is wrong between models and those that follow them."""
    for model in catalogue.models():
        if model.status is None or model.status.successor is None:
            continue
        name = model.status.successor
        target = catalogue.get(name)
        if target is None:
            yield f"{model.name}: the successor {name} is no model of the catalogue"
        elif model.status.conversion:
            conversion = conversion_of(model.status.conversion)
            yield from _lost(model, conversion)
            yield from _unfounded(model, target, conversion)


def _lost(model: Model, conversion: Conversion) -> Iterator[str]:
    """Fields of a model that a conversion says nothing of."""
    told = {*conversion.fields, *conversion.drop}
    told |= {one["at"] for setting in conversion.settings for one in setting.when}
    told |= {str(rule.marks.colours) for rule in model.images if rule.marks and conversion.mask}
    for field in _fields(model):
        if field not in told:
            yield f"{model.name} at /status/successor/conversion: nothing is said of {field}"


def _unfounded(model: Model, target: Model, conversion: Conversion) -> Iterator[str]:
    """Fields that a conversion names and neither model has."""
    named = [(model, {*conversion.fields, *conversion.drop})]
    named += [(target, {*conversion.fields.values(), *(one.at for one in conversion.settings)})]
    for one, fields in named:
        for field in sorted(fields - set(_fields(one))):
            place = f"{model.name} at /status/successor/conversion"
            yield f"{place}: {field} is not a field of {one.name}"


def _fields(model: Model) -> list[str]:
    schemas = {"input": model.input_schema, "parameters": model.parameters_schema}
    return [f"/{part}/{name}" for part, one in schemas.items() for name in one["properties"]]


def require_sound(folder: Path | None = None) -> None:
    """Raises CatalogueError with everything `check_catalogue` finds."""
    if found := check_catalogue(folder):
        raise CatalogueError("\n".join(found))


def _about(content: Plain, validator: Any) -> Iterator[str]:
    yield from _against(content, validator)
    yield from _sources(content, "")


def _validator(what: str) -> Any:
    from jsonschema import Draft202012Validator

    schema = read_schema(SCHEMAS / f"{what}.meta.yaml")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _against(content: Plain, validator: Any) -> Iterator[str]:
    for error in validator.iter_errors(content):
        place = "".join(f"/{escape(str(step))}" for step in error.absolute_path) or "/"
        yield f"{place}: {error.message[:300]}"


def _sources(content: Plain, place: str, known: Plain = None) -> Iterator[str]:
    """Every `source` and `x-source` must be listed under `sources`."""
    if isinstance(content, dict):
        known = content.get("sources", {}) if known is None else known
        for key, value in content.items():
            inner = f"{place}/{escape(key)}"
            if key in ("source", "x-source") and isinstance(value, str) and value not in known:
                yield f"{inner}: the source {value!r} is not listed under /sources"
            if inner != "/sources":
                yield from _sources(value, inner, known)
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _sources(value, f"{place}/{index}", known)


def _coherence(content: Plain) -> Iterator[str]:
    if not isinstance(content, dict):
        return
    for place, pointer in _pointers(content):
        if not _exists(content, pointer):
            yield f"{place}: {pointer} is not a field of this model"
    for section in ("input", "parameters"):
        yield from _defaults(content.get(section, {}), section)
    yield from _message_keys(content)
    yield from _region_prices(content.get("price"))
    yield from _guidance(content.get("guidance"))
    yield from _task_values(content)


def _task_values(content: dict[str, Any]) -> Iterator[str]:
    """Values of tasks that their fields do not take."""
    from jsonschema import Draft202012Validator

    for task, needs in (content.get("tasks") or {}).items():
        for pointer, values in needs.items():
            place = f"/tasks/{task}/{escape(pointer)}"
            if not _exists(content, pointer):
                yield f"{place}: {pointer} is not a field of this model"
                continue
            _, section, name = pointer.split("/")
            field = Draft202012Validator(content[section]["properties"][name])
            for value in values:
                if not field.is_valid(value):
                    yield f"{place}: the field does not take {value!r}"


def _pointers(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every place that points at a field of the request."""
    images = enumerate(content.get("images") or [])
    named = [(f"/images/{index}", rule) for index, rule in images]
    named += [(f"/rules/{name}", rule) for name, rule in (content.get("rules") or {}).items()]
    for start, rule in named:
        for key in ("at", "as", "same_size_as"):
            for pointer in _listed(rule.get(key)):
                yield f"{start}/{key}", pointer
    for place, when in _conditions(content, ""):
        for one in _listed(when):
            yield f"{place}/at", one.get("at", "")


def _listed(value: Plain) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _conditions(value: Plain, place: str) -> Iterator[tuple[str, Plain]]:
    """Every `when`, wherever it is."""
    members: Any = enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, dict):
        members = value.items()
    for key, inner in members:
        below = f"{place}/{escape(str(key))}"
        if key == "when" and isinstance(inner, (dict, list)):
            yield below, inner
        else:
            yield from _conditions(inner, below)


def _exists(content: dict[str, Any], pointer: str) -> bool:
    section, *steps = pointer.strip("/").split("/")
    node = content.get(section, {})
    for step in steps:
        node = node.get("items") if step == "*" else node.get("properties", {}).get(step)
        if node is None:
            return False
    return True


def _defaults(schema: Plain, section: str) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema)
    for name, field in schema.get("properties", {}).items():
        place = f"/{section}/properties/{escape(name)}"
        if "x-send-default" in field and "default" not in field:
            yield f"{place}: x-send-default without a default"
        others = [(f"x-default-if/{i}/default", one["default"]) for i, one in _others(field)]
        for key, default in [
            *others,
            *([("default", field["default"])] if "default" in field else []),
        ]:
            if default is not None and not Draft202012Validator(field).is_valid(default):
                yield f"{place}/{key}: does not fit its own schema"


def _others(field: Plain) -> Iterator[tuple[int, Plain]]:
    return ((i, one) for i, one in enumerate(field.get("x-default-if", ())) if "default" in one)


def _message_keys(content: dict[str, Any]) -> Iterator[str]:
    """What the message is made of must be fields of the flat form."""
    form, fields = content.get("messages"), content.get("input", {}).get("properties", {})
    if not isinstance(form, dict):
        return
    kinds = {"text": "string", "images": "array"}
    for key, kind in kinds.items():
        name = form.get(key)
        if name is not None and fields.get(name, {}).get("type") != kind:
            yield f"/messages/{key}: {name} is not a field of input of the type {kind}"
    moved = form.get("parameters", ())
    for index, name in enumerate(moved):
        if name not in fields:
            yield f"/messages/parameters/{index}: {name} is not a field of input"
    for name in set(fields) - {form.get("text"), form.get("images"), *moved}:
        yield f"/input/properties/{escape(name)}: the message has no place for it"


def _guidance(guidance: Plain) -> Iterator[str]:
    """Guidance that does not fit into its lines."""
    for language, text in guidance.items() if isinstance(guidance, dict) else ():
        if (lines := _lines(str(text))) > LINES:
            most = f"at most {LINES} lines of {COLUMNS} columns"
            yield f"/guidance/{language}: it takes {lines} lines; shorten it to {most}"


def _lines(text: str) -> int:
    """How many lines a text takes; Chinese, two columns a character, breaks anywhere."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    if wide:
        return math.ceil((len(text) + wide) / COLUMNS)
    return len(textwrap.wrap(text, COLUMNS, break_on_hyphens=False))


def _region_prices(price: Plain) -> Iterator[str]:
    """Tiers that are those of another price, or dearer than the dearest price, would be wrong
    without anyone seeing it."""
    if not isinstance(price, dict):
        return
    regions = price.get("by_region") or {}
    for name, own in regions.items():
        if "tiers" in price and "per_image" in own and "tiers" not in own:
            yield f"/price/by_region/{name}: its own per_image needs its own tiers"
    paid = {"/price": price}
    paid |= {f"/price/by_region/{name}": {**price, **own} for name, own in regions.items()}
    for place, one in paid.items():
        for index, tier in enumerate(one.get("tiers", ())):
            if tier.get("per_image", 0) > one.get("per_image", 0):
                yield f"{place}/tiers/{index}: dearer than per_image, which is the dearest price"
