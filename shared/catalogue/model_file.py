"""Reading the model files of `schemas/models/`.

A file describes a model, or a family: its `variants` are models, each a JSON Merge Patch (RFC 7396)
on the rest of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.catalogue import model_parts as parts
from shared.catalogue.files import SCHEMAS, CatalogueError, read_schema
from shared.catalogue.models import FLAT, USUAL_USAGE, Catalogue, Model, settings_of
from shared.catalogue.node import Node
from shared.catalogue.plain import Plain, copy


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Reads every model file of a schemas folder; default is the one beside this package.

    Raises CatalogueError. What a cold start need not know (unknown keys, sources that do not
    exist) is checked by `shared.catalogue.check.check_catalogue`.
    """
    files = sorted(((folder or SCHEMAS) / "models").glob("*.yaml"))
    if not files:
        raise CatalogueError(f"no model file (*.yaml) lies in {folder or SCHEMAS}/models")
    found: dict[str, tuple[Model, Path]] = {}
    for file in files:
        for model in _read(file):
            if model.name in found:
                both = f"{found[model.name][1].name} and {file.name}"
                raise CatalogueError(f"{model.name} is described twice, in {both}; remove one")
            found[model.name] = (model, file)
    return Catalogue(tuple(model for model, _ in found.values()))


def described(content: Plain) -> Iterator[tuple[str, Plain]]:
    """The models that a file describes, each with its description. `content` is left as it is."""
    variants = content.get("variants") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(variants, dict):
        yield (str(content.get("name")) if isinstance(content, dict) else ""), content
        return
    common = {key: value for key, value in content.items() if key != "variants"}
    for name, patch in variants.items():
        yield str(name), {**_patched(common, patch), "name": name}


def _patched(target: Plain, patch: Plain) -> Plain:
    """A JSON Merge Patch applied (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return copy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _patched(result.get(key), value)
    return result


def _read(path: Path) -> list[Model]:
    content = read_schema(path)
    if Node(content, path.name)["name"].text() != path.stem:
        raise CatalogueError(f"{path.name} at /name: the name must equal the file's name")
    return [_model(Node(model, path.name)) for _, model in described(content)]


def _model(root: Node) -> Model:
    sources = {key: str(title) for key, title in root["sources"].members().items()}
    limits, region_limits = parts.limits(root["limits"])
    return Model(
        name=root["name"].text(),
        title=root["title"]["en"].text(),
        title_zh=root["title"]["zh"].text(),
        description=root["description"].text(),
        sources=sources,
        regions=root["regions"].texts(),
        input_schema=root["input"].members(),
        parameters_schema=root["parameters"].members(),
        rules=tuple(root["rules"][key].members() for key in root["rules"].members()),
        images=tuple(parts.image_rule(rule, sources) for rule in root["images"].items()),
        limits=limits,
        region_limits=region_limits,
        price=parts.price(root["price"]),
        notices=tuple(parts.notice(notice, sources) for notice in root["notices"].items()),
        typical_seconds=root["typical_seconds"]["value"].number(),
        status=parts.status(root.maybe("status"), sources),
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
