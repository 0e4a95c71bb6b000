"""Prices, limits and the future of a model in few words."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from cli.language import glue, is_chinese, tell
from shared.catalogue.models import Catalogue, Limits, Model, PriceTier, RegionPrice

UNITS = {1: "s", 60: "min", 3600: "h"}
MODES = {
    "async": "async: the service makes a task, which is polled",
    "sync": "sync: the service answers with the images; what is lost cannot be looked up",
}
STATES = {
    "superseded": "another does the same and more",
    "trial_only": "free trial only",
    "deprecated": "going to be retired",
    "retired": "retired",
}


def money(amount: float) -> str:
    """An amount with two decimals, or with as many as it has."""
    return f"{amount:.2f}" if round(amount, 2) == amount else f"{amount:g}"


def paid(price: Mapping[str, Any]) -> str:
    """What a manifest or an answer says of the price of a job."""
    return at_most(price) if price.get("at_most") else _total(price)


def at_most(price: Mapping[str, Any]) -> str:
    """The price of a job before it is done, or where it is not known; with what lower price is
    possible."""
    least, most = price.get("per_image_at_least"), f"at most {_total(price)}"
    return most if least is None else f"{most} (from {money(least)} an image)"


def _total(price: Mapping[str, Any]) -> str:
    return f"{price['currency']} {money(price['total'])}"


def price_range(price: RegionPrice) -> str:
    """From the cheapest to the dearest tier: `0.10–0.20`."""
    every = [price.per_image, *(tier.per_image for tier in price.tiers)]
    low, high = money(min(every)), money(max(every))
    return low if low == high else f"{low}\N{EN DASH}{high}"


def price(model: Model, region: str = "") -> str:
    """What an image costs there; without a region, where nothing else is said."""
    if not model.price.payable:
        return tell("free trial")
    return f"{model.price.currency} {price_range(model.price.in_region(region))}"


def tiers(shown: RegionPrice, currency: str) -> str:
    """Every price and when it is that one, in the order in which they are looked at."""
    parts = [f"{money(tier.per_image)} {_when(tier)}" for tier in shown.tiers]
    usual = money(shown.per_image)
    parts.append(tell(f"{usual} otherwise") if parts else usual)
    if shown.per_input_image:
        parts.append(tell(f"and {money(shown.per_input_image)} for each image that is sent"))
    return f"{currency} {glue(', ').join(parts)}"


def _when(tier: PriceTier) -> str:
    conditions = [_condition(one) for one in tier.when]
    if tier.area_at_most is not None:
        conditions.append(tell(f"up to {tier.area_at_most:,} pixels"))
    if tier.after_images is not None:
        many = f"{tier.after_images:,}"
        conditions.append(tell(f"above {many} images that the account has paid for"))
    return f"({glue(', ').join(conditions)})"


def _condition(one: Mapping[str, Any]) -> str:
    name = str(one["at"]).rpartition("/")[2]
    if "present" in one:
        return tell(f"with {name}" if one["present"] else f"without {name}")
    values = one["in"] if "in" in one else [one["equals"]]
    return f"{name} {glue(' or ').join(_value(value) for value in values)}"


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def limits(shown: Limits) -> str:
    """`2/min, no limit at once`."""
    span = shown.per_seconds
    rate = f"{shown.submissions}/{UNITS[int(span)]}" if span in UNITS else ""
    rate = rate or tell(f"{shown.submissions} in {span:g} s")
    many = tell(f"{shown.concurrent} at once" if shown.concurrent else "no limit at once")
    shared = tell(f"(shared by {shown.pool} models)") if shown.pool else ""
    return f"{rate}{glue(', ')}{many}{glue(' ') if shared else ''}{shared}"


def status(model: Model) -> str | None:
    """What becomes of a model, since when, and what to use instead; None if it has a future."""
    if model.status is None:
        return None
    state, day = tell(STATES[model.status.state]), model.status.since
    since, successor = in_words(f"{state} ({day})", f"{state}（{day}）"), model.status.successor
    return f"{since}{in_words(': ', '：')}{successor}" if successor else since


def of_regions(model: Model) -> Iterator[tuple[str, str]]:
    """What is otherwise in single regions: the region, and the id, price and limits there."""
    usual = tiers(model.price.in_region(model.regions[0]), model.price.currency)
    for region in model.regions:
        cost = tiers(model.price.in_region(region), model.price.currency)
        said = [tell(f"known as {model.ids[region]}")] if region in model.ids else []
        if cost != usual:
            said.append(cost)
        if region in model.region_limits:
            said.append(limits(model.region_limits[region]))
        if said:
            yield region, glue("; ").join(said)


def versions(model: Model, catalogue: Catalogue) -> str | None:
    """The names of its fixed versions; None if there are none."""
    return glue(", ").join(one.name for one in catalogue.snapshots(model)) or None


def read(model: Model, part: str) -> str:
    """When a part of its file was last read."""
    return tell(f"(read on {model.readings[part].checked})")


def choices(field: Mapping[str, Any]) -> str:
    """The values of an enumeration, each with what it means if the model's file says so."""
    titles, language = field.get("x-titles", {}), "zh" if is_chinese(os.environ) else "en"
    told = {str(value): titles.get(str(value), {}).get(language, "") for value in field["enum"]}
    named = (f"{value} ({title})" if title else value for value, title in told.items())
    return glue(", ").join(named)


def in_words(en: str, zh: str) -> str:
    """What a model's file says in both languages, in that of the reader."""
    return zh if is_chinese(os.environ) else en
