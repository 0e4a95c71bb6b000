"""The model catalogue: everything the code knows of a model.

Models are read from the files in `schemas/models/`; adding one needs no change here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.catalogue.index import Entry, Index, index_of
from shared.catalogue.status import ModelNotice, Status

FLAT, MESSAGES = "flat", "messages"
"""Forms of a request's body."""
ASYNC, SYNC = "async", "sync"
"""Ways of speaking to a model."""
USUAL_USAGE = "/usage/image_count"


LANES = 16
"""Tasks at once that are planned with where the service names no bound."""


@dataclass(frozen=True)
class Limits:
    """Limits of one main account: submissions in `per_seconds` seconds, tasks processed at once
    (None: the service names no bound), and further tasks that may wait in the service's own queue.

    `pool`: models of the same pool share `concurrent`.
    """

    submissions: int
    per_seconds: float
    concurrent: int | None
    queue_ahead: int
    pool: str | None = None

    @property
    def lanes(self) -> int:
        """Tasks at once to plan with."""
        return LANES if self.concurrent is None else self.concurrent


Condition = Mapping[str, Any]
"""When something is so: `at` (a pointer to a field of the request) with one of `equals`, `in` and
`present`; see `shared.catalogue.conditions`."""


@dataclass(frozen=True)
class Setting:
    """A value that a request gets at the pointer `at`, where all of `when` hold for it as it was
    written. Later settings go before earlier ones."""

    at: str
    value: Any
    when: tuple[Condition, ...]


def settings_of(said: Iterable[Mapping[str, Any]]) -> tuple[Setting, ...]:
    """Settings as a model file declares them."""
    return tuple(Setting(one["at"], one["value"], _all_of(one.get("when", ()))) for one in said)


def _all_of(when: Any) -> tuple[Condition, ...]:
    return (when,) if isinstance(when, Mapping) else tuple(when)


@dataclass(frozen=True)
class PriceTier:
    """A price of one image, where the output has at most so many pixels and `when` holds.

    `after_images`: how many images of the model the account must have paid for before.
    """

    per_image: float
    area_at_most: int | None = None
    when: tuple[Condition, ...] = ()
    after_images: int | None = None


@dataclass(frozen=True)
class RegionPrice:
    """What is paid in one region: `per_image` for a successful image that no tier fits (the dearest
    price), of `tiers` the first that fits, and `per_input_image` for each image sent.

    `free_images`: images free of charge.
    """

    per_image: float
    free_images: int
    tiers: tuple[PriceTier, ...] = ()
    per_input_image: float = 0.0


@dataclass(frozen=True)
class Price:
    """Prices as they were read on the day `checked` (YYYY-MM-DD), by region where they differ.

    `billed_without_images`: a task that succeeded without any image is paid for as one with one
    image. The other fields are those of `RegionPrice`.
    """

    currency: str
    per_image: float
    free_images: int
    payable: bool
    checked: str
    by_region: Mapping[str, RegionPrice]
    tiers: tuple[PriceTier, ...] = ()
    per_input_image: float = 0.0
    billed_without_images: bool = False

    def in_region(self, region: str) -> RegionPrice:
        usual = RegionPrice(self.per_image, self.free_images, self.tiers, self.per_input_image)
        return self.by_region.get(region) or usual


@dataclass(frozen=True)
class ImageNumber:
    """The field of a request that says how many images it makes, where `when` holds; `fewer`: the
    service may make less, so that one which is not there has not failed."""

    at: str
    when: tuple[Condition, ...] = ()
    fewer: bool = False


@dataclass(frozen=True)
class MessagesForm:
    """How a flat request becomes the one message that the service takes: the keys of input that
    become its text and its images, and those that the service wants under `parameters`."""

    text: str
    images: str | None
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """When a part of the file was last read, YYYY-MM-DD, and the title of the document."""

    checked: str
    source: str


