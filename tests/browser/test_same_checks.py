"""The page finds what the API finds, and writes the jobs that the API would make of a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from shared.catalogue.conditions import holds
from tests.browser.page_kit import Visit
from tests.kit.jobfile import CATALOGUE, URL, checked

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
BASE = {**PROMPT, "base_image_url": URL}


def job(model: str, given: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return {"model": model, "input": given, "parameters": parameters}


WRONG = {
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
}


def of_the_page(page: Page, asked: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate(ASK, asked)
    return answer


@pytest.mark.parametrize("name", WRONG)
def test_the_page_names_the_place_that_the_api_names(visit: Visiting, name: str) -> None:
    page = visit().sign_in()
    found = of_the_page(page, WRONG[name])["violations"]
    expected = [one.pointer for one in checked(WRONG[name]).violations]
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
    masks = {"mask_image_url": f"{URL}?mask"}
    given = {name: {**values, **masks}.get(name, URL) for name in required}
    answer = of_the_page(visit().sign_in(), job(model, given))
    assert answer["violations"] == []
    found = checked(answer["job"])
    assert found.violations == ()
    assert found.spec is not None
    assert found.spec.parameters == answer["job"].get("parameters", {})


def test_what_has_no_effect_is_no_part_of_the_job(visit: Visiting) -> None:
    page = visit().sign_in()
    given = {**BASE, "function": "expand", "mask_image_url": URL}
    answer = of_the_page(page, job(EDIT, given, strength=0.2, top_scale=1.5))
    assert answer["violations"] == []
    assert answer["job"]["parameters"] == {"top_scale": 1.5, "n": 1}
    assert "mask_image_url" not in answer["job"]["input"]
