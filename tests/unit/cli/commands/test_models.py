"""`wanx models`: what the catalogue knows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from cli import model_words as words
from cli.commands import models as command
from cli.commands import stale_readings
from shared.catalogue.groups import GROUPS
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue, Limits, Model, PriceTier, Reading, RegionPrice
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


def test_a_model_that_takes_no_images_has_no_word_of_them() -> None:
    assert "\nimages\n" not in run("models", "qwen-image-plus")
    assert "\nimages\n" in run("models", "qwen-image-3.0")


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


def test_models_are_listed_by_what_goes_in() -> None:
    shown = run("models").splitlines()
    heads = [one for one in shown if one in [group.en for group in GROUPS]]
    assert heads == [group.en for group in GROUPS]

    def group(name: str) -> str:
        before = shown[: [one.split(" ")[0] for one in shown].index(name)]
        return next(one for one in reversed(before) if one in heads)

    assert group("wan2.5-i2i-preview") == "Change pictures"
    assert group("qwen-image-3.0") == "From words, with or without pictures"
    assert group("z-image-turbo") == "From words"
    assert group(PAINTING) == "Trial only or retired"


def test_which_to_take_is_said_in_two_lines() -> None:
    shown = run("models").splitlines()
    (at,) = [n for n, one in enumerate(shown) if one.startswith("z-image-turbo")]
    model = known("z-image-turbo")
    assert " ".join(one.strip() for one in shown[at + 1 : at + 3]) == model.guidance
    assert model.guidance in " ".join(run("models", "z-image-turbo").split())
    told = json.loads(run("models", "z-image-turbo", "--json"))
    assert told["guidance"] == {"en": model.guidance, "zh": model.guidance_zh}


def known(name: str) -> Model:
    model = CATALOGUE.get(name)
    assert model is not None
    return model


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> None:
    main = known("z-image-turbo")
    fixed = [f"{main.name}-2026-0{month}-01" for month in (1, 2, 3)]
    more = [replace(main, name=name, snapshot_of=main.name) for name in fixed]
    made = Catalogue((*CATALOGUE.models(), *more))
    monkeypatch.setattr(command, "load_catalogue", lambda: made)


def test_fixed_versions_are_a_line_of_their_model(versions: None) -> None:
    shown = run("models").splitlines()
    assert [one.split()[0] for one in shown if one.startswith("z-image")] == ["z-image-turbo"]
    names = "z-image-turbo-2026-01-01, z-image-turbo-2026-02-01, z-image-turbo-2026-03-01"
    assert f"versions: {names}" in " ".join(" ".join(shown).split())
    assert f"versions {names}" in " ".join(run("models", "z-image-turbo").split())


def test_a_version_and_programs_name_the_model_of_it(versions: None) -> None:
    shown = " ".join(run("models", "z-image-turbo-2026-02-01").split())
    assert "version of z-image-turbo" in shown
    told = {one["name"]: one["snapshot_of"] for one in json.loads(run("models", "--json"))}
    assert told["z-image-turbo-2026-02-01"] == "z-image-turbo"
    assert told["z-image-turbo"] is None


def test_details_say_when_and_where_each_part_was_read() -> None:
    shown = " ".join(run("models", "wan2.5-i2i-preview").split())
    assert "lifecycle no end known (read on 2026-11-28)" in shown
    assert "5/s, 5 at once (read on 2026-11-20)" in shown
    assert "images are free (read on 2026-11-20)" in shown
    assert "limits Model Studio rate limit page" in shown


NOON = 1_795_867_200.0
"""2026-11-28T12:00:00Z"""


def stale(bound: str, capsys: pytest.CaptureFixture[str], now: float) -> tuple[int, str]:
    code = stale_readings.run(None, bound, False, now)
    return code, capsys.readouterr().out


def test_what_was_read_long_ago_is_listed_by_file(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = stale("7d", capsys, NOON)
    assert code == 1
    assert shown.splitlines()[:3] == [
        "wan2.5-i2i-preview.yaml",
        "  limits     2026-11-20       8 d  Model Studio rate limit page",
        "  price      2026-11-20       8 d  Model Studio pricing page",
    ]
    assert "qwen" not in shown, "what is younger is left out"
    assert "lifecycle" not in shown, "and so are younger parts of the same file"
    assert shown.splitlines()[-1].startswith("3 of ")


def test_nothing_that_is_old_is_said_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = stale("90d", capsys, NOON)
    assert code == 0
    assert "was read longer ago than 90d; the oldest is the limits of wan2.5-i2i" in shown


def test_the_oldest_file_is_first_and_variants_are_told_once() -> None:
    old, young = Reading("2026-01-02", "A page"), Reading("2026-11-20", "A page")
    one = replace(known("z-image-turbo"), readings={"price": young, "limits": old}, file="z.yaml")
    twin = replace(one, name="z-image-twin")
    other = replace(one, file="a.yaml", readings={"price": young})
    told = stale_readings.readings([other, one, twin], date(2026, 11, 28))
    assert [(read.file, read.part, read.days) for read in told] == [
        ("z.yaml", "limits", 330),
        ("z.yaml", "price", 8),
        ("a.yaml", "price", 8),
    ]


def test_a_day_to_come_is_no_reading() -> None:
    typo = replace(known("z-image-turbo"), readings={"price": Reading("2062-11-20", "A page")})
    (told,) = stale_readings.readings([typo], date(2026, 11, 28))
    assert told.is_older(90 * 86400)


def test_the_age_is_an_option_of_models() -> None:
    old = run("models", "--stale", "1h", code=1)
    assert max(map(len, old.splitlines())) <= 80
    one = json.loads(run("models", "z-image-turbo", "--stale", "1h", "--json", code=1))
    assert {read["part"] for read in one} == {"price", "limits", "lifecycle"}
    assert run("models", "--stale", "99999d").startswith("Nothing in ")


@pytest.mark.parametrize("text", ["soon", "90", "-1d", "1w", "", "9" * 40 + "d"])
def test_an_age_that_is_none_is_told_with_examples(text: str) -> None:
    assert "is not an age; write 90d, 36h or 30m." in run("models", "--stale", text, code=2)


def test_a_price_by_amount_and_one_that_is_not_exact_are_put_into_words() -> None:
    tiers = (PriceTier(0.15, after_images=25_000),)
    assert words.tiers(RegionPrice(0.3, 0, tiers), "CNY") == (
        "CNY 0.15 (above 25,000 images that the account has paid for), 0.30 otherwise"
    )
    price = {"currency": "CNY", "total": 0.003}
    assert words.paid(price) == "CNY 0.003"
    price |= {"at_most": True, "per_image_at_least": 0.15}
    assert words.paid(price) == "at most CNY 0.003 (from 0.15 an image)"
