"""The page finds what the API finds, and writes the jobs that the API would make of a form."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from shared.catalogue.conditions import holds
from tests.browser.page_kit import Visit
from tests.kit.heic import heic
from tests.kit.jobfile import CATALOGUE, URL, checked, image

Visiting = Callable[..., Visit]
ASK = """async ({ model: name, input, parameters }) => {
  const load = (file) => import(`/web/js/${file}.js`);
  const [{ loadModels, findModel, imageRule }, { startFresh }, { violationsOf }, { jobOf }] =
    await Promise.all(["catalogue", "draft", "check", "jobfile"].map(load));
  await loadModels();
  const model = findModel(name);
  const draft = startFresh(model);
  for (const [field, value] of Object.entries(input)) {
    if (imageRule(model, field)) draft.pictures[field] = [value].flat().map((url) => ({ url }));
    else draft.input[field] = value;
  }
  Object.assign(draft.parameters, parameters ?? {});
  return { violations: violationsOf(model, draft), job: jobOf(model, draft) };
}"""
WAN, PRO, EDIT = "wan2.7-image", "wan2.7-image-pro", "wanx2.1-imageedit"
PALETTE = [{"hex": "#C2D1E6", "ratio": "30.00%"}] * 3
PROMPT = {"prompt": "a quiet harbour"}
PICTURES = {**PROMPT, "images": [URL]}
TRANSLATE = "qwen-mt-image"
JAPANESE = {"image_url": URL, "source_lang": "ja"}
BASE = {**PROMPT, "base_image_url": URL}


def job(model: str, given: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return {"model": model, "input": given, "parameters": parameters}


CUT, STYLE, TRYON = "wanx-background-generation-v2", "wanx-style-repaint-v1", "aitryon"
OBJECT = {"base_image_url": URL, "ref_prompt": "a table"}
WORN = {"person_image_url": URL, "top_garment_url": URL}


def elements(**lists: list[str]) -> dict[str, Any]:
    """As the page has the fields of an object."""
    return {**OBJECT, **{f"reference_edge/{name}": value for name, value in lists.items()}}


WRONG = {
    "/input/ref_prompt": job(CUT, {"base_image_url": URL}),
    "/input/reference_edge/foreground_edge, eleven": job(
        CUT, elements(foreground_edge=[URL] * 5, background_edge=[URL] * 6)
    ),
    "/input/reference_edge/foreground_edge_prompt, fewer": job(
        CUT, elements(foreground_edge=[URL, URL], foreground_edge_prompt=["a dog"])
    ),
    "/input/reference_edge/background_edge, none": job(
        CUT, elements(background_edge_prompt=["a leaf"])
    ),
    "/input/style_ref_url": job(STYLE, {"image_url": URL, "style_index": -1}),
    "/input/style_index": job(STYLE, {"image_url": URL}),
    "/input/top_garment_url": job(TRYON, {"person_image_url": URL}),
    "/parameters/n": job(WAN, PROMPT, n=5),
    "/parameters/size, 4K": job(PRO, PICTURES, size="4K"),
    "/parameters/size, area": job(WAN, PROMPT, size="100*100"),
    "/parameters/size, aspect": job(WAN, PROMPT, size="4000*400"),
    "/parameters/size, form": job(WAN, PROMPT, size="big"),
    "/parameters/color_palette, sum": job(WAN, PROMPT, color_palette=PALETTE),
    "/parameters/color_palette, few": job(
        WAN, PROMPT, color_palette=[{"hex": "#C2D1E6", "ratio": "100.00%"}]
    ),
    "/parameters/bbox_list": job(WAN, PICTURES, bbox_list=[[], []]),
    "/input/images, none to edit": job("wan2.6-image", PROMPT),
    "/input/images, two": job(
        "wan2.6-image", {**PROMPT, "images": [URL, URL]}, enable_interleave=True
    ),
    "/parameters/prompt_extend_mode": job("qwen-image-3.0", PICTURES, prompt_extend_mode="agent"),
    "/input/mask_image_url": job(EDIT, {**BASE, "function": "description_edit_with_mask"}),
    "/input/function": job(EDIT, BASE),
    "/input/images": job("qwen-image-edit-plus", PROMPT),
    "/input/image_url": job("image-out-painting", {}),
    "/input/prompt": job("z-image-turbo", {}),
    "/input/target_lang, pair": job(TRANSLATE, {**JAPANESE, "target_lang": "ko"}),
    "/input/target_lang, same": job(
        TRANSLATE, {**JAPANESE, "source_lang": "en", "target_lang": "en"}
    ),
    "/input/target_lang, nothing": job(TRANSLATE, JAPANESE),
    "/input/ext/terminologies/0/tgt": job(
        TRANSLATE, {**JAPANESE, "target_lang": "en", "ext/terminologies": [{"src": "茶"}]}
    ),
}


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """The same job as a job file has it."""
    given: dict[str, Any] = {}
    for name, value in flat["input"].items():
        outer, _, inner = name.partition("/")
        if inner:
            given.setdefault(outer, {})[inner] = value
        else:
            given[name] = value
    return {**flat, "input": given}


def webp(alpha: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (300, 300), (9, 9, 9, alpha)).save(file, "WEBP")
    return file.getvalue()


def of_the_page(page: Page, asked: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate(ASK, asked)
    return answer


@pytest.mark.parametrize("name", WRONG)
def test_the_page_names_the_place_that_the_api_names(visit: Visiting, name: str) -> None:
    page = visit().sign_in()
    found = of_the_page(page, WRONG[name])["violations"]
    expected = [one.pointer for one in checked(nested(WRONG[name])).violations]
    assert [one["pointer"] for one in found] == expected == [name.split(",")[0]]
    assert "{" not in found[0]["message"]


@pytest.mark.parametrize("model", CATALOGUE.names())
def test_a_form_that_is_filled_in_is_a_job_with_its_defaults(visit: Visiting, model: str) -> None:
    entry = CATALOGUE.get(model)
    assert entry is not None
    asking = (rule for rule in entry.rules if rule["kind"] == "required_if")
    needed = [rule["at"].split("/")[2] for rule in asking if holds(rule["when"], entry, {})]
    required = [*entry.input_schema.get("required", []), *needed]
    values = {"prompt": "a quiet harbour", "images": [URL], "function": "colorization"}
    values |= {"source_lang": "ja", "target_lang": "zh"}
    more = {"mask_image_url": f"{URL}?mask", "style_index": 3}
    given = {name: {**values, **more}.get(name, URL) for name in required}
    given |= {CUT: OBJECT, TRYON: WORN, f"{TRYON}-plus": WORN}.get(model, {})
    answer = of_the_page(visit().sign_in(), job(model, given))
    assert answer["violations"] == []
    found = checked(answer["job"])
    assert found.violations == ()
    assert found.spec is not None
    assert found.spec.parameters == answer["job"].get("parameters", {})


LOOK = """async ({ model: name, field, body }) => {
  const load = (file) => import(`/web/js/${file}.js`);
  const [{ loadModels, findModel, imageRule }, { readPicture }] =
    await Promise.all(["catalogue", "picture"].map(load));
  await loadModels();
  const bytes = Uint8Array.from(atob(body), (one) => one.charCodeAt(0));
  const rule = imageRule(findModel(name), field);
  return readPicture(new File([bytes], "a.png"), rule).then(() => "", (error) => error.message);
}"""
EDGE = "reference_edge/background_edge"
PICTURES_OF: dict[str, tuple[str, str, bytes, bool]] = {
    "RGBA": (CUT, "base_image_url", image("PNG", mode="RGBA"), True),
    "RGB": (CUT, "base_image_url", image("PNG"), False),
    "a palette with transparency": (
        CUT,
        "base_image_url",
        image("PNG", mode="P", transparency=0),
        False,
    ),
    "2048 long": (CUT, "base_image_url", image("PNG", (2048, 1), "RGBA"), True),
    "2049 long": (CUT, "base_image_url", image("PNG", (2049, 1), "RGBA"), False),
    "of no bound": (CUT, "ref_image_url", image("PNG", (9000, 1)), True),
    "WEBP with alpha": (CUT, EDGE, webp(100), True),
    "WEBP without": (CUT, EDGE, webp(255), False),
    "shorter side too long": (STYLE, "image_url", image("PNG", (3241, 3241), "1"), False),
    "longer side as long": (STYLE, "image_url", image("PNG", (2880, 5760), "1"), True),
    "too long a side": (
        STYLE,
        "image_url",
        image("PNG", (300, 601), "1"),
        False,
    ),
    "few bytes": (TRYON, "person_image_url", image("PNG"), False),
    "HEIC": (TRYON, "person_image_url", heic((400, 400)), True),
    "HEIC elsewhere": (STYLE, "image_url", heic((400, 400)), False),
}


@pytest.mark.parametrize("name", PICTURES_OF)
def test_the_page_takes_the_pictures_that_the_api_takes(visit: Visiting, name: str) -> None:
    model, field, body, taken = PICTURES_OF[name]
    asked = {"model": model, "field": field, "body": base64.b64encode(body).decode()}
    said = visit().sign_in().evaluate(LOOK, asked)
    key: Any = "oss:///inputs/a.png"
    portrait: dict[str, Any] = {"image_url": URL, "style_index": 3}
    given = {
        **{CUT: OBJECT, STYLE: portrait, TRYON: WORN}[model],
        field: [key] if "/" in field else key,
    }
    found = checked(nested(job(model, given)), {"inputs/a.png": body})
    assert (not said, found.spec is not None) == (taken, taken), (said, found.violations)
    assert "{" not in said


def test_the_fields_of_an_object_are_written_into_it(visit: Visiting) -> None:
    given = elements(foreground_edge=[URL], foreground_edge_prompt=["a dog"])
    answer = of_the_page(visit().sign_in(), job(CUT, given))
    assert answer["violations"] == []
    assert answer["job"]["input"] == nested(job(CUT, given))["input"]


def test_what_has_no_effect_is_no_part_of_the_job(visit: Visiting) -> None:
    page = visit().sign_in()
    given = {**BASE, "function": "expand", "mask_image_url": URL}
    answer = of_the_page(page, job(EDIT, given, strength=0.2, top_scale=1.5))
    assert answer["violations"] == []
    assert answer["job"]["parameters"] == {"top_scale": 1.5, "n": 1}
    assert "mask_image_url" not in answer["job"]["input"]
