"""One way of computing prices, before a job is sent and after."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Model, Price, PriceTier, RegionPrice
from shared.catalogue.price import Bill, area_asked_for, areas_billed, bill, statement

BEIJING, SINGAPORE = "cn-beijing", "ap-southeast-1"
SMALL, LARGE = 1024 * 1024, 2048 * 2048
CHEAPER = (PriceTier(0.25, area_at_most=2_250_000),)
EXTENDED = ({"at": "/parameters/prompt_extend", "equals": False},)
"""The condition of a lower price."""


def model(price: Price, **properties: Any) -> Model:
    """A model with an image at /input/images, and parameters of the test's own."""
    found = load_catalogue().get("wan2.5-i2i-preview")
    assert found is not None
    return replace(found, price=price, parameters_schema={"properties": properties})


def price(per_image: float = 0.5, **parts: Any) -> Price:
    usual: dict[str, Any] = {"by_region": {}, "free_images": 0, "payable": True}
    return Price("CNY", per_image, checked="2026-10-12", **{**usual, **parts})


TIERED = model(price(tiers=CHEAPER, per_input_image=0.02))


def request(images: int = 0, **parameters: Any) -> dict[str, Any]:
    urls = [f"https://h/{number}.png" for number in range(images)]
    return {"input": {"prompt": "a cat", "images": urls}, "parameters": parameters}


def total(entry: Model, areas: list[int | None], asked: Any = None, region: str = BEIJING) -> Any:
    return statement(entry, region, bill(entry, region, asked or request(), areas))


def test_one_price_is_shown_as_it_always_was() -> None:
    shown = total(model(price(0.2)), [SMALL, None])
    assert shown == {
        "currency": "CNY",
        "per_image": 0.2,
        "images": 2,
        "total": 0.4,
        "checked": "2026-10-12",
    }


@pytest.mark.parametrize(
    ("areas", "costs", "dearest"),
    [
        ([SMALL], 0.25, 0.25),
        ([2_250_000], 0.25, 0.25),
        ([2_250_001], 0.5, 0.5),
        ([SMALL, LARGE, LARGE], 1.25, 0.5),
    ],
)
def test_the_area_of_the_output_decides(
    areas: list[int | None], costs: float, dearest: float
) -> None:
    shown = total(TIERED, areas)
    assert (shown["total"], shown["per_image"]) == (costs, dearest)
    assert "at_most" not in shown


def test_images_at_several_prices_are_listed() -> None:
    shown = total(TIERED, [LARGE, SMALL, SMALL])
    assert shown["items"] == [{"per_image": 0.25, "images": 2}, {"per_image": 0.5, "images": 1}]
    assert "items" not in total(TIERED, [SMALL, SMALL])


def test_an_unknown_area_costs_the_dearest_and_says_so() -> None:
    shown = total(TIERED, [None, SMALL])
    assert (shown["total"], shown["at_most"]) == (0.75, True)
    same = model(price(0.25, tiers=CHEAPER))
    assert "at_most" not in total(same, [None]), "whatever the area is, the price is the same"


@pytest.mark.parametrize(
    ("parameters", "each"),
    [({"prompt_extend": True}, 0.2), ({"prompt_extend": False}, 0.1), ({}, 0.1)],
)
def test_a_parameter_decides_and_its_default_does(parameters: Any, each: float) -> None:
    tiers = (PriceTier(0.1, when=EXTENDED),)
    entry = model(price(0.2, tiers=tiers), prompt_extend={"type": "boolean", "default": False})
    assert total(entry, [None], request(**parameters))["total"] == each


def test_the_first_tier_that_fits_counts() -> None:
    tiers = (PriceTier(0.3, area_at_most=SMALL), PriceTier(0.1, area_at_most=LARGE))
    entry = model(price(0.5, tiers=tiers))
    assert [total(entry, [area])["total"] for area in (SMALL, SMALL + 1, LARGE + 1)] == [
        0.3,
        0.1,
        0.5,
    ]
    assert total(entry, [None])["total"] == 0.5


