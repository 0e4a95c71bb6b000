"""The model catalogue: everything the code knows of a model.

Models are read from the files in `schemas/models/`; adding one needs no change here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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


_STATES = {
    "superseded": ("superseded", "已有替代模型"),
    "trial_only": ("this model is a free trial only", "该模型仅供免费体验"),
    "deprecated": ("this model is going to be retired", "该模型即将下线"),
    "retired": ("this model is retired", "该模型已下线"),
}


@dataclass(frozen=True)
class Status:
    """That a model is going, or gone: `state` is superseded, trial_only, deprecated or retired,
    since the day `since` (YYYY-MM-DD). `successor` is a model's name; `conversion` says how jobs
    get there."""

    state: str
    since: str
    reason: str
    reason_zh: str
    successor: str | None
    conversion: Mapping[str, Any]
    source: str = "model catalogue"

    @property
    def notice(self) -> ModelNotice:
        """What becomes of the model, and what to use instead."""
        en, zh = _STATES[self.state]
        cure = cure_zh = ""
        if self.successor:
            cure = f"; use {self.successor} instead"
            cure_zh = f"；请改用 {self.successor}"
        if self.successor and self.conversion:
            command = f"wanx convert FILE --to {self.successor}"
            cure, cure_zh = f"{cure}: {command}", f"{cure_zh}：{command}"
        return ModelNotice(
            f"{en} ({self.since}): {self.reason}{cure}",
            f"{zh}（{self.since}）：{self.reason_zh}{cure_zh}",
            self.source,
        )

    @property
    def is_retired(self) -> bool:
        """Whether the service takes no more jobs."""
        return self.state == "retired"

    @property
    def is_going(self) -> bool:
        """Whether nobody should begin with the model."""
        return self.state != "superseded"


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
    status: Status | None = None

    @property
    def is_going(self) -> bool:
        """Whether nobody should begin with it: free trial only, deprecated or retired."""
        return self.status is not None and self.status.is_going

    @property
    def remarks(self) -> tuple[ModelNotice, ...]:
        """What its users should know: what becomes of it, and its notices."""
        if self.status is None or not self.is_going:
            return self.notices
        return (self.status.notice, *self.notices)

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

    def offered(self) -> list[str]:
        """The names, those of models that are going last."""
        return sorted(self._models, key=lambda name: (self._models[name].is_going, name))

    def get(self, name: str) -> Model | None:
        return self._models.get(name)
