"""Reading the model files of `schemas/models/`.

A file describes a model, or a family: its `variants` are models, each a JSON Merge Patch (RFC 7396)
on the rest of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.catalogue import model_parts as parts
from shared.catalogue.files import SCHEMAS, CatalogueError, read_schema
from shared.catalogue.index import INDEX, Index, content_of, described, files_of, index_of
from shared.catalogue.models import (
    FLAT,
    USUAL_USAGE,
    Catalogue,
    Model,
    entry_of,
    settings_of,
)
from shared.catalogue.node import Node
from shared.catalogue.plain import Plain


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """The catalogue of a schemas folder; default is the one beside this package.

    With an index (in a package) each file is read when a model of it is asked for; without one all
    are read now. Raises CatalogueError; with an index, for a broken file, so does asking for a
    model of it. What a cold start need not know (unknown keys, sources that do not exist) is
    checked by `shared.catalogue.check.check_catalogue`.
    """
    root = folder or SCHEMAS
    place = root / "models" / INDEX
    if place.exists():
        index = _index(read_schema(place))
        return Catalogue(index=index, read=_Files(root / "models", index))
    found = [(model, file.name) for file in files_of(root) for model in _read(file)]
    index = index_of(entry_of(model, file) for model, file in found)
    return Catalogue(tuple(model for model, _ in found), index)


def _index(content: Any) -> Index:
    """The index of a package. Raises CatalogueError if another release has written it."""
    try:
        return Index(**content)
    except TypeError:
        raise CatalogueError(f"{INDEX} does not fit this release; package again") from None


@dataclass
class _Files:
    """Reads single models, and for them each file once."""

    folder: Path
    index: Index
    _contents: dict[str, dict[str, Plain]] = field(default_factory=dict)

    def __call__(self, name: str) -> Model:
        """Raises CatalogueError."""
        file = self.index.files[name]
        if file not in self._contents:
            self._contents[file] = dict(described(content_of(self.folder / file)))
        content = self._contents[file].get(name)
        if content is None:
            raise CatalogueError(f"{file} does not describe {name}, as {INDEX} says; package again")
        return _model(Node(content, file))


def _read(path: Path) -> list[Model]:
    return [_model(Node(content, path.name)) for _, content in described(content_of(path))]


def _model(root: Node) -> Model:
    sources = {key: str(title) for key, title in root["sources"].members().items()}
    limits, region_limits = parts.limits(root["limits"])
    snapshot_of = root.maybe("snapshot_of")
    return Model(
        name=root["name"].text(),
        file=root.file,
        title=root["title"]["en"].text(),
        title_zh=root["title"]["zh"].text(),
        description=root["description"].text(),
        guidance=root["guidance"]["en"].text(),
        guidance_zh=root["guidance"]["zh"].text(),
        tasks=root["tasks"].members(),
        sources=sources,
        regions=root["regions"].texts(),
        input_schema=root["input"].members(),
        parameters_schema=root["parameters"].members(),
        rules=tuple(root["rules"][key].members() for key in root["rules"].members()),
        images=tuple(parts.image_rule(rule, sources) for rule in root["images"].items()),
        limits=limits,
        region_limits=region_limits,
        price=parts.price(root["price"]),
        readings={part: parts.reading(root[part], sources) for part in parts.READ},
        notices=tuple(parts.notice(notice, sources) for notice in root["notices"].items()),
        typical_seconds=root["typical_seconds"]["value"].number(),
        status=parts.status(root.maybe("status"), sources),
        snapshot_of=None if snapshot_of is None else snapshot_of.text(),
        **_spoken(root),
        **_answers(root["results"], root.maybe("result_hosts")),
    )


def _spoken(root: Node) -> dict[str, Any]:
    """How a request is sent."""
    endpoint, ids = root["endpoint"], root.maybe("ids")
    body, implied = endpoint.maybe("body"), root.maybe("implied")
    return {
        "endpoint": endpoint["path"].text(),
        "mode": endpoint["mode"].text(),
        "body": FLAT if body is None else body.text(),
        "messages": parts.messages(root.maybe("messages")),
        "implied": settings_of(one.members() for one in implied.items()) if implied else (),
        "ids": {} if ids is None else {key: ids[key].text() for key in ids.members()},
    }


def _answers(node: Node, hosts: Node | None) -> dict[str, Any]:
    """Where the results are in an answer, and on which hosts they lie."""
    kind, prompt, texts = node["format"], node.maybe("prompt"), node.maybe("texts")
    usage, area = node.maybe("usage"), node.maybe("area")
    return {
        "results_at": node["at"].text(),
        "result_format": None if kind.value is None else kind.text(),
        "prompt_key": None if prompt is None else prompt.text(),
        "texts_at": None if texts is None else texts.text(),
        "usage_at": (USUAL_USAGE,) if usage is None else usage.texts(),
        "number": parts.numbers(node.maybe("number")),
        "area_at": None if area is None else (area["width"].text(), area["height"].text()),
        "result_hosts": () if hosts is None else hosts["hosts"].texts(),
    }
