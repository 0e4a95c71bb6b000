"""What the jobs of checked files cost at most, said before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli import model_words as words
from cli.output import counted, say
from cli.trouble import Trouble
from shared.catalogue.errors import load_errors
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.price import DIGITS
from shared.catalogue.retry_policy import load_retry_policy
from shared.catalogue.rules import Rules
from shared.jobfile import JobSpec
from shared.jobs.billing import price_at_most
from shared.platform.settings import SettingsError, model_region

MOST_SHOWN = 20
"""Jobs of a file whose price has a line of its own; all count in the sum."""


@dataclass(frozen=True)
class JobPrice:
    """What one job costs at most: `price` has the form of a result's.

    `document` is its number in the file, from 1; `free_images`: what the account has free of
    charge once; `payable`: whether anything can be bought after that.
    """

    document: int
    model: str
    price: Mapping[str, Any]
    free_images: int
    payable: bool

    def to_dict(self) -> dict[str, Any]:
        """As `wanx check --format json` shows it."""
        shown = {**vars(self), "price_at_most": self.price}
        del shown["price"]
        return shown


def rules_of(environ: Mapping[str, str]) -> Rules:
    """The catalogue with the prices of the settings' region. Raises Trouble."""
    try:
        region = model_region(environ)
    except SettingsError as error:
        raise Trouble(str(error)) from None
    return Rules(load_catalogue(), load_errors(), load_retry_policy(), region)


def price_of(rules: Rules, document: int, spec: JobSpec) -> JobPrice | None:
    """What a job that is in order costs at most; None where the model has no price here."""
    model, price = rules.model(spec.model), price_at_most(rules, spec)
    if model is None or price is None:
        return None
    free = model.price.in_region(rules.region).free_images
    return JobPrice(document, model.name, price, free, model.price.payable)


def in_all(prices: Sequence[JobPrice]) -> list[dict[str, Any]]:
    """The sum, for each currency there is."""
    totals = defaultdict[str, float](float)
    for one in prices:
        totals[one.price["currency"]] += _exact(one.price)
    return [{"currency": name, "total": round(totals[name], DIGITS)} for name in sorted(totals)]


def _exact(price: Mapping[str, Any]) -> float:
    """The total before it was rounded: many rounded ones add up to another sum."""
    total = sum(one["per_image"] * one["images"] for one in price.get("items", (price,)))
    return float(total + price.get("per_input_image", 0.0) * price.get("input_images", 0))


def say_prices(files: Sequence[tuple[str, Sequence[JobPrice]]]) -> None:
    """A line for each job, the sum, and what else is to be known of it."""
    every = [one for _, prices in files for one in prices]
    if not every:
        return
    for file, prices in files:
        for one in prices[:MOST_SHOWN]:
            price = _in_words(one)
            price = f"job {one.document}, {price}" if len(prices) > 1 else price
            say(f"{file}: price: {price}", indent="    ")
        if more := len(prices[MOST_SHOWN:]):
            say(f"{file}: price: {counted(more, 'job')} more")
    total = " and ".join(f"{one['currency']} {words.money(one['total'])}" for one in in_all(every))
    say(f"At most {total} for {counted(len(every), 'job')}; images that fail are free.")
    for note in sorted(set(_notes(every))):
        say(note, indent="    ")


def _in_words(one: JobPrice) -> str:
    lost = one.price.get("lost_images", 0)
    images = counted(one.price["images"] - lost, "image")
    if not one.payable:
        return f"{images} of the free trial"
    if sent := one.price.get("input_images"):
        images = f"{images} and {sent} sent"
    said = f"{words.at_most(one.price)} for {images}"
    return f"{said}, {lost} of lost calls (on_unknown: resend)" if lost else said


def _notes(prices: Sequence[JobPrice]) -> Iterator[str]:
    """What may lower a price, or keep a job from being done."""
    for one in prices:
        if not one.payable:
            yield f"{one.model}: free trial of {one.free_images} images, and nothing can be bought."
        elif one.free_images:
            yield f"{one.model}: the account's first {one.free_images} images are free."
