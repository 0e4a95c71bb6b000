"""The forms of the models in a real browser: rules, sizes, prices, models without a future."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from shared.catalogue.model_file import load_catalogue
from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import Visit, choose_model, chosen, paint, pixels

Visiting = Callable[..., Visit]
MODES = {
    "stylization_all": {"strength"},
    "stylization_local": set[str](),
    "description_edit": {"strength"},
    "description_edit_with_mask": {"mask_image_url"},
    "remove_watermark": set[str](),
    "expand": {"top_scale", "bottom_scale", "left_scale", "right_scale"},
    "super_resolution": {"upscale_factor"},
    "colorization": set[str](),
    "doodle": {"is_sketch"},
    "control_cartoon_feature": set[str](),
}
OF_A_MODE = set[str]().union(*MODES.values())


def field(page: Page, pointer: str) -> Locator:
    return page.locator(f'[data-pointer="{pointer}"]')


def choose(page: Page, pointer: str, value: str) -> None:
    field(page, pointer).locator(f'input[value="{value}"]').check()


def switch(page: Page, name: str, on: bool) -> None:
    field(page, f"/parameters/{name}").get_by_role("switch").set_checked(on)


def shown_fields(page: Page) -> set[str]:
    script = """fields => fields.filter(one => one.offsetParent)
      .map(one => one.dataset.pointer.split('/').pop())"""
    return set(page.locator(".field").evaluate_all(script))


def price(page: Page) -> str:
    return page.locator(".price strong").inner_text()


def add_picture(page: Page, folder: Path, size: tuple[int, int] = (900, 600)) -> None:
    path = folder / "picture.png"
    Image.new("RGB", size, (90, 120, 200)).save(path)
    page.locator(".drop-zone input").first.set_input_files(path)
    page.wait_for_selector(".picture")


def submit(page: Page) -> None:
    page.get_by_role("button", name="Submit").click()


def spec_of(api: FakeApi, page: Page) -> dict[str, dict[str, object]]:
    """The job that was submitted last."""
    page.wait_for_selector(".job-heading, .job-head h1")
    spec: dict[str, dict[str, object]] = list(api.jobs.values())[-1].spec
    return spec


def test_each_function_shows_its_own_fields_alone(visit: Visiting) -> None:
    page = visit().sign_in("#/create/wanx2.1-imageedit")
    page.wait_for_selector(".form-modes")
    assert shown_fields(page) & OF_A_MODE == set(), "none before a function is chosen"
    for function, own in MODES.items():
        choose(page, "/input/function", function)
        assert shown_fields(page) & OF_A_MODE == own, function


def test_a_field_of_another_function_is_kept_but_not_sent(
    visit: Visiting, api: FakeApi, tmp_path: Path
) -> None:
    page = visit().sign_in("#/create/wanx2.1-imageedit")
    choose(page, "/input/function", "super_resolution")
    choose(page, "/parameters/upscale_factor", "3")
    choose(page, "/input/function", "colorization")
    add_picture(page, tmp_path)
    page.get_by_label("Prompt", exact=True).fill("in the colours of 1970")
    submit(page)
    spec = spec_of(api, page)
    assert spec["input"]["function"] == "colorization"
    assert chosen(spec["parameters"]) == {"n": 1}
    page.goto(f"{api.url}/#/create/wanx2.1-imageedit")
    choose(page, "/input/function", "super_resolution")
    expect(field(page, "/parameters/upscale_factor").locator("input[value='3']")).to_be_checked()


def test_a_region_is_painted_white_on_black(visit: Visiting, api: FakeApi, tmp_path: Path) -> None:
    page = visit().sign_in("#/create/wanx2.1-imageedit")
    choose(page, "/input/function", "description_edit_with_mask")
    add_picture(page, tmp_path)
    page.get_by_label("Prompt", exact=True).fill("a red hat")
    submit(page)
    expect(page.locator(".problems")).to_contain_text("Nothing is painted yet")
    paint(page, (0.3, 0.4), (0.6, 0.5))
    submit(page)
    spec = spec_of(api, page)
    mask = pixels(api.objects[str(spec["input"]["mask_image_url"]).removeprefix("oss:///")])
    assert mask.shape == (600, 900, 3)
    assert set(np.unique(mask)) == {0, 255}


def test_bounds_and_default_of_a_number_follow_another_field(visit: Visiting) -> None:
    page = visit().sign_in("#/create/wan2.7-image")
    numbers = field(page, "/parameters/n")
    expect(numbers.get_by_role("radio")).to_have_count(4)
    expect(numbers.get_by_role("radio", name="1")).to_be_checked()
    page.locator("details.more summary").click()
    switch(page, "enable_sequential", True)
    slider = numbers.get_by_role("slider")
    expect(slider).to_have_attribute("max", "12")
    expect(slider).to_have_value("12")
    assert price(page) == "At most CN¥2.40"
    slider.fill("7")
    switch(page, "enable_sequential", False)
    submit(page)
    expect(numbers.locator(".error")).to_contain_text("at most 4 images are made at once")


def test_what_is_sent_in_one_mode_alone_is_off_and_left_out_in_the_other(
    visit: Visiting, api: FakeApi, tmp_path: Path
) -> None:
    page = visit().sign_in("#/create/wan2.6-image")
    page.locator("details.more summary").click()
    most = field(page, "/parameters/max_images")
    expect(most).to_contain_text("Only for a text with pictures")
    expect(most.get_by_role("radio").first).to_be_disabled()
    assert price(page) == "At most CN¥0.20"
    switch(page, "enable_interleave", True)
    expect(most.get_by_role("radio", name="5")).to_be_checked()
    expect(field(page, "/parameters/size").locator("input[value='1K']")).to_be_disabled()
    assert price(page) == "At most CN¥1.00"
    switch(page, "enable_interleave", False)
    add_picture(page, tmp_path)
    page.get_by_label("Prompt", exact=True).fill("at night")
    submit(page)
    assert "max_images" not in spec_of(api, page)["parameters"]


def test_a_field_without_effect_says_why_and_is_not_sent(
    visit: Visiting, api: FakeApi, tmp_path: Path
) -> None:
    page = visit().sign_in("#/create/wan2.7-image")
    page.locator("details.more summary").click()
    switch(page, "thinking_mode", False)
    add_picture(page, tmp_path)
    thinking = field(page, "/parameters/thinking_mode")
    expect(thinking.get_by_role("switch")).to_be_disabled()
    expect(thinking).to_contain_text("Counts only without pictures")
    page.get_by_label("Prompt", exact=True).fill("at night")
    submit(page)
    assert chosen(spec_of(api, page)["parameters"]) == {"size": "2K", "n": 1}


def test_a_value_that_is_forbidden_beside_another_field_is_named(
    visit: Visiting, tmp_path: Path
) -> None:
    page = visit().sign_in("#/create/wan2.7-image-pro")
    choose(page, "/parameters/size", "4K")
    add_picture(page, tmp_path)
    submit(page)
    error = field(page, "/parameters/size").locator(".error")
    expect(error).to_contain_text("4K is made from a prompt alone; choose 2K")
    choose(page, "/parameters/size", "2K")
    page.get_by_label("Remove picture.png").click()
    expect(field(page, "/parameters/size").locator("input[value='4K']")).to_be_enabled()


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        ("100", "100", "The area in pixels is 10000, allowed is from 768*768 to 2048*2048"),
        ("4000", "400", "The aspect (width / height) is 10, allowed is from 1:8 to 8:1"),
    ],
)
def test_a_size_out_of_bounds_is_named(
    visit: Visiting, width: str, height: str, message: str
) -> None:
    page = visit().sign_in("#/create/wan2.7-image")
    choose(page, "/parameters/size", "other")
    page.get_by_label("Width").fill(width)
    page.get_by_label("Height").fill(height)
    submit(page)
    expect(field(page, "/parameters/size").locator(".error")).to_contain_text(message)


def test_shares_of_colours_must_be_whole(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/wan2.7-image")
    page.locator("details.more summary").click()
    page.get_by_role("button", name="Add a colour").click()
    palette = field(page, "/parameters/color_palette")
    expect(palette.locator(".swatch")).to_have_count(3)
    expect(palette).to_contain_text("100.00 % in all")
    palette.get_by_label("Share of colour 1").fill("50")
    page.get_by_label("Prompt", exact=True).fill("a harbour")
    submit(page)
    expect(palette.locator(".error")).to_contain_text("The sum is 116.66 instead of 100;")
    palette.get_by_label("Share of colour 2").fill("25")
    palette.get_by_label("Share of colour 3").fill("25")
    submit(page)
    spec = spec_of(api, page)
    palette_sent = spec["parameters"]["color_palette"]
    assert isinstance(palette_sent, list)
    assert [one["ratio"] for one in palette_sent] == ["50.00%", "25.00%", "25.00%"]


def test_the_price_follows_size_and_pictures(visit: Visiting, tmp_path: Path) -> None:
    page = visit().sign_in("#/create/qwen-image-3.0-pro")
    assert price(page) == "At most CN¥0.25", "the tier of 1024*1024"
    choose(page, "/parameters/size", "other")
    page.get_by_label("Width").fill("2048")
    page.get_by_label("Height").fill("2048")
    assert price(page) == "At most CN¥0.50"
    choose(page, "/parameters/size", "1024*1024")
    choose(page, "/parameters/n", "3")
    assert price(page) == "At most CN¥0.75"
    add_picture(page, tmp_path)
    assert price(page) == "At most CN¥1.52", "the size is not known, and a picture costs 0.02"
    expect(page.locator(".price")).to_contain_text("input images 1 × CN¥0.02")


def test_the_price_follows_a_parameter(visit: Visiting) -> None:
    page = visit().sign_in("#/create/z-image-turbo")
    expect(page.locator(".model-card", has_text="Z-Image")).to_contain_text("from CN¥0.10")
    before = price(page)
    page.locator("details.more summary").click()
    extend = field(page, "/parameters/prompt_extend").get_by_role("switch")
    extend.set_checked(not extend.is_checked())
    assert {before, price(page)} == {"At most CN¥0.10", "At most CN¥0.20"}


def test_a_model_of_words_alone_shows_no_place_for_pictures(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/wan2.5-t2i-preview")
    expect(page.locator(".form-pictures")).to_be_hidden()
    page.get_by_label("Prompt", exact=True).fill("a quiet harbour")
    submit(page)
    assert spec_of(api, page)["input"] == {"prompt": "a quiet harbour"}


def test_a_messages_model_is_filled_in_flat(visit: Visiting, api: FakeApi, tmp_path: Path) -> None:
    page = visit().sign_in("#/create/qwen-image-edit-plus")
    submit(page)
    expect(page.locator(".problems")).to_contain_text("Choose a picture for “Images”.")
    add_picture(page, tmp_path)
    page.get_by_label("Prompt", exact=True).fill("make it winter")
    submit(page)
    spec = spec_of(api, page)
    assert spec["input"]["prompt"] == "make it winter"
    assert str(spec["input"]["images"]).startswith("['oss:///inputs/")


def test_what_stands_in_an_object_is_filled_in_line_by_line(
    visit: Visiting, api: FakeApi, tmp_path: Path
) -> None:
    page = visit().sign_in("#/create/qwen-mt-image")
    add_picture(page, tmp_path)
    choose(page, "/input/source_lang", "ja")
    target = field(page, "/input/target_lang")
    expect(target.locator('input[value="ko"]')).to_be_disabled()
    choose(page, "/input/target_lang", "en")
    page.locator("details.more summary").click()
    switch_of = field(page, "/input/ext/config/imageSegment").get_by_role("switch")
    switch_of.check()
    terms = field(page, "/input/ext/terminologies")
    terms.get_by_role("button", name="Add a line").click()
    terms.locator("input").first.fill("茶")
    field(page, "/input/ext/sensitives").locator("textarea").fill("9折")
    submit(page)
    expect(field(page, "/input/ext/terminologies")).to_contain_text("Fill in “Translation”.")
    page.get_by_label("Translation 1").fill("tea")
    switch_of.uncheck()
    submit(page)
    ext = {"terminologies": [{"src": "茶", "tgt": "tea"}], "sensitives": ["9折"]}
    given = spec_of(api, page)["input"]
    assert {key: given[key] for key in ("source_lang", "target_lang", "ext")} == {
        "source_lang": "ja",
        "target_lang": "en",
        "ext": ext,
    }


def test_a_picture_beyond_advice_is_taken_with_a_note(visit: Visiting, tmp_path: Path) -> None:
    page = visit().sign_in("#/create/qwen-image-edit-plus")
    add_picture(page, tmp_path, (200, 200))
    expect(page.locator(".picture-facts .note")).to_contain_text("pixels a side are advised")


def test_a_model_without_a_future_names_its_successor(visit: Visiting) -> None:
    page = visit().sign_in("#/create/repaint")
    dead = [model.name for model in load_catalogue().models() if model.is_going]
    assert dead
    choose_model(page, dead[0])
    expect(page.locator(f'.model-card:has(input[value="{dead[0]}"])')).to_contain_text("Trial only")
    page.get_by_role("link", name="Use “Wanx2.1 image editing” instead").click()
    expect(page.locator('input[value="wanx2.1-imageedit"]')).to_be_checked()


def test_a_model_without_a_future_is_not_chosen_again_by_itself(
    visit: Visiting, api: FakeApi
) -> None:
    page = visit().sign_in("#/create/wanx-x-painting")
    expect(page.locator('input[value="wanx-x-painting"]')).to_be_checked()
    page.goto(f"{api.url}/#/create")
    page.wait_for_selector(".task-tile")
    page.goto(f"{api.url}/#/create/repaint")
    expect(page.locator(".model-card input:checked")).to_have_value("wanx2.1-imageedit")
    page.goto(f"{api.url}/#/create/words")
    page.wait_for_selector('form[data-model="qwen-image-3.0"]')
    page.goto(f"{api.url}/#/create")
    page.wait_for_selector('form[data-model="qwen-image-3.0"]')


def test_both_languages_name_the_ten_functions(visit: Visiting) -> None:
    page = visit().sign_in("#/create/wanx2.1-imageedit")
    chips = field(page, "/input/function").locator(".chip")
    english = chips.all_inner_texts()
    assert "Repaint a region" in english
    assert not any("_" in text for text in english)
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("button", name="English")).to_be_visible()
    chinese = chips.all_inner_texts()
    assert len(set(chinese)) == len(MODES)
    assert all("\u4e00" <= text.strip()[0] <= "\u9fff" for text in chinese)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_the_form_of_every_model_fits_a_phone(visit: Visiting, api: FakeApi, locale: str) -> None:
    page = visit(size=(390, 844), touch=True, locale=locale).sign_in()
    script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    catalogue = load_catalogue()
    for model in catalogue.models():
        name = model.name
        page.goto(f"{api.url}/#/create/{name}")
        expect(page.locator(f'input[value="{catalogue.main(model).name}"]')).to_be_checked()
        page.wait_for_selector(f'form[data-model="{name}"]')
        page.locator("details.more summary").click()
        assert page.evaluate(script) == 0, name
