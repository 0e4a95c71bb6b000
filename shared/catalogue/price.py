"""What images cost by the catalogue: one way of computing, before a job is sent and after.

A price may depend on the region, on a parameter, on the size of the output and on how many images
the account has paid for before, and there may be a price for each input image (Model Studio pricing
page). Images that failed are free. What is not known (the size where the model chooses it, and
always what the account has paid for before) leaves several prices: then the dearest one is taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.catalogue.conditions import default_of, holds
from shared.catalogue.models import Model, PriceTier
from shared.catalogue.plain import Plain
from shared.catalogue.pointers import find

LEVELS = {"1K": 1024 * 1024, "2K": 2048 * 2048, "4K": 4096 * 4096}
"""About how many pixels a level stands for (wan2.7 image API reference)."""
SIZE = re.compile(r"([1-9][0-9]{0,4})\*([1-9][0-9]{0,4})")
DIGITS = 4
"""Decimals of a total."""


@dataclass(frozen=True)
class Bill:
    """What one attempt, or several, are billed for: images by their price, and input images.

    `exact` is false where several prices were possible and the dearest one was taken; `least` is
    the lowest of them. `unknown`: how many of the images are of calls whose answers were lost, so
    that nobody knows whether they were made and billed; then it is not exact either.
    """

    images_at: tuple[tuple[float, int], ...] = ()
    input_images: int = 0
    exact: bool = True
    least: float | None = None
    unknown: int = 0

    @property
    def images(self) -> int:
        """All images together."""
        return sum(images for _, images in self.images_at)

    def plus(self, other: Bill) -> Bill:
        """Both together."""
        counted = Counter[float]()
        for price, images in (*self.images_at, *other.images_at):
            counted[price] += images
        inputs = self.input_images + other.input_images
        exact, unknown = self.exact and other.exact, self.unknown + other.unknown
        least = _lower(self.least, other.least)
        return Bill(tuple(sorted(counted.items())), inputs, exact, least, unknown)

    def times(self, number: int) -> Bill:
        """So many of it together, at least one."""
        return self if number < 2 else self.plus(self.times(number - 1))

    def lost(self) -> Bill:
        """The same as one of a call whose answer was lost: none of it is known to be billed."""
        return replace(self, exact=False, unknown=self.images)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a record; the inverse of `of`."""
        plain = {**vars(self), "images_at": [list(one) for one in self.images_at]}
        left_out = {"least": None, "unknown": 0}
        return {name: one for name, one in plain.items() if one != left_out.get(name, ...)}

    @staticmethod
    def of(stored: Mapping[str, Any]) -> Bill:
        """The inverse of `to_dict`. Raises KeyError, TypeError, ValueError."""
        lines = tuple((float(price), int(images)) for price, images in stored["images_at"])
        least = stored.get("least")
        return Bill(
            lines,
            int(stored["input_images"]),
            bool(stored["exact"]),
            None if least is None else float(least),
            int(stored.get("unknown", 0)),
        )


def bill(model: Model, region: str, request: Plain, areas: Iterable[int | None]) -> Bill:
    """What one attempt costs that makes images of these areas, in pixels (None: not known).

    `request` is in the flat form, with `input` and `parameters`. An attempt without images is
    free, and so are its input images.
    """
    counted, least = Counter[float](), None
    for area in areas:
        prices = _prices(model, region, request, area)
        counted[max(prices)] += 1
        if min(prices) < max(prices):
            least = _lower(least, min(prices))
    inputs = _input_images(model, request) if counted and _per_input(model, region) else 0
    return Bill(tuple(sorted(counted.items())), inputs, least is None, least)


def _lower(one: float | None, other: float | None) -> float | None:
    """The lower of what there is."""
    return min((price for price in (one, other) if price is not None), default=None)


def area_asked_for(model: Model, request: Plain) -> int | None:
    """Pixels of one image as the request's size has it; None where the model chooses, or may: what
    a rule says is ignored bounds no price."""
    if _is_ignored("/parameters/size", model, request):
        return None
    parameters = request.get("parameters") if isinstance(request, dict) else None
    given = parameters if isinstance(parameters, dict) else {}
    field = model.field("parameters", "size") or {}
    size = given["size"] if "size" in given else default_of(field, model, request)
    if not isinstance(size, str):
        return None
    sides = SIZE.fullmatch(size)
    return int(sides[1]) * int(sides[2]) if sides else LEVELS.get(size.upper())


def _is_ignored(at: str, model: Model, request: Plain) -> bool:
    ignoring = (rule for rule in model.rules if (rule["kind"], rule["at"]) == ("ignored_if", at))
    return any(holds(rule["when"], model, request) for rule in ignoring)


def areas_billed(
    count: int, told: int | None, stored: Sequence[int], asked: int | None
) -> list[int | None]:
    """The areas of the images that an attempt is billed for: what the service has `told`, else the
    images' own. Of an image that is not there, the area that was asked for is the best guess; where
    fewer are billed than there are, the largest are."""
    if told is not None:
        return [told] * count
    known: list[int | None] = [*sorted(stored, reverse=True)[:count]]
    return known + [asked] * (count - len(known))


def statement(model: Model, region: str, billed: Bill) -> dict[str, Any]:
    """A bill as manifests and answers show it (schemas/result.schema.yaml)."""
    price, each_input = model.price.in_region(region), _per_input(model, region)
    total = sum(each * images for each, images in billed.images_at)
    total += each_input * billed.input_images
    shown: dict[str, Any] = {
        "currency": model.price.currency,
        "per_image": max((each for each, _ in billed.images_at), default=price.per_image),
        "images": billed.images,
        "total": round(total, DIGITS),
        "checked": model.price.checked,
    }
    if each_input:
        shown |= {"per_input_image": each_input, "input_images": billed.input_images}
    if len(billed.images_at) > 1:
        lines = ({"per_image": each, "images": images} for each, images in billed.images_at)
        shown["items"] = list(lines)
    if not billed.exact:
        shown["at_most"] = True
    if billed.unknown:
        shown["lost_images"] = billed.unknown
    return shown if billed.least is None else {**shown, "per_image_at_least": billed.least}


def _prices(model: Model, region: str, request: Plain, area: int | None) -> list[float]:
    """The prices that may apply to one image; several where its area is not known, or where there
    is a price by amount."""
    price, possible = model.price.in_region(region), list[float]()
    for tier in price.tiers:
        if not holds(tier.when, model, request) or not _may_fit(tier, area):
            continue
        possible.append(tier.per_image)
        if tier.after_images is None and (area is not None or tier.area_at_most is None):
            return possible
    return [*possible, price.per_image]


def _may_fit(tier: PriceTier, area: int | None) -> bool:
    return area is None or tier.area_at_most is None or area <= tier.area_at_most


def _per_input(model: Model, region: str) -> float:
    return model.price.in_region(region).per_input_image


def _input_images(model: Model, request: Plain) -> int:
    """How many images a request names."""
    named = (value for rule in model.images for _, value in find(request, rule.at))
    return sum(isinstance(value, str) and value != "" for value in named)
