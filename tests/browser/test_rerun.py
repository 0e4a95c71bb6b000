"""A form filled in as an earlier job was, also of jobs that were made elsewhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import INPUTS, Visit, paint, painted, pixels

Visiting = Callable[..., Visit]
INPAINT, SKETCH, EDIT = "wanx-x-painting", "wanx-sketch-to-image-lite", "qwen-image-edit"
BASE, MASK = "inputs/cat.jpg", "inputs/cat-mask.png"


def stored(api: FakeApi) -> dict[str, Any]:
    """A job whose picture and mask lie in the bucket; this browser never had them."""
    for key in (BASE, MASK):
        api.objects[key] = (INPUTS / key.removeprefix("inputs/")).read_bytes()
    given = {
        "prompt": "red glasses",
        "base_image_url": f"oss:///{BASE}",
        "mask_image_url": f"oss:///{MASK}",
    }
    return {"model": INPAINT, "input": given}


def again(visit: Visiting, api: FakeApi, spec: dict[str, Any]) -> Page:
    """The form after "Run again with changes"."""
    api.add("elsewhere", spec).plan[:] = ["SUCCEEDED"]
    page = visit().sign_in("#/jobs/elsewhere")
    page.get_by_role("button", name="Run again with changes").click()
    page.wait_for_selector(f'form[data-model="{spec["model"]}"]')
    return page


def submitted(api: FakeApi, page: Page) -> dict[str, Any]:
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".state-card, .results")
    return list(api.jobs.values())[-1].spec


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_the_mask_of_a_job_made_elsewhere_comes_from_the_bucket(
    visit: Visiting, api: FakeApi
) -> None:
    spec = stored(api)
    page = again(visit, api, spec)
    expect(page.locator(".painter-status")).not_to_have_text("0 % painted")
    expect(page.locator(".mask-earlier")).to_have_count(0)
    sent = submitted(api, page)["input"]
    assert sent["mask_image_url"] == spec["input"]["mask_image_url"]
    assert api.keys == [], "what was not changed is not uploaded again"


def test_the_mask_from_the_bucket_can_be_painted_on(visit: Visiting, api: FakeApi) -> None:
    page = again(visit, api, stored(api))
    expect(page.locator(".painter-status")).not_to_have_text("0 % painted")
    before = pixels((INPUTS / "cat-mask.png").read_bytes())[:, :, 0] >= 128
    paint(page, (0.05, 0.9), (0.2, 0.9))
    address = submitted(api, page)["input"]["mask_image_url"]
    after = pixels(api.objects[address.removeprefix("oss:///")])[:, :, 0] >= 128
    assert after[before].all()
    assert after.sum() > before.sum()


def test_a_mask_that_may_not_be_read_is_kept_and_said(visit: Visiting, api: FakeApi) -> None:
    api.closed = True
    spec = stored(api)
    page = again(visit, api, spec)
    expect(page.locator(".mask-earlier")).to_contain_text("sent as it is, until you paint")
    link = page.locator(".mask-earlier a").get_attribute("href")
    assert link == f"{api.bucket}/{MASK}"
    sent = submitted(api, page)["input"]
    assert sent["mask_image_url"] == spec["input"]["mask_image_url"]


def test_a_mask_in_colours_becomes_one_of_black_and_white(visit: Visiting, api: FakeApi) -> None:
    spec = stored(api)
    coloured = Image.new("RGB", (902, 508), (255, 255, 255))
    ImageDraw.Draw(coloured).rectangle((100, 100, 300, 200), fill=(255, 0, 0))
    api.objects[MASK] = png(coloured)
    page = again(visit, api, spec | {"parameters": {"mask_color": [[255, 0, 0]]}})
    sent = submitted(api, page)
    assert "mask_color" not in sent.get("parameters", {})
    found = pixels(api.objects[sent["input"]["mask_image_url"].removeprefix("oss:///")])[:, :, 0]
    assert (found[150, 200], found[50, 50]) == (255, 0)


def test_a_drawing_comes_back_as_a_drawing(visit: Visiting, api: FakeApi) -> None:
    sheet = Image.new("RGB", (1024, 1024), "white")
    ImageDraw.Draw(sheet).line((200, 512, 800, 512), fill=(0, 0, 0), width=12)
    api.objects["inputs/drawing.png"] = png(sheet)
    given = {"prompt": "a lighthouse", "sketch_image_url": "oss:///inputs/drawing.png"}
    page = again(visit, api, {"model": SKETCH, "input": given})
    expect(page.locator(".painter-status")).not_to_have_text("0 % drawn")
    page.get_by_role("button", name="Eraser").click()
    for _ in range(8):
        page.locator(".painter-stage").press("]")
    paint(page, (0.1, 0.5), (0.9, 0.5))
    assert painted(page).startswith("0")


def test_the_colours_of_a_drawing_are_still_named_after_another_line(
    visit: Visiting, api: FakeApi
) -> None:
    sheet = Image.new("RGB", (1024, 1024), "white")
    ImageDraw.Draw(sheet).line((200, 300, 800, 300), fill=(212, 35, 42), width=12)
    api.objects["inputs/drawing.png"] = png(sheet)
    given = {"prompt": "a lighthouse", "sketch_image_url": "oss:///inputs/drawing.png"}
    parameters = {"sketch_color": [[212, 35, 42]]}
    page = again(visit, api, {"model": SKETCH, "input": given, "parameters": parameters})
    paint(page, (0.2, 0.7), (0.8, 0.7))
    sent = submitted(api, page)["parameters"]["sketch_color"]
    assert sorted(sent) == [[0, 0, 0], [212, 35, 42]]


def test_a_message_fills_the_form_as_well(visit: Visiting, api: FakeApi) -> None:
    api.objects[BASE] = (INPUTS / "cat.jpg").read_bytes()
    api.objects["inputs/vase.png"] = (INPUTS / "vase.png").read_bytes()
    content = [{"image": f"oss:///{BASE}"}, {"image": "oss:///inputs/vase.png"}, {"text": "join"}]
    given = {"messages": [{"role": "user", "content": content}]}
    parameters = {"negative_prompt": "fog", "watermark": True}
    page = again(visit, api, {"model": EDIT, "input": given, "parameters": parameters})
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("join")
    expect(page.locator(".thumbnail img")).to_have_count(2)
    sent = submitted(api, page)
    assert sent["input"] == {
        "prompt": "join",
        "negative_prompt": "fog",
        "images": [f"oss:///{BASE}", "oss:///inputs/vase.png"],
    }
    assert sent["parameters"]["watermark"] is True


def test_every_kind_of_field_comes_back(visit: Visiting, api: FakeApi) -> None:
    for name in ("vase.png", "person.png", "shirt.png"):
        api.objects[f"inputs/{name}"] = (INPUTS / name).read_bytes()
    edges = {
        "foreground_edge": ["oss:///inputs/person.png", "oss:///inputs/shirt.png"],
        "foreground_edge_prompt": ["leaves", "stones"],
    }
    given = {"base_image_url": "oss:///inputs/vase.png", "ref_prompt": "a table"}
    spec = {
        "model": "wanx-background-generation-v2",
        "input": given | {"reference_edge": edges},
        "parameters": {"n": 2},
    }
    page = again(visit, api, spec)
    sent = submitted(api, page)
    assert sent["input"] == spec["input"]
    assert sent["parameters"]["n"] == 2


def test_the_seed_of_a_result_can_be_given(visit: Visiting, api: FakeApi) -> None:
    spec = {"model": "z-image-turbo", "input": {"prompt": "a boat"}}
    page = visit().sign_in()
    filled = page.evaluate(
        """async (job) => {
          const load = (file) => import(`/web/js/${file}.js`);
          const files = ["catalogue", "draft", "rerun"].map(load);
          const [{ loadModels, findModel }, { draftOf }, { fillFrom }] = await Promise.all(files);
          await loadModels();
          const name = await fillFrom(job, { seed: 41 });
          return draftOf(findModel(name)).parameters;
        }""",
        {"model": spec["model"], "spec": spec},
    )
    assert filled == {"seed": 41}


def test_what_was_erased_in_a_mask_is_not_sent(visit: Visiting, api: FakeApi) -> None:
    page = again(visit, api, stored(api))
    expect(page.locator(".painter-status")).not_to_have_text("0 % painted")
    page.get_by_role("button", name="Clear").click()
    paint(page, (0.5, 0.5), (0.6, 0.5))
    address = submitted(api, page)["input"]["mask_image_url"]
    found = pixels(api.objects[address.removeprefix("oss:///")])[:, :, 0]
    assert 0 < np.count_nonzero(found) < found.size / 10
