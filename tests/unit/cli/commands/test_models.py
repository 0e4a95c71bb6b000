"""`wanx models`: what the catalogue knows."""

from __future__ import annotations

import json

import pytest

from cli import model_words as words
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Limits, PriceTier, RegionPrice
from tests.kit.jobfile import CATALOGUE, PAINTING
from tests.kit.wanx import run

MODELS = load_catalogue().names()


def test_all_models_are_shown_in_80_columns() -> None:
    every = run("models")
    assert all(name in every for name in MODELS)
    assert max(map(len, every.splitlines())) <= 80


def line(name: str) -> str:
    (found,) = [one for one in run("models").splitlines() if one.split()[:1] == [name]]
    return " ".join(found.split())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("z-image-turbo", "sync CNY 0.10–0.20 2/s, no limit at once"),
        ("qwen-image-2.0-pro", "sync CNY 0.50 2/min, no limit at once"),
        ("wanx2.1-imageedit", "async CNY 0.14 2/s, 2 at once"),
        (PAINTING, "async free trial 2/s, 1 at once"),
    ],
)
def test_a_line_shows_mode_price_and_limits(name: str, shown: str) -> None:
    assert line(name) == f"{name} {shown}"


def test_what_is_going_comes_last_with_its_successor() -> None:
    shown = run("models").splitlines()
    rows = [one.split()[0] for one in shown if one.split()[:1] and one.split()[0] in MODELS]
    assert rows[-1] == PAINTING
    assert "free trial only (2026-11-28): wanx2.1-imageedit" in shown[-3]


@pytest.mark.parametrize("name", MODELS)
def test_one_model_is_shown_with_all_its_fields(name: str) -> None:
    one = run("models", name)
    model = load_catalogue().get(name)
    assert model is not None
    assert all(key in one for key in model.input_schema["properties"])
    assert all(key in one for key in model.parameters_schema["properties"])
    assert max(map(len, one.splitlines())) <= 80
    assert json.loads(run("models", name, "--json"))["name"] == name


def test_details_name_every_tier_and_region() -> None:
    shown = " ".join(run("models", "qwen-image-3.0-pro").split())
    assert "CNY 0.25 (up to 2,250,000 pixels), 0.50 otherwise" in shown
    assert "0.02 for each image that is sent" in shown
    assert "in ap-southeast-1 CNY 0.299768" in shown
    assert "in us-east-1" not in shown, "prices are those of the first region there"


def test_programs_read_price_limits_mode_and_status() -> None:
    told = json.loads(run("models", PAINTING, "--json"))
    assert told["mode"] == "async"
    assert told["limits"]["concurrent"] == 1
    assert told["status"]["successor"] == "wanx2.1-imageedit"
    assert json.loads(run("models", "z-image-turbo", "--json"))["price"]["tiers"]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(5, 60, 10, 0), "5/min, 10 at once"),
        (Limits(2, 1, None, 0), "2/s, no limit at once"),
        (Limits(2, 2.5, 1, 0), "2 in 2.5 s, 1 at once"),
        (Limits(5, 1, 10, 0, "kling"), "5/s, 10 at once (shared by kling models)"),
    ],
)
def test_limits_in_few_words(limits: Limits, said: str) -> None:
    assert words.limits(limits) == said


def test_conditions_of_prices_in_words() -> None:
    def tier(**when: object) -> PriceTier:
        return PriceTier(0.1, None, ({"at": "/parameters/x", **when},))

    price = RegionPrice(0.3, 0, (tier(equals=False), tier(present=True)))
    assert words.tiers(price, "CNY") == "CNY 0.10 (x false), 0.10 (with x), 0.30 otherwise"
    assert words.money(0.003) == "0.003"


def test_a_model_that_is_going_is_never_proposed_first() -> None:
    assert CATALOGUE.offered()[-1].name == PAINTING
    listed = run("init", "nothing-like-it-at-all", code=2)
    assert listed.rstrip().endswith(f"{PAINTING}.")
    near = run("init", "wanx-x-paint", code=2)
    assert f"did you mean wanx2.1-imageedit, which replaces {PAINTING} (free trial only)?" in near
    assert "did you mean wanx-sketch-to-image-lite?" in run("init", "wanx-sketch", code=2)


def test_a_price_by_amount_and_one_that_is_not_exact_are_put_into_words() -> None:
    tiers = (PriceTier(0.15, after_images=25_000),)
    assert words.tiers(RegionPrice(0.3, 0, tiers), "CNY") == (
        "CNY 0.15 (above 25,000 images that the account has paid for), 0.30 otherwise"
    )
    price = {"currency": "CNY", "total": 0.003}
    assert words.paid(price) == "CNY 0.003"
    price |= {"at_most": True, "per_image_at_least": 0.15}
    assert words.paid(price) == "at most CNY 0.003 (from 0.15 an image)"
