"""Pictures shown large and in order, drawing tools, and that all of it fits the window."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import INPUTS, Visit, paint, painted, pixels, stage

Visiting = Callable[..., Visit]
SEVERAL, SKETCH, INPAINT = "wan2.5-i2i-preview", "wanx-sketch-to-image-lite", "wanx-x-painting"
THREE = [INPUTS / name for name in ("cat.jpg", "rocket.jpg", "sign.png")]
WIDE, PHONE = (1440, 900), (390, 844)
MODELS = 170
"""The most that the choice of a model takes of the height above the form, in CSS pixels."""
DROP = """([name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
  return data;
}"""

PASTE = """(data) => document.body.dispatchEvent(
  new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))"""


def pictured(visit: Visiting) -> Page:
    """The form of a model that takes up to three pictures, with three in it."""
    page = visit().sign_in(f"#/create/{SEVERAL}")
    page.locator(".drop-zone input").set_input_files(THREE)
    expect(page.locator(".thumbnail")).to_have_count(3)
    return page


def order(page: Page) -> list[str]:
    labels = page.locator(".thumbnail").evaluate_all("all => all.map(one => one.ariaLabel)")
    return [label.split(": ")[1] for label in labels]


def large(page: Page) -> str | None:
    return page.locator(".picture-stage img").get_attribute("alt")


def data(page: Page, path: Path) -> object:
    """What a browser hands over when this file is dropped or pasted."""
    return page.evaluate_handle(DROP, [path.name, list(path.read_bytes())])


def sketching(visit: Visiting, **more: object) -> Page:
    page = visit(**more).sign_in(f"#/create/{SKETCH}")
    page.get_by_role("button", name="Draw it here").click()
    return page


def exported(page: Page) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export PNG").click()
    return pixels(Path(download.value.path()).read_bytes())


def box(found: Locator) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in the window."""
    seen = found.bounding_box()
    assert seen is not None
    return seen["x"], seen["y"], seen["x"] + seen["width"], seen["y"] + seen["height"]


def test_the_chosen_picture_is_large_and_the_order_changes_by_keyboard(visit: Visiting) -> None:
    page = pictured(visit)
    left, top, right, bottom = box(page.locator(".picture-stage"))
    assert right - left > 400
    assert bottom - top > 250
    page.locator(".thumbnail").first.click()
    assert large(page) == "Preview of cat.jpg"
    page.keyboard.press("ArrowRight")
    assert large(page) == "Preview of rocket.jpg"
    page.keyboard.press("Shift+ArrowRight")
    assert order(page) == ["cat.jpg", "sign.png", "rocket.jpg"]
    page.keyboard.press("Delete")
    assert order(page) == ["cat.jpg", "sign.png"]


def test_pictures_are_arranged_by_dragging_and_sent_in_that_order(
    visit: Visiting, api: FakeApi
) -> None:
    page = pictured(visit)
    from_left, from_top, from_right, from_bottom = box(page.locator(".thumbnail").nth(2))
    to_left, to_top, to_right, to_bottom = box(page.locator(".thumbnail").first)
    page.mouse.move((from_left + from_right) / 2, (from_top + from_bottom) / 2)
    page.mouse.down()
    page.mouse.move((to_left + to_right) / 2, (to_top + to_bottom) / 2, steps=8)
    page.mouse.up()
    assert order(page) == ["sign.png", "cat.jpg", "rocket.jpg"]
    page.get_by_label("Prompt", exact=True).fill("join them")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".state-card, .results")
    sent = list(api.jobs.values())[-1].spec["input"]["images"]
    assert [address.rsplit("/", 1)[1] for address in sent] == ["sign.png", "cat.jpg", "rocket.jpg"]


@pytest.mark.parametrize("place", ["header", "textarea", ".form-words"])
def test_a_picture_dropped_anywhere_is_taken(visit: Visiting, place: str) -> None:
    page = visit().sign_in(f"#/create/{SEVERAL}")
    taken = data(page, INPUTS / "cat.jpg")
    for kind in ("dragover", "drop"):
        page.locator(place).first.dispatch_event(kind, {"dataTransfer": taken})
    expect(page.locator(".picture-facts .name")).to_have_text("cat.jpg")