@dataclass(frozen=True)
class Remark:
    """A sentence for the user, and the title of the document that says so."""

    text: str
    source: str


@dataclass(frozen=True)
class SideBounds:
    """Bounds of width and height in pixels; `exclusive` refuses the bounds themselves. `advised`:
    the service takes other images as well, so what is outside is a notice. `largest` None: no
    bound is known. `shorter`: the most that the shorter side may have."""

    smallest: int
    largest: int | None
    exclusive: bool
    source: str
    advised: bool = False
    shorter: int | None = None

    def allow(self, width: int, height: int) -> bool:
        """Whether an image of that size lies within."""
        low, high = min(width, height), max(width, height)
        if self.largest is None:
            return True
        if self.exclusive:
            return self.smallest < low and high < self.largest
        shorter = self.largest if self.shorter is None else self.shorter
        return self.smallest <= low <= shorter and high <= self.largest

    def words(self) -> str:
        """The bounds, to go before "pixels"."""
        if self.largest is None:
            return "of any number of"
        if self.exclusive:
            return f"above {self.smallest} and below {self.largest}"
        bounds = f"from {self.smallest} to {self.largest}"
        if self.smallest == 1:
            bounds = f"of at most {self.largest}"
        return bounds if self.shorter is None else f"{bounds} (the shorter one to {self.shorter})"


@dataclass(frozen=True)
class AspectAdvice:
    """Bounds of longer over shorter side, and the reason that is given where they are exceeded: in
    a notice, or where the document forbids it (`refused`), in a violation."""

    smallest: float | None
    largest: float | None
    below: float | None
    reason: str
    source: str
    refused: bool = False

    def allows(self, width: int, height: int) -> bool:
        """Whether an image of this size lies within the bounds."""
        longer, shorter = max(width, height), min(width, height)
        return (
            (self.smallest is None or longer >= self.smallest * shorter)
            and (self.largest is None or longer <= self.largest * shorter)
            and (self.below is None or longer < self.below * shorter)
        )


@dataclass(frozen=True)
class Marks:
    """What the pixels of an image mark: a region or lines, by `colour` (white or black) unless the
    job lists colours at `colours`; nothing if it says true at `unless`. Pointers."""

    what: str
    colour: str
    colours: str | None
    unless: str | None
    source: str