def test_input_images_are_paid_once_an_attempt_that_made_something() -> None:
    shown = total(TIERED, [SMALL, SMALL], request(images=3))
    assert (shown["input_images"], shown["per_input_image"], shown["total"]) == (3, 0.02, 0.56)
    assert total(TIERED, [], request(images=3))["total"] == 0


def test_a_region_has_prices_of_its_own() -> None:
    there = RegionPrice(0.562065, 0, (PriceTier(0.299768, 2_250_000),), 0.022483)
    entry = model(price(tiers=CHEAPER, per_input_image=0.02, by_region={SINGAPORE: there}))
    shown = total(entry, [SMALL], request(images=1), SINGAPORE)
    assert (shown["per_image"], shown["total"]) == (0.299768, 0.3223)


@pytest.mark.parametrize(
    ("size", "area"),
    [
        ("1024*768", 1024 * 768),
        ("1K", SMALL),
        ("2k", LARGE),
        ("4K", 4096 * 4096),
        ("auto", None),
        (None, None),
        (7, None),
        ("1024*768*2", None),
    ],
)
def test_the_area_that_is_asked_for(size: Any, area: int | None) -> None:
    assert area_asked_for(TIERED, request(size=size)) == area


def test_a_size_that_may_be_ignored_bounds_no_price() -> None:
    pro = load_catalogue().get("qwen-image-3.0-pro")
    assert pro is not None
    assert area_asked_for(pro, request(size="1024*1024")) == SMALL
    edited = request(1, size="1024*1024")
    before: list[int | None] = [area_asked_for(pro, edited)]
    after: list[int | None] = [LARGE]
    said = total(pro, before, edited)
    assert (said["total"], said["at_most"]) == (0.52, True)
    assert said["total"] >= total(pro, after, edited)["total"]


def test_a_size_that_is_left_out_is_its_default() -> None:
    entry = model(price(), size={"type": "string", "default": "2K"})
    assert area_asked_for(entry, request()) == LARGE
    assert area_asked_for(TIERED, request()) is None


@pytest.mark.parametrize(
    ("count", "told", "stored", "areas"),
    [
        (2, 9, [4, 4], [9, 9]),
        (2, None, [4, 6], [6, 4]),
        (1, None, [4, 6], [6]),
        (3, None, [4], [4, 7, 7]),
        (0, 9, [4], []),
    ],
)
def test_the_areas_that_are_billed(
    count: int, told: int | None, stored: list[int], areas: list[int]
) -> None:
    assert areas_billed(count, told, stored, 7) == areas


def test_bills_add_up() -> None:
    one, two = Bill(((0.25, 1), (0.5, 1)), 3), Bill(((0.25, 2),), 3, exact=False)
    assert one.plus(two) == Bill(((0.25, 3), (0.5, 1)), 6, exact=False)
    assert one.plus(two).images == 4
    assert Bill.of(one.to_dict()) == one


FALLING = (PriceTier(0.15, after_images=25_000),)
"""A price that falls with what the account has paid for before."""


def test_a_price_by_amount_is_the_dearest_at_most_and_names_the_lowest() -> None:
    shown = total(model(price(0.3, tiers=FALLING)), [SMALL, None])
    assert (shown["total"], shown["at_most"], shown["per_image_at_least"]) == (0.6, True, 0.15)
    assert "per_image_at_least" not in total(TIERED, [SMALL]), "this price is known"


def test_a_price_by_amount_goes_with_other_tiers() -> None:
    tiers = (PriceTier(0.1, SMALL, after_images=25_000), PriceTier(0.2, SMALL), *FALLING)
    entry = model(price(0.3, tiers=tiers))
    assert bill(entry, BEIJING, request(), [SMALL]) == Bill(((0.2, 1),), 0, False, 0.1)
    assert bill(entry, BEIJING, request(), [LARGE]) == Bill(((0.3, 1),), 0, False, 0.15)


def test_a_bill_by_amount_adds_up_and_is_stored() -> None:
    entry = model(price(0.3, tiers=FALLING))
    once = bill(entry, BEIJING, request(), [SMALL])
    both = once.plus(Bill(((0.1, 1),)))
    assert both == Bill(((0.1, 1), (0.3, 1)), 0, False, 0.15)
    assert [Bill.of(one.to_dict()) for one in (both, Bill())] == [both, Bill()]
