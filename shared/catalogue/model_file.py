"""Reading the model files of `schemas/models/`.

A file describes a model, or a family: its `variants` are models, each a JSON Merge Patch (RFC 7396)
on the rest of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from shared.catalogue.files import SCHEMAS, CatalogueError, read_schema
from shared.catalogue.models import (
    AspectAdvice,
    Catalogue,
    ImageRule,
    Limits,
    Marks,
    Model,
    ModelNotice,
    Price,
    RegionPrice,
    Remark,
    SideBounds,
    Status,
)
from shared.catalogue.plain import Plain, copy, escape

_T = TypeVar("_T")


class _Node:
    """A value of a model file, with its place in the file for error messages."""

    def __init__(self, value: Plain, file: str, pointer: str = "") -> None:
        self.value, self.file, self.pointer = value, file, pointer

    def __getitem__(self, key: str) -> _Node:
        inner = self.maybe(key)
        if inner is None:
            self._fail(f"the key `{key}` is missing")
        return inner

    def maybe(self, key: str) -> _Node | None:
        if key not in self.members():
            return None
        return _Node(self.value[key], self.file, f"{self.pointer}/{escape(key)}")

    def members(self) -> dict[str, Any]:
        return self.of(dict)

    def items(self) -> list[_Node]:
        values: list[Any] = self.of(list)
        return [_Node(v, self.file, f"{self.pointer}/{i}") for i, v in enumerate(values)]

    def of(self, kind: type[_T]) -> _T:
        if not isinstance(self.value, kind) or (isinstance(self.value, bool) and kind is not bool):
            self._fail(f"expected {kind.__name__}, found {type(self.value).__name__}")
        value: _T = self.value
        return value

    def text(self) -> str:
        return self.of(str)

    def number(self) -> float:
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return float(self.value)
        return self.of(float)

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def _fail(self, what: str) -> NoReturn:
        where = self.pointer or "/"
        raise CatalogueError(f"{self.file} at {where}: {what}; see schemas/model.meta.yaml")


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
    if _Node(content, path.name)["name"].text() != path.stem:
        raise CatalogueError(f"{path.name} at /name: the name must equal the file's name")
    return [_model(_Node(model, path.name)) for _, model in described(content)]


def _model(root: _Node) -> Model:
    sources = {key: str(title) for key, title in root["sources"].members().items()}
    result_format, prompt_key = root["results"]["format"], root["results"].maybe("prompt")
    return Model(
        name=root["name"].text(),
        title=root["title"]["en"].text(),
        title_zh=root["title"]["zh"].text(),
        description=root["description"].text(),
        sources=sources,
        regions=root["regions"].texts(),
        endpoint=root["endpoint"]["path"].text(),
        mode=root["endpoint"]["mode"].text(),
        input_schema=root["input"].members(),
        parameters_schema=root["parameters"].members(),
        rules=tuple(root["rules"][key].members() for key in root["rules"].members()),
        images=tuple(_image_rule(rule, sources) for rule in root["images"].items()),
        limits=_limits(root["limits"]),
        price=_price(root["price"]),
        notices=tuple(_notice(notice, sources) for notice in root["notices"].items()),
        typical_seconds=root["typical_seconds"]["value"].number(),
        results_at=root["results"]["at"].text(),
        result_format=None if result_format.value is None else result_format.text(),
        result_hosts=root["result_hosts"]["hosts"].texts(),
        prompt_key=None if prompt_key is None else prompt_key.text(),
        status=_status(root.maybe("status"), sources),
    )


def _limits(node: _Node) -> Limits:
    return Limits(
        submissions=node["submissions"].of(int),
        per_seconds=node["per_seconds"].number(),
        concurrent=node["concurrent"].of(int),
        queue_ahead=node["queue_ahead"].of(int),
    )


def _price(node: _Node) -> Price:
    regions = node.maybe("by_region")
    by_region = {} if regions is None else {key: _region(regions[key]) for key in regions.members()}
    return Price(
        currency=node["currency"].text(),
        per_image=node["per_image"].number(),
        free_images=node["free_images"].of(int),
        payable=node["payable"].of(bool),
        checked=node["checked"].text(),
        by_region=by_region,
    )


def _region(node: _Node) -> RegionPrice:
    return RegionPrice(node["per_image"].number(), node["free_images"].of(int))


def _status(node: _Node | None, sources: Mapping[str, str]) -> Status | None:
    if node is None:
        return None
    successor = node.maybe("successor")
    conversion = successor and successor.maybe("conversion")
    return Status(
        state=node["state"].text(),
        since=node["since"].text(),
        reason=node["reason"]["en"].text(),
        reason_zh=node["reason"]["zh"].text(),
        successor=successor["model"].text() if successor else None,
        conversion=conversion.members() if conversion else {},
        source=_title(node, sources),
    )


def _notice(node: _Node, sources: Mapping[str, str]) -> ModelNotice:
    return ModelNotice(node["en"].text(), node["zh"].text(), _title(node, sources))


def _title(node: _Node, sources: Mapping[str, str]) -> str:
    short = node["source"].text()
    return sources.get(short, short)


def _image_rule(node: _Node, sources: Mapping[str, str]) -> ImageRule:
    formats, alpha = node["formats"], node.maybe("alpha")
    inline, same_size = node.maybe("inline_warn_above"), node.maybe("same_size_as")
    advice, forbidden = node.maybe("aspect"), alpha and alpha.maybe("forbidden")
    return ImageRule(
        at=node["at"].text(),
        accept=formats["accept"].texts(),
        warn=_warnings(formats, sources),
        formats_source=_title(formats, sources),
        side=_side(node["side"], sources),
        aspect=() if advice is None else tuple(_aspect(item, sources) for item in advice.items()),
        max_bytes=node["max_bytes"].of(int),
        alpha_forbidden=() if forbidden is None else forbidden.texts(),
        inline=node["inline"].of(bool),
        inline_warn_above=None if inline is None else inline["characters"].of(int),
        inline_source="" if inline is None else _title(inline, sources),
        ascii_url=node["ascii_url"].of(bool),
        same_size_as=None if same_size is None else same_size.text(),
        source=_title(node, sources),
        alpha_remark=_alpha_remark(alpha, sources),
        marks=_marks(node.maybe("marks"), sources),
    )


def _alpha_remark(node: _Node | None, sources: Mapping[str, str]) -> Remark | None:
    notice = node and node.maybe("notice")
    return Remark(notice.text(), _title(node, sources)) if node and notice else None


def _marks(node: _Node | None, sources: Mapping[str, str]) -> Marks | None:
    if node is None:
        return None
    unless = node.maybe("unless")
    return Marks(
        node["what"].text(),
        node["colour"].text(),
        node["colours"].text(),
        None if unless is None else unless.text(),
        _title(node, sources),
    )


def _warnings(formats: _Node, sources: Mapping[str, str]) -> dict[str, Remark]:
    warn = formats.maybe("warn")
    if warn is None:
        return {}
    remarks = ((name, warn[name]) for name in warn.members())
    return {name: Remark(node["reason"].text(), _title(node, sources)) for name, node in remarks}


def _side(node: _Node, sources: Mapping[str, str]) -> SideBounds:
    smallest, largest = node["min"].of(int), node["max"].of(int)
    return SideBounds(smallest, largest, node["exclusive"].of(bool), _title(node, sources))


def _aspect(node: _Node, sources: Mapping[str, str]) -> AspectAdvice:
    bounds = [node.maybe(key) for key in ("min", "max", "below")]
    smallest, largest, below = (None if bound is None else bound.number() for bound in bounds)
    return AspectAdvice(smallest, largest, below, node["reason"].text(), _title(node, sources))
