"""Sketches that are drawn in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import Visit, chosen, paint, painted, pixels, stage

Visiting = Callable[..., Visit]
DRAW = "Draw it here"


def sketching(visit: Visiting) -> Page:
    """The form of the model that takes sketches alone, with paper in it."""
    page = visit().sign_in("#/create/wanx-sketch-to-image-lite")
    page.get_by_role("button", name=DRAW).click()
    return page


def sent(api: FakeApi, page: Page, field: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """The pixels that were submitted."""
    page.get_by_label("Prompt", exact=True).fill("a lighthouse")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".state-card, .results")
    address = list(api.jobs.values())[-1].spec["input"][field]
    return pixels(api.objects[address.removeprefix("oss:///")])


def test_lines_are_black_on_white_paper_of_a_size_that_fits(visit: Visiting, api: FakeApi) -> None:
    page = sketching(visit)
    paint(page, (0.2, 0.5), (0.8, 0.5))
    drawn = sent(api, page, "sketch_image_url")
    assert drawn.shape == (1024, 1024, 3)
    assert (drawn[512, 512] == 0).all()
    assert (drawn[100, 100] == 255).all()
    assert 0 < (drawn[:, :, 0] < 128).mean() < 0.02


def test_nothing_drawn_is_said_before_anything_is_sent(visit: Visiting, api: FakeApi) -> None:
    page = sketching(visit)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".problems")).to_contain_text("Nothing is drawn yet")
    assert api.keys == []


def test_eraser_undo_and_clear(visit: Visiting) -> None:
    page = sketching(visit)
    paint(page, (0.2, 0.5), (0.8, 0.5))
    first = painted(page)
    assert first != "0 % drawn"
    stage(page).press("i")
    assert painted(page) == first, "a drawing has no inverse"
    page.get_by_role("button", name="Eraser").click()
    paint(page, (0.2, 0.5), (0.8, 0.5))
    assert painted(page).startswith("0")
    page.get_by_role("button", name="Undo").click()
    assert painted(page) == first
    page.get_by_role("button", name="Clear").click()
    assert painted(page) == "0 % drawn"


def test_a_traced_photograph_is_not_sent(visit: Visiting, api: FakeApi, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (800, 800), (200, 30, 30)).save(photo)
    page = sketching(visit)
    page.get_by_label("Trace a photo").first.set_input_files(photo)
    expect(page.locator(".painter-sheet img")).to_be_visible()
    paint(page, (0.2, 0.5), (0.8, 0.5))
    drawn = sent(api, page, "sketch_image_url")
    assert (drawn.max(axis=2) - drawn.min(axis=2)).max() == 0, "no colour of the photograph"
    assert len(api.keys) == 1


def test_paper_of_another_shape_keeps_the_lines(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/wanx2.1-imageedit")
    page.locator('input[value="doodle"]').check()
    page.get_by_role("button", name=DRAW).click()
    paint(page, (0.5, 0.4), (0.5, 0.6))
    page.get_by_role("button", name="Landscape").click()
    drawn = sent(api, page, "base_image_url")
    assert drawn.shape == (768, 1024, 3)
    assert (drawn[384, 512] == 0).all()


def test_a_drawing_for_a_model_that_takes_photographs_too_is_called_a_sketch(
    visit: Visiting, api: FakeApi
) -> None:
    page = visit().sign_in("#/create/wanx2.1-imageedit")
    page.locator('input[value="colorization"]').check()
    expect(page.get_by_role("button", name=DRAW)).to_have_count(0)
    page.locator('input[value="doodle"]').check()
    page.get_by_role("button", name=DRAW).click()
    switch = page.get_by_role("switch", name="The picture is a sketch")
    expect(switch).to_be_checked()
    page.get_by_role("button", name="Choose a picture instead").click()
    expect(switch).not_to_be_checked()
    page.get_by_role("button", name=DRAW).click()
    paint(page, (0.2, 0.5), (0.8, 0.5))
    sent(api, page, "base_image_url")
    parameters = list(api.jobs.values())[-1].spec["parameters"]
    assert chosen(parameters) == {"n": 1, "is_sketch": True}


def test_the_drawing_survives_another_model_and_language(visit: Visiting, api: FakeApi) -> None:
    page = sketching(visit)
    paint(page, (0.2, 0.5), (0.8, 0.5))
    before = painted(page)
    page.goto(f"{api.url}/#/create/z-image-turbo")
    expect(page.locator(".painter-stage")).to_have_count(0)
    page.goto(f"{api.url}/#/create/wanx-sketch-to-image-lite")
    expect(page.locator(".painter-status")).to_have_text(before)
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".painter-status")).to_contain_text("已画")
