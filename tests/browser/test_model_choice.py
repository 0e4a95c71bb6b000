"""Choosing one of many models in a real browser: which to take, by name, and fixed versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Model
from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import Visit, choose_model

Visiting = Callable[..., Visit]
MAIN = "z-image-turbo"
JANUARY, MARCH = f"{MAIN}-2026-01-01", f"{MAIN}-2026-03-01"


def known(name: str) -> Model:
    model = load_catalogue().get(name)
    assert model is not None
    return model


@pytest.fixture
def versions(api: FakeApi) -> None:
    january = replace(
        known(MAIN),
        name=JANUARY,
        snapshot_of=MAIN,
        guidance="For the old results.",
        guidance_zh="适合沿用旧效果。",
    )
    api.more = (january, replace(january, name=MARCH))


def version(page: Page, name: str) -> None:
    page.locator("#model-version").select_option(name)
    page.wait_for_selector(f'form[data-model="{name}"]')


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_the_page_says_which_model_to_take(visit: Visiting, locale: str) -> None:
    page = visit(locale=locale).sign_in("#/create/qwen-image-3.0")
    model = known("qwen-image-3.0")
    said = model.guidance if locale == "en-GB" else model.guidance_zh
    expect(page.locator(".guidance")).to_have_text(said)
    expect(page.locator("#model-version")).to_have_count(0)


def test_a_model_that_is_named_is_a_link_to_it(visit: Visiting) -> None:
    page = visit().sign_in("#/create/qwen-image-3.0")
    expect(page.locator(".guidance a")).to_have_text(["qwen-image-3.0-pro"])
    page.locator(".guidance a").click()
    page.wait_for_selector('form[data-model="qwen-image-3.0-pro"]')


@pytest.mark.usefixtures("versions")
def test_fixed_versions_are_under_their_model(visit: Visiting) -> None:
    page = visit().sign_in(f"#/create/{MAIN}")
    assert page.locator(f'.model-card input[value="{JANUARY}"]').count() == 0
    offered = page.locator("#model-version option")
    expect(offered).to_have_text([f"{MAIN} (moves on with the service)", MARCH, JANUARY])
    version(page, JANUARY)
    expect(page.locator(f'.model-card input[value="{MAIN}"]')).to_be_checked()
    expect(page.locator(".guidance")).to_have_text("For the old results.")
    version(page, MAIN)
    choose_model(page, "wan2.5-t2i-preview")
    expect(page.locator("#model-version")).to_have_count(0)


@pytest.mark.usefixtures("versions")
def test_a_version_is_chosen_with_the_keyboard_and_submitted(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in(f"#/create/{MAIN}")
    page.get_by_label("Version").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(f'form[data-model="{MARCH}"]')
    expect(page.get_by_label("Version")).to_be_focused()
    page.get_by_label("Prompt", exact=True).fill("a boat")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".job")
    assert [job.spec["model"] for job in api.jobs.values()] == [MARCH]


def test_an_expert_finds_a_model_by_its_name(visit: Visiting) -> None:
    page = visit().sign_in("#/create/words")
    page.locator(".all-models > summary").click()
    expect(page.locator(".model-panel input")).to_be_focused()
    page.keyboard.type("2.5 preview i2i")
    expect(page.locator(".model-row")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_selector('form[data-model="wan2.5-i2i-preview"]')
    assert page.url.endswith("#/create/wan2.5-i2i-preview")


def test_models_at_their_end_are_folded_away(visit: Visiting) -> None:
    page = visit().sign_in("#/create/repaint")
    expect(page.locator('.model-cards input[value="wanx-x-painting"]')).to_have_count(0)
    page.locator(".all-models > summary").click()
    row = page.locator('.model-row[value="wanx-x-painting"]')
    expect(row).to_be_hidden()
    page.get_by_text("Trial only or retired (1)").click()
    expect(row).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".model-panel").first).to_be_hidden()