def test_a_picture_is_pasted_wherever_the_focus_is(visit: Visiting) -> None:
    page = visit().sign_in(f"#/create/{INPAINT}")
    expect(page.locator(".drop-zone")).to_contain_text("Ctrl+V")
    taken = data(page, INPUTS / "cat.jpg")
    page.evaluate(PASTE, taken)
    expect(page.locator(".painter-stage")).to_be_visible()


def test_a_picture_that_does_not_fit_leaves_the_one_that_is_there(
    visit: Visiting, tmp_path: Path
) -> None:
    tiny = tmp_path / "tiny.png"
    Image.new("RGB", (20, 20)).save(tiny)
    page = visit().inpainting()
    page.locator(".drop-zone input").set_input_files(tiny)
    expect(page.locator(".field > .error").first).to_contain_text("tiny.png")
    expect(page.locator(".picture-facts .name")).to_have_text("cat.jpg")


def test_the_colours_of_the_pens_are_named_to_the_model(visit: Visiting, api: FakeApi) -> None:
    page = sketching(visit)
    paint(page, (0.2, 0.3), (0.8, 0.3))
    page.locator(".pen input").nth(1).check()
    paint(page, (0.2, 0.6), (0.8, 0.6))
    page.get_by_label("Prompt", exact=True).fill("a lighthouse")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".state-card, .results")
    spec = list(api.jobs.values())[-1].spec
    assert sorted(spec["parameters"]["sketch_color"]) == [[0, 0, 0], [212, 35, 42]]
    drawn = pixels(api.objects[spec["input"]["sketch_image_url"].removeprefix("oss:///")])
    assert {tuple(int(part) for part in drawn[row, 512]) for row in (307, 614)} == {
        (0, 0, 0),
        (212, 35, 42),
    }


def test_an_undone_colour_is_no_longer_named(visit: Visiting, api: FakeApi) -> None:
    page = sketching(visit)
    paint(page, (0.2, 0.3), (0.8, 0.3))
    page.locator(".pen input").nth(1).check()
    paint(page, (0.2, 0.6), (0.8, 0.6))
    page.get_by_role("button", name="Undo").click()
    page.get_by_label("Prompt", exact=True).fill("a lighthouse")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".state-card, .results")
    assert "sketch_color" not in list(api.jobs.values())[-1].spec["parameters"]


