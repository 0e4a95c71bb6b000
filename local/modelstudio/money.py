"""What a model's images cost, as its row in models/ says. CNY, Beijing."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from local.modelstudio.rules import ModelRules, Row, holds

TIER_PIXELS = 2_250_000  # the pricing page: up to here an image counts as 1K, above as 2K


def bill(model: ModelRules, facts: Row, outputs: Iterable[tuple[int, int]], inputs: int) -> Decimal:
    """The price of the good images (their sizes), with that of `inputs` where there are any."""
    price = model.row["price"]
    images = [_per_image(price, facts, wide * high) for wide, high in outputs]
    if not images:
        return Decimal(0)  # what failed is free, its input images too
    return sum(images, Decimal(price.get("per_input_image", "0")) * inputs)


def _per_image(price: Row, facts: Row, pixels: int) -> Decimal:
    for tier in price.get("tiers", ()):
        if pixels <= tier.get("pixels_at_most", pixels) and holds(tier.get("when", {}), facts):
            return Decimal(tier["per_image"])
    return Decimal(price["per_image"])


def tier(size: tuple[int, int], side: str) -> str:
    """The name usage has for the price tier of an image; `side` is output or input."""
    wide, high = size
    return f"qima_{side}_{'1k' if wide * high <= TIER_PIXELS else '2k'}"


def amount(money: Decimal) -> Any:
    """As a JSON number."""
    return float(money)
