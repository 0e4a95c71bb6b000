"""The mask painter in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.browser.page_kit import CAT, INPUTS, Visit, choose_model, paint, painted, pixels, stage

Visiting = Callable[..., Visit]


def test_the_exported_mask_has_the_pictures_true_size_and_two_colours(visit: Visiting) -> None:
    page = visit().inpainting()
    paint(page, (0.2, 0.2), (0.4, 0.3))
    with page.expect_download() as download:
        page.get_by_role("button", name="Export PNG").click()
    mask = Image.open(download.value.path())
    assert (mask.format, mask.size) == ("PNG", CAT)
    found = pixels(Path(download.value.path()).read_bytes())
    assert {
        tuple(int(part) for part in colour) for colour in np.unique(found.reshape(-1, 3), axis=0)
    } == {
        (0, 0, 0),
        (255, 255, 255),
    }
    assert found[int(0.25 * CAT[1]), int(0.3 * CAT[0]), 0] == 255
    assert found[int(0.8 * CAT[1]), int(0.8 * CAT[0]), 0] == 0


def test_undo_redo_invert_clear_and_eraser(visit: Visiting) -> None:
    page = visit().inpainting()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    first = painted(page)
    assert first != "0 % painted"
    stage(page).press("Control+z")
    assert painted(page) == "0 % painted"
    stage(page).press("Control+Shift+Z")
    assert painted(page) == first
    stage(page).press("i")
    stage(page).press("i")
    assert painted(page) == first
    page.get_by_role("button", name="Eraser").click()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    assert painted(page).startswith("0")
    page.get_by_role("button", name="Undo").click()
    assert painted(page) == first
    page.get_by_role("button", name="Clear").click()
    assert painted(page) == "0 % painted"


def test_zoom_keeps_the_stroke_under_the_mouse(visit: Visiting) -> None:
    page = visit().inpainting()
    box = stage(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.wheel(0, -900)
    paint(page, (0.25, 0.25), (0.25, 0.25))
    with page.expect_download() as download:
        page.get_by_role("button", name="Export PNG").click()
    found = pixels(Path(download.value.path()).read_bytes())[:, :, 0]
    rows, columns = np.nonzero(found)
    assert abs(columns.mean() - 0.25 * CAT[0]) < 4
    assert abs(rows.mean() - 0.25 * CAT[1]) < 4


def test_the_mask_survives_another_prompt_language_and_model(visit: Visiting) -> None:
    page = visit().inpainting()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    before = painted(page)
    page.get_by_label("Prompt", exact=True).fill("one thing")
    page.get_by_label("Prompt", exact=True).fill("another")
    assert painted(page) == before
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".painter-status")).to_contain_text("已涂")
    page.get_by_role("button", name="English").click()
    choose_model(page, "wanx-sketch-to-image-lite")
    expect(page.locator(".painter-stage")).to_have_count(0)
    choose_model(page, "wanx-x-painting")
    expect(page.locator(".painter-status")).to_have_text(before)
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("another")


def test_a_mask_file_is_taken_in_if_it_fits(visit: Visiting, tmp_path: Path) -> None:
    page = visit().inpainting()
    wrong = tmp_path / "wrong.png"
    Image.new("L", (300, 300), 255).save(wrong)
    page.get_by_label("Import PNG").first.set_input_files(wrong)
    expect(page.locator(".toast")).to_contain_text("300 × 300 pixels, the picture 902 × 508")
    page.get_by_label("Import PNG").first.set_input_files(INPUTS / "cat-mask.png")
    expect(page.locator(".painter-status")).not_to_have_text("0 % painted")


def test_two_fingers_zoom_and_leave_no_paint(visit: Visiting) -> None:
    one = visit(size=(360, 720), touch=True)
    page = one.inpainting()
    box = stage(page).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touches = one.context.new_cdp_session(page)
    width = "document.querySelector('.painter-sheet').getBoundingClientRect().width"
    before = page.evaluate(width)
    for kind, apart in [("touchStart", 10), ("touchMove", 20), ("touchMove", 40)]:
        points = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function(f"{width} > {before} * 1.5")
    assert painted(page) == "0 % painted"
