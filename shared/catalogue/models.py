"""The model catalogue: everything the code knows of a model, read from YAML.

A model is a file in `schemas/models/`; adding one needs no change here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from shared.catalogue.files import load_file
from shared.catalogue.plain import Plain, TextUnreadable, escape

_T = TypeVar("_T")

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


class CatalogueError(Exception):
    """A file of the catalogue is broken; the message names the file and the JSON Pointer."""


@dataclass(frozen=True)
class Limits:
    """Limits of one main account: submissions in `per_seconds` seconds, tasks processed at once,
    and further tasks that may wait in the service's own queue."""

    submissions: int
    per_seconds: float
    concurrent: int
    queue_ahead: int


@dataclass(frozen=True)
class RegionPrice:
    """Price of one successful image, and images free of charge, in one region."""

    per_image: float
    free_images: int


@dataclass(frozen=True)
class Price:
    """Price of one successful image as it was read on the day `checked` (YYYY-MM-DD)."""

    currency: str
    per_image: float
    free_images: int
    payable: bool
    checked: str
    by_region: Mapping[str, RegionPrice]

    def in_region(self, region: str) -> RegionPrice:
        return self.by_region.get(region) or RegionPrice(self.per_image, self.free_images)


@dataclass(frozen=True)
class Remark:
    """A sentence for the user, and the title of the document that says so."""

    text: str
    source: str


@dataclass(frozen=True)
class ModelNotice:
    """What every user of a model should know."""

    en: str
    zh: str
    source: str


@dataclass(frozen=True)
class SideBounds:
    """Bounds of width and height in pixels; `exclusive` refuses the bounds themselves."""

    smallest: int
    largest: int
    exclusive: bool
    source: str

    def allow(self, side: int) -> bool:
        if self.exclusive:
            return self.smallest < side < self.largest
        return self.smallest <= side <= self.largest


@dataclass(frozen=True)
class AspectAdvice:
    """Bounds of longer over shorter side; a notice gives the reason where they are exceeded."""

    smallest: float | None
    largest: float | None
    below: float | None
    reason: str
    source: str


@dataclass(frozen=True)
class Marks:
    """What the pixels of an image mark: a region or lines, by `colour` (white or black) unless the
    job lists colours at `colours`; nothing if it says true at `unless`. Pointers."""

    what: str
    colour: str
    colours: str
    unless: str | None
    source: str


@dataclass(frozen=True)
class ImageRule:
    """What an image at one place of the request must be. `at` may hold * for each item.

    `alpha_remark`: what is to be said of an image with an alpha channel that is not refused.
    """

    at: str
    accept: tuple[str, ...]
    warn: Mapping[str, Remark]
    formats_source: str
    side: SideBounds
    aspect: tuple[AspectAdvice, ...]
    max_bytes: int
    alpha_forbidden: tuple[str, ...]
    inline: bool
    inline_warn_above: int | None
    inline_source: str
    ascii_url: bool
    same_size_as: str | None
    source: str
    alpha_remark: Remark | None = None
    marks: Marks | None = None


@dataclass(frozen=True)
class Model:
    """One model. `endpoint` is relative to the API base; schemas are JSON Schema 2020-12.

    `prompt_key`: the key of a result that holds the prompt as it was sent.
    """

    name: str
    title: str
    title_zh: str
    description: str
    sources: Mapping[str, str]
    regions: tuple[str, ...]
    endpoint: str
    mode: str
    input_schema: Mapping[str, Any]
    parameters_schema: Mapping[str, Any]
    rules: tuple[Mapping[str, Any], ...]
    images: tuple[ImageRule, ...]
    limits: Limits
    price: Price
    notices: tuple[ModelNotice, ...]
    typical_seconds: float
    results_at: str
    result_format: str | None
    result_hosts: tuple[str, ...]
    prompt_key: str | None = None

    def source(self, short: str) -> str:
        """The title of the document with this short id."""
        return self.sources.get(short, short)


class Catalogue:
    """The models that are known, by name."""

    def __init__(self, models: tuple[Model, ...]) -> None:
        self._models = {model.name: model for model in models}

    def names(self) -> list[str]:
        return sorted(self._models)

    def models(self) -> list[Model]:
        """All of them, in the order of their names."""
        return [self._models[name] for name in self.names()]

    def get(self, name: str) -> Model | None:
        return self._models.get(name)


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
    return Catalogue(tuple(_read(file) for file in files))


def read_schema(path: Path) -> Plain:
    """The content of a YAML file of the repository. Raises CatalogueError."""
    try:
        return load_file(path)
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name} cannot be read: {error}") from None
    except TextUnreadable as error:
        first = error.problems[0]
        raise CatalogueError(f"{path.name}, line {first.line}: {first.message}") from None


def _read(path: Path) -> Model:
    root = _Node(read_schema(path), path.name)
    if root["name"].text() != path.stem:
        raise CatalogueError(f"{path.name} at /name: the name must equal the file's name")
    return _model(root)


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
        rules=tuple(rule.members() for rule in root["rules"].items()),
        images=tuple(_image_rule(rule, sources) for rule in root["images"].items()),
        limits=_limits(root["limits"]),
        price=_price(root["price"]),
        notices=tuple(_notice(notice, sources) for notice in root["notices"].items()),
        typical_seconds=root["typical_seconds"]["value"].number(),
        results_at=root["results"]["at"].text(),
        result_format=None if result_format.value is None else result_format.text(),
        result_hosts=root["result_hosts"]["hosts"].texts(),
        prompt_key=None if prompt_key is None else prompt_key.text(),
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