@dataclass(frozen=True)
class ImageRule:
    """What an image at one place of the request must be. `at` may hold * for each item.

    `alpha_remark`: what is to be said of an image with an alpha channel that is not refused.
    `rgba`: it must have four channels, RGBA.
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
    min_bytes: int = 1
    rgba: bool = False


@dataclass(frozen=True)
class Model:
    """One model. `endpoint` is relative to the API base; schemas are JSON Schema 2020-12 and, like
    all pointers into the request, about the flat form.

    `mode` is async or sync, `body` flat or messages; `messages` says how those are made and read.
    `ids`: the id that the service knows, by region, where it is not the name. `results_at`,
    `texts_at`, `usage_at` (the first that is there counts the billed images) and `area_at` (width
    and height of the outputs) point into an answer. `number`: which field says how many images are
    made, the first that fits, or else the parameter n. `result_hosts`: empty for any public https
    host. `prompt_key`: the key of a result that holds the prompt as it was sent. `region_limits`:
    where they differ. `snapshot_of`: the model whose fixed version it is. `guidance`: which of many
    to take. `tasks`: which of tasks.yaml it does, with the values of fields that do it. `file`: the
    name of its file. `readings`: of its price, limits and lifecycle. `implied`: what a form of
    request without a name for such a field means.
    """

    name: str
    file: str
    title: str
    title_zh: str
    description: str
    guidance: str
    guidance_zh: str
    tasks: Mapping[str, Mapping[str, Any]]
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
    readings: Mapping[str, Reading]
    notices: tuple[ModelNotice, ...]
    typical_seconds: float
    results_at: str
    result_format: str | None
    result_hosts: tuple[str, ...]
    prompt_key: str | None = None
    body: str = FLAT
    messages: MessagesForm | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    texts_at: str | None = None
    usage_at: tuple[str, ...] = (USUAL_USAGE,)
    area_at: tuple[str, str] | None = None
    number: tuple[ImageNumber, ...] = ()
    region_limits: Mapping[str, Limits] = field(default_factory=dict)
    status: Status | None = None
    snapshot_of: str | None = None
    implied: tuple[Setting, ...] = ()

    @property
    def is_going(self) -> bool:
        """Whether nobody should begin with it: free trial only, deprecated or retired."""
        return self.status is not None and self.status.is_going

    def source(self, short: str) -> str:
        """The title of the document with this short id."""
        return self.sources.get(short, short)

    def field(self, section: str, name: str) -> Mapping[str, Any] | None:
        """What is said of a field of `input` or `parameters`; None if there is no such field."""
        schema = self.input_schema if section == "input" else self.parameters_schema
        found: Mapping[str, Any] | None = schema["properties"].get(name)
        return found

    def remarks(self) -> tuple[ModelNotice, ...]:
        """All that every user should know: what becomes of it, and its notices."""
        if self.status is None or not self.status.is_going:
            return self.notices
        return (self.status.notice(), *self.notices)

    def id_in(self, region: str) -> str:
        """The id under which the service knows the model there."""
        return self.ids.get(region, self.name)

    def in_region(self, region: str) -> Model:
        """The same model with the limits of a region."""
        limits = self.region_limits.get(region)
        return self if limits is None else replace(self, limits=limits)


class Catalogue:
    """The models that are known, by name; with `read` each is made when it is asked for."""

    def __init__(
        self,
        models: tuple[Model, ...] = (),
        index: Index | None = None,
        read: Callable[[str], Model | None] | None = None,
    ) -> None:
        """Raises CatalogueError if two models have the same name."""
        self._models = {model.name: model for model in models}
        self._index = index or index_of(map(entry_of, models))
        self._read = read

    def names(self) -> list[str]:
        return list(self._index.files)

    def models(self) -> list[Model]:
        """All of them, in the order of their names."""
        return [model for name in self._index.files if (model := self.get(name))]

    def offered(self) -> list[Model]:
        """All of them, those that are going last: the order in which they are proposed."""
        return sorted(self.models(), key=lambda model: (model.is_going, model.name))

    def main(self, model: Model) -> Model:
        """The model whose fixed version it is, or else the model itself."""
        return self.get(model.snapshot_of or "") or model

    def snapshots(self, main: Model) -> list[Model]:
        """The fixed versions of a model, in the order of their names."""
        return [one for one in self.models() if one.snapshot_of == main.name]

    def get(self, name: str) -> Model | None:
        """Raises CatalogueError if the model's file is broken."""
        if name not in self._models and name in self._index.files and self._read:
            model = self._read(name)
            return model and self._models.setdefault(name, model)
        return self._models.get(name)

    def called(self) -> list[str]:
        """The names of the synchronous models."""
        return list(self._index.modes.get(SYNC, ()))

    def at_path(self, path: str) -> list[str]:
        """The names of the models whose endpoint this is."""
        return list(self._index.paths.get(path, ()))

    def mates(self, name: str) -> tuple[str, ...]:
        """The models that share the tasks processed at once with this one, which is among them."""
        pools = self._index.pools.values()
        return next((tuple(mates) for mates in pools if name in mates), (name,))

    def in_region(self, region: str) -> Catalogue:
        """The same models with the limits of a region."""

        def read(name: str) -> Model | None:
            model = self.get(name)
            return model and model.in_region(region)

        return Catalogue(index=self._index, read=read)


def entry_of(model: Model, file: str = "") -> Entry:
    """What an index knows of a model that is described in this file."""
    path = model.endpoint.rstrip("/")
    return Entry(model.name, file, model.mode, path, model.limits.pool)
