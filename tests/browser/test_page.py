"""The page in a real browser: from a painted mask to the image, and what may go wrong."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.fake_api import TOKEN, FakeApi
from tests.browser.page_kit import CAT, INPUTS, Visit, paint, painted, pixels

Visiting = Callable[..., Visit]
EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


def submit(page: Page) -> None:
    page.get_by_role("button", name="Submit").click()


def test_a_painted_mask_becomes_an_image_that_differs_inside_it_only(
    visit: Visiting, api: FakeApi
) -> None:
    page = visit().inpainting()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    page.get_by_label("Prompt", exact=True).fill("a cat wearing red glasses")
    submit(page)
    page.wait_for_selector(".compare-after")
    job = api.jobs["job-0001"]
    before = pixels(api.objects[job.spec["input"]["base_image_url"].removeprefix("oss:///")])
    mask = pixels(api.objects[job.spec["input"]["mask_image_url"].removeprefix("oss:///")])
    after = pixels(api.objects[job.images[0]])
    changed = np.abs(after - before).sum(axis=2) > 0
    assert changed.any()
    assert not changed[mask[:, :, 0] == 0].any()
    expect(page.locator(".compare-before")).to_have_js_property("naturalWidth", CAT[0])
    expect(page.locator(".compare-after")).to_have_js_property("naturalWidth", CAT[0])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.png", b"this is no picture", "not an image this page can read"),
        ("empty.png", b"", "is empty"),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + bytes(60), "damaged or no picture"),
    ],
)
def test_a_file_that_is_no_picture_is_named(
    visit: Visiting, api: FakeApi, name: str, content: bytes, message: str
) -> None:
    page = visit().sign_in("#/create/wanx-x-painting")
    file = FilePayload(name=name, mimeType="image/png", buffer=content)
    page.set_input_files(".drop-zone input", files=[file])
    error = page.locator(".field .error:visible")
    expect(error).to_contain_text(message)
    expect(error).to_contain_text(name)
    assert api.keys == []


def test_a_picture_of_the_wrong_size_is_converted_and_that_is_said(
    visit: Visiting, api: FakeApi, tmp_path: Path
) -> None:
    page = visit().sign_in("#/create/wanx-sketch-to-image-lite")
    large = tmp_path / "large.png"
    Image.new("RGB", (2500, 2500), "white").save(large)
    page.set_input_files(".drop-zone input", large)
    expect(page.locator(".picture-facts .note")).to_have_text(
        "Converted to fit this model: it was 2500 × 2500 PNG, now it is 2048 × 2048."
    )
    expect(page.locator(".picture-facts .facts")).to_contain_text("2048 × 2048")
    expect(page.locator(".field .error:visible")).to_have_count(0)
    expect(page.locator(".upload-status")).to_contain_text("Uploaded")
    assert Image.open(io.BytesIO(api.objects[api.keys[0]])).size == (2048, 2048)


def test_a_turned_photograph_is_uploaded_upright(
    visit: Visiting, api: FakeApi, tmp_path: Path
) -> None:
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(INPUTS / "cat.jpg").save(turned, exif=exif)
    page = visit().sign_in("#/create/wanx-x-painting")
    page.set_input_files(".drop-zone input", turned)
    expect(page.locator(".upload-status")).to_contain_text("Uploaded")
    sent = Image.open(io.BytesIO(api.objects[api.keys[0]]))
    assert sent.size == (CAT[1], CAT[0])
    assert sent.getexif().get(0x0112, 1) == 1


def test_what_is_missing_is_said_before_anything_is_sent(visit: Visiting, api: FakeApi) -> None:
    page = visit().inpainting()
    submit(page)
    problems = page.locator(".problems")
    expect(problems).to_contain_text("Fill in “Prompt”.")
    expect(problems).to_contain_text("Nothing is painted yet")
    expect(problems).to_be_in_viewport()
    page.get_by_label("Prompt", exact=True).fill("a hat")
    expect(page.locator('[data-pointer="/input/prompt"] .error')).to_be_hidden()
    expect(problems).not_to_contain_text("Fill in")
    paint(page, (0.3, 0.4), (0.6, 0.5))
    expect(problems).to_be_hidden()
    assert api.jobs == {}


def test_the_counter_says_what_the_model_will_not_read(visit: Visiting) -> None:
    page = visit().sign_in("#/create/wanx-x-painting")
    page.get_by_label("Prompt", exact=True).fill("猫" * 75 + "extra")
    expect(page.locator(".counter")).to_contain_text("ignores “extra”")


def test_the_price_follows_the_number_of_images(visit: Visiting) -> None:
    page = visit().sign_in("#/create/wan2.5-i2i-preview")
    expect(page.locator(".price strong")).to_have_text("At most CN¥0.20")
    page.locator('[data-pointer="/parameters/n"] input[value="2"]').check()
    expect(page.locator(".price strong")).to_have_text("At most CN¥0.40")


def test_violations_of_the_api_stand_at_their_fields(visit: Visiting) -> None:
    page = visit().inpainting()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    page.get_by_label("Prompt", exact=True).fill("refuse-me")
    submit(page)
    error = page.locator('[data-pointer="/input/prompt"] .error')
    expect(error).to_contain_text("refused <b>here</b>")
    expect(page.get_by_label("Prompt", exact=True)).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    ("locale", "title", "button"), [("en-GB", "make?", "Submit"), ("zh-CN", "想做什么", "提交")]
)
def test_the_page_speaks_the_browsers_language(
    visit: Visiting, locale: str, title: str, button: str
) -> None:
    page = visit(locale=locale).sign_in()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    page.locator(".task-tile").first.click()
    expect(page.get_by_role("button", name=button)).to_be_visible()


def test_both_languages_have_the_same_words(visit: Visiting) -> None:
    page = visit().sign_in()
    script = """async () => {
      const [{ en }, { zh }] = await Promise.all(
        [import("/web/js/words/en.js"), import("/web/js/words/zh.js")]);
      const all = (text) => [...text.matchAll(/\\{(\\w+)\\}/g)].map((m) => m[1]);
      // {s} ends an English plural; Chinese has none.
      const holes = (text) => all(text).filter((name) => name !== "s").sort().join();
      return [Object.keys(en).filter((key) => !(key in zh) || holes(en[key]) !== holes(zh[key])),
              Object.keys(zh).filter((key) => !(key in en))];
    }"""
    assert page.evaluate(script) == [[], []]


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_phone_needs_no_sideways_scrolling(visit: Visiting, api: FakeApi, locale: str) -> None:
    spec = {"model": "wan2.5-i2i-preview", "input": {"prompt": "fail-me " + "w" * 70, "images": []}}
    api.add("job-" + "x" * 60, spec)
    one = visit(size=(360, 720), touch=True, locale=locale)
    page = one.inpainting()
    page.locator("details.more summary").click()
    views = ["#/create/wanx-sketch-to-image-lite", "#/create/wan2.5-i2i-preview", "#/jobs"]
    assert overflow(page) == 0
    for view in [*views, "#/jobs/job-" + "x" * 60]:
        page.goto(f"{api.url}/{view}")
        page.wait_for_selector(".model-card, .tile, .failure")
        assert overflow(page) == 0, view


def test_a_wide_picture_fits_a_phone_too(visit: Visiting) -> None:
    page = visit(size=(360, 720), touch=True).inpainting()
    paint(page, (0.2, 0.2), (0.4, 0.3))
    page.get_by_label("Prompt", exact=True).fill("a hat")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".compare-after")
    assert overflow(page) == 0


def overflow(page: Page) -> int:
    script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(script))


def test_scripts_in_jobs_stay_text(visit: Visiting, api: FakeApi) -> None:
    api.fail_message = EVIL
    spec = {
        "model": "wanx-x-painting",
        "input": {"prompt": f"fail-me {EVIL}", "base_image_url": f"oss:///inputs/{EVIL}"},
        "job": {"labels": {EVIL: EVIL}},
    }
    api.add("evil", spec)
    page = visit().sign_in("#/jobs/evil")
    expect(page.locator(".failure")).to_contain_text(EVIL)
    expect(page.locator("h1")).to_contain_text(EVIL)
    expect(page.locator(".details")).to_contain_text(EVIL)
    page.get_by_role("button", name="Run again with changes").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(f"fail-me {EVIL}")
    page.goto(f"{api.url}/#/jobs")
    expect(page.locator(".tile-prompt")).to_contain_text("<img src=x")
    file = FilePayload(name=f"{EVIL}.png", mimeType="image/png", buffer=b"no picture")
    page.goto(f"{api.url}/#/create/wanx-sketch-to-image-lite")
    page.set_input_files(".drop-zone input", files=[file])
    expect(page.locator(".field .error:visible")).to_contain_text("onerror")
    assert page.locator("img[src='x'], img[onerror], script:not([type=module])").count() == 0


def test_the_keyboard_alone_is_enough(visit: Visiting, api: FakeApi) -> None:
    page = visit().inpainting()
    tab_to(page, "document.activeElement.classList.contains('painter-stage')")
    for key in ["Enter", "ArrowRight", "ArrowRight", "Enter", "]", "ArrowDown", "Enter"]:
        page.keyboard.press(key)
    assert painted(page) != "0 % painted"
    tab_to(page, "document.activeElement.tagName === 'TEXTAREA'")
    page.keyboard.type("a hat")
    tab_to(page, "document.activeElement.type === 'submit'")
    page.keyboard.press("Enter")
    page.wait_for_selector(".compare")
    tab_to(page, "document.activeElement.classList.contains('compare-range')")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".compare-range")).to_have_attribute("aria-valuetext", "51 % before")


def tab_to(page: Page, there: str) -> None:
    for _ in range(60):
        if page.evaluate(there):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"60 presses of Tab did not lead to where {there}")


def test_a_failed_job_says_what_to_do_and_can_be_retried(visit: Visiting, api: FakeApi) -> None:
    spec = {"model": "wan2.5-i2i-preview", "input": {"prompt": "fail-me", "images": ["oss:///a"]}}
    api.add("sad", spec)
    page = visit().sign_in("#/jobs/sad")
    expect(page.locator(".failure")).to_contain_text("Change the prompt or the picture.")
    expect(page.locator(".details")).to_contain_text("Nothing was billed")
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".failure")).to_contain_text("请修改提示词或图片。")
    page.get_by_role("button", name="重试").click()
    page.wait_for_selector(".result-image")
    assert page.url.endswith("#/jobs/sad-retry-1")


def test_a_waiting_job_shows_its_place_and_can_be_canceled(visit: Visiting, api: FakeApi) -> None:
    api.hold = True
    spec = {"model": "wan2.5-i2i-preview", "input": {"prompt": "slowly", "images": ["oss:///a"]}}
    api.add("slow", spec)
    page = visit().sign_in("#/jobs/slow")
    expect(page.locator(".state-card")).to_contain_text("Number 2 in line · about 40 s to go")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".state-word")).to_have_text("Canceled")


def test_the_gallery_searches_filters_and_loads_more(visit: Visiting, api: FakeApi) -> None:
    for number in range(30):
        spec = {
            "model": "wan2.5-i2i-preview",
            "input": {"prompt": f"picture {number}", "images": []},
        }
        job = api.add(f"job-{number:02}", spec)
        job.state = "FAILED" if number % 10 == 0 else "CANCELED"
    page = visit().sign_in("#/jobs")
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(24)
    page.get_by_role("button", name="Load more").click()
    expect(tiles).to_have_count(30)
    page.get_by_role("searchbox").fill("picture 17")
    expect(tiles).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    page.get_by_label("State").select_option("FAILED")
    expect(tiles).to_have_count(3)


def test_run_again_brings_picture_mask_and_prompt_back(visit: Visiting, api: FakeApi) -> None:
    page = visit().inpainting()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    before = painted(page)
    page.get_by_label("Prompt", exact=True).fill("first try")
    submit(page)
    page.get_by_role("button", name="Run again with changes").click()
    expect(page.locator(".painter-status")).to_have_text(before)
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("first try")
    uploads = len(api.keys)
    page.get_by_label("Prompt", exact=True).fill("second try")
    submit(page)
    page.wait_for_selector(".compare")
    assert len(api.keys) == uploads, "nothing that lies in the bucket is uploaded again"
    assert api.jobs["job-0002"].spec["input"]["prompt"] == "second try"


def test_the_job_file_can_be_copied(visit: Visiting) -> None:
    one = visit()
    one.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = one.inpainting()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    page.get_by_label("Prompt", exact=True).fill('red: "glasses" # and more')
    page.get_by_role("button", name="Copy as job file").click()
    expect(page.locator(".toast")).to_contain_text("Copied")
    yaml = pytest.importorskip("yaml")
    copied = yaml.safe_load(page.evaluate("navigator.clipboard.readText()"))
    assert copied["model"] == "wanx-x-painting"
    assert copied["input"]["prompt"] == 'red: "glasses" # and more'
    assert copied["input"]["mask_image_url"].startswith("oss:///inputs/")
    assert copied["parameters"] == {"size": "1280*720", "n": 1}, "the size nearest to the picture"


def test_a_wrong_token_is_refused_and_signing_out_forgets(visit: Visiting, api: FakeApi) -> None:
    one = visit()
    page = one.page
    page.goto(api.url)
    page.fill("#token", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#token-error")).to_contain_text("not accepted")
    one.sign_in()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("#token")
    assert page.evaluate("sessionStorage.getItem('wanx-token')") is None


def test_a_person_can_stay_signed_in(visit: Visiting, api: FakeApi) -> None:
    one = visit()
    page = one.page
    page.goto(api.url)
    page.fill("#token", TOKEN)
    page.get_by_label("Stay signed in").check()
    page.keyboard.press("Enter")
    page.wait_for_selector("nav")
    other = one.context.new_page()
    other.goto(f"{api.url}/#/jobs")
    other.get_by_role("button", name="Sign out").click()
    other.reload()
    other.wait_for_selector("#token")


def test_without_that_choice_another_tab_asks(visit: Visiting, api: FakeApi) -> None:
    one = visit()
    one.sign_in()
    other = one.context.new_page()
    other.goto(f"{api.url}/#/jobs")
    other.wait_for_selector("#token")


def test_a_link_with_a_token_signs_nobody_in(visit: Visiting, api: FakeApi) -> None:
    page = visit().page
    page.goto(f"{api.url}/#token={TOKEN}")
    expect(page.locator("#token-error")).to_contain_text("only if you know who sent the link")
    assert "token" not in page.url
    assert page.evaluate("sessionStorage.getItem('wanx-token')") is None
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("nav")
    page.goto(f"{api.url}/#token=somebody-elses")
    page.wait_for_selector("nav")
    assert page.evaluate("sessionStorage.getItem('wanx-token')") == TOKEN


def test_dark_and_light_follow_the_system_until_switched(visit: Visiting) -> None:
    page = visit(scheme="dark").sign_in()
    colour = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(colour) == "rgb(19, 20, 23)"
    page.get_by_role("button", name="Switch to light").click()
    assert page.evaluate(colour) == "rgb(246, 245, 242)"