def test_shift_draws_straight_lines(visit: Visiting) -> None:
    page = sketching(visit)
    left, top, right, bottom = box(stage(page))
    across, down = right - left, bottom - top
    page.keyboard.down("Shift")
    page.mouse.move(left + 0.3 * across, top + 0.5 * down)
    page.mouse.down()
    page.mouse.move(left + 0.5 * across, top + 0.8 * down, steps=4)
    page.mouse.move(left + 0.7 * across, top + 0.5 * down, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    rows, _ = np.nonzero(exported(page)[:, :, 0] < 128)
    assert rows.max() - rows.min() < 12


def test_an_area_inside_a_line_is_filled(visit: Visiting) -> None:
    page = visit().inpainting()
    corners = [(0.3, 0.3), (0.6, 0.3), (0.6, 0.7), (0.3, 0.7), (0.3, 0.3)]
    for start, end in pairwise(corners):
        paint(page, start, end)
    stage(page).press("f")
    paint(page, (0.45, 0.5), (0.45, 0.5))
    found = exported(page)[:, :, 0]
    height, width = found.shape
    inside = found[int(0.3 * height) : int(0.7 * height), int(0.3 * width) : int(0.6 * width)]
    assert (inside == 255).all()
    assert found[int(0.9 * height), int(0.9 * width)] == 0
    stage(page).press("Control+z")
    assert exported(page)[int(0.5 * height), int(0.45 * width), 0] == 0


def test_the_photo_below_can_be_hidden_and_made_stronger(visit: Visiting) -> None:
    page = sketching(visit)
    page.get_by_label("Trace a photo").first.set_input_files(INPUTS / "coffee.jpg")
    photo = page.locator(".painter-sheet img")
    expect(photo).to_have_css("opacity", "0.4")
    page.get_by_role("button", name="Photo", exact=True).click()
    expect(photo).to_have_css("opacity", "0")
    page.get_by_label("How strong the photo is").fill("80")
    expect(photo).to_have_css("opacity", "0.8")
    page.get_by_role("button", name="Remove the photo").click()
    expect(photo).to_have_count(0)


def test_a_sketch_that_was_chosen_can_be_drawn_on(visit: Visiting) -> None:
    page = visit().sign_in(f"#/create/{SKETCH}")
    page.locator(".drop-zone input").set_input_files(INPUTS / "house-sketch.png")
    page.get_by_role("button", name="Draw on it").click()
    before = exported(page)
    original = pixels((INPUTS / "house-sketch.png").read_bytes())
    assert abs(before - original).max() <= 3
    paint(page, (0.45, 0.95), (0.55, 0.95))
    assert (exported(page) != before).any()


def test_the_shortcuts_are_shown_and_work_from_the_toolbar(visit: Visiting) -> None:
    page = visit().inpainting()
    eraser = page.get_by_role("button", name="Eraser")
    assert eraser.get_attribute("title") == "Eraser (E)"
    page.get_by_role("button", name="Brush", exact=True).focus()
    page.keyboard.press("e")
    expect(eraser).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("?")
    expect(page.locator(".key-help")).to_contain_text("Hold while you drag: a straight line")
    page.keyboard.press("Escape")
    expect(page.locator(".key-help")).to_be_hidden()


def test_what_was_mended_is_no_longer_an_error(visit: Visiting) -> None:
    page = visit().inpainting()
    page.get_by_role("button", name="Submit").click()
    prompt = page.locator('[data-pointer="/input/prompt"]')
    mask = page.locator('[data-pointer="/input/mask_image_url"]')
    expect(prompt.locator(".error")).to_be_visible()
    expect(mask.locator(".error")).to_contain_text("Nothing is painted yet")
    page.get_by_label("Prompt", exact=True).fill("a hat")
    expect(prompt.locator(".error")).to_be_hidden()
    expect(mask.locator(".error")).to_be_visible()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    expect(mask.locator(".error")).to_be_hidden()


def short_models(page: Page) -> None:
    """The choice of a model in the height it may take."""
    page.evaluate(
        """(height) => {
          for (const one of document.querySelectorAll(".create > *:not(form)")) one.remove();
          const above = document.createElement("div");
          above.style.height = `${height}px`;
          document.querySelector(".create").prepend(above);
          scrollTo(0, 0);
        }""",
        MODELS,
    )


@pytest.mark.parametrize("picture", ["cat.jpg", "person.png"])
def test_canvas_and_tools_fit_the_window(visit: Visiting, picture: str) -> None:
    page = visit(size=WIDE).inpainting(picture)
    short_models(page)
    assert box(page.locator(".form-pictures"))[3] <= WIDE[1]


def test_paper_and_tools_fit_the_window(visit: Visiting) -> None:
    page = sketching(visit, size=WIDE)
    short_models(page)
    assert box(page.locator(".form-pictures"))[3] <= WIDE[1]


def test_several_pictures_fit_the_window(visit: Visiting) -> None:
    page = visit(size=WIDE).sign_in(f"#/create/{SEVERAL}")
    page.locator(".drop-zone input").set_input_files(THREE)
    expect(page.locator(".thumbnail")).to_have_count(3)
    short_models(page)
    assert box(page.locator(".form-pictures"))[3] <= WIDE[1]


def test_canvas_and_tools_fit_a_phone(visit: Visiting) -> None:
    page = visit(size=PHONE, touch=True).inpainting("person.png")
    top, bottom = box(page.locator(".toolbar"))[1], box(page.locator(".painter-foot"))[3]
    header = box(page.locator("header"))[3]
    assert bottom - top <= PHONE[1] - header
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_nothing_moves_when_one_begins_to_paint(visit: Visiting) -> None:
    page = visit(size=WIDE).inpainting()
    expect(page.locator(".upload-status")).to_contain_text("Uploaded")
    stage(page)
    before = box(page.locator(".painter-foot"))
    above = box(page.locator(".painter-stage"))
    assert before[1] - above[3] < 16, "no empty band"
    paint(page, (0.3, 0.4), (0.6, 0.5))
    assert painted(page) != "0 % painted"
    assert box(page.locator(".painter-foot")) == before
