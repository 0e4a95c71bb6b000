"""The page begins with what a person wants to do."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from shared.catalogue.tasks import Task, load_tasks
from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import INPUTS, Visit, paint

Visiting = Callable[..., Visit]
TASKS = load_tasks()
ABOVE_THE_FORM = 61 + 22 + 170
"""The frame of the page, a gap, and what tasks and models may take (CSS pixels)."""


def model_of(page: Page, name: str) -> None:
    """Another model of the task that is chosen."""
    page.locator(f'.model-card input[value="{name}"]').check()
    page.wait_for_selector(f'form[data-model="{name}"]')


def spec(api: FakeApi, page: Page) -> dict[str, object]:
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".job")
    return list(api.jobs.values())[-1].spec


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_every_task_is_offered_in_its_order(visit: Visiting, locale: str) -> None:
    page = visit(locale=locale).sign_in("")
    titles = [task.en["title"] if locale == "en-GB" else task.zh["title"] for task in TASKS]
    expect(page.locator(".task-tile strong")).to_have_text(titles)


@pytest.mark.parametrize("task", TASKS, ids=lambda one: one.id)
def test_a_task_leads_to_the_first_model_recommended_for_it(visit: Visiting, task: Task) -> None:
    page = visit(size=(1440, 900)).sign_in(f"#/create/{task.id}")
    form = page.locator(f'form[data-model="{task.recommended[0]}"]')
    expect(form).to_be_visible()
    expect(page.locator(".task[aria-current]")).to_have_attribute("data-task", task.id)
    box = form.bounding_box()
    assert box is not None
    assert box["y"] <= ABOVE_THE_FORM


def test_the_keyboard_leads_from_a_task_to_its_form(visit: Visiting) -> None:
    page = visit().sign_in("")
    page.locator(".task-tile").nth(3).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector('form[data-model="qwen-image-3.0"]')
    assert page.url.endswith("#/create/words")


def test_a_task_chooses_what_a_model_of_many_functions_does(
    visit: Visiting, api: FakeApi, tmp_path: Path
) -> None:
    page = visit().sign_in("#/create/repaint")
    expect(page.locator('[data-pointer="/input/function"]')).to_be_hidden()
    page.set_input_files(".drop-zone input", INPUTS / "house-sketch.png")
    paint(page, (0.3, 0.4), (0.6, 0.5))
    page.get_by_label("Prompt", exact=True).fill("a hat")
    given = spec(api, page)["input"]
    assert isinstance(given, dict)
    assert given["function"] == "description_edit_with_mask"
    assert "mask_image_url" in given


def test_a_task_of_several_functions_offers_these_alone(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/improve")
    chips = page.locator('[data-pointer="/input/function"] .chip')
    expect(chips).to_have_count(3)
    expect(chips.first.locator("input")).to_be_checked()
    page.goto(f"{api.url}/#/create/wanx2.1-imageedit")
    expect(chips).to_have_count(10)


def test_from_words_there_is_no_place_for_pictures(visit: Visiting) -> None:
    page = visit().sign_in("#/create/words/wan2.7-image")
    expect(page.locator(".form-pictures")).to_be_hidden()


def test_a_picture_is_asked_for_where_the_task_is_about_one(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/combine")
    page.get_by_label("Prompt", exact=True).fill("both")
    page.set_input_files(".drop-zone input", INPUTS / "cat.jpg")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".problems")).to_contain_text("“Images” needs 2 pictures or more")
    assert api.jobs == {}


def test_another_model_of_the_task_keeps_what_was_entered(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/edit/wan2.7-image")
    page.get_by_label("Prompt", exact=True).fill("make it winter")
    page.set_input_files(".drop-zone input", INPUTS / "cat.jpg")
    expect(page.locator(".upload-status")).to_contain_text("Uploaded")
    model_of(page, "qwen-image-3.0")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("make it winter")
    expect(page.locator(".picture .name")).to_have_text("cat.jpg")
    assert len(api.keys) == 1, "it is not uploaded again"
    assert page.url.endswith("#/create/edit/qwen-image-3.0")


def test_a_picture_that_the_other_model_refuses_is_converted(
    visit: Visiting, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    Image.new("RGB", (5000, 3000), "teal").save(large)
    page = visit().sign_in("#/create/edit/wan2.7-image")
    page.set_input_files(".drop-zone input", large)
    expect(page.locator(".upload-status")).to_contain_text("Uploaded")
    page.locator(".all-models > summary").click()
    page.locator('.model-row[value="wanx2.1-imageedit"]').click()
    page.wait_for_selector('form[data-model="wanx2.1-imageedit"]')
    expect(page.locator(".picture .facts")).to_contain_text("4096 × 2458")


def test_an_address_that_leads_nowhere_says_so(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/gallery")
    expect(page.locator(".notice")).to_contain_text("There is nothing at #/gallery")
    page.goto(f"{api.url}/#/create/no-such-model")
    expect(page.locator(".notice")).to_contain_text("“no-such-model” is not offered here")
    expect(page.locator(".task-tile").first).to_be_visible()


@pytest.mark.parametrize("task", TASKS, ids=lambda one: one.id)
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_sample_can_be_submitted_as_it_is(
    visit: Visiting, api: FakeApi, task: Task, locale: str
) -> None:
    page = visit(locale=locale).sign_in(f"#/create/{task.id}")
    page.get_by_role("button", name="Try a sample" if locale == "en-GB" else "试用示例").click()
    # A list shows each as a thumbnail and one of them large as well.
    pictures = page.locator(".pictures:not(.listed) .picture, .thumbnail")
    expect(pictures).to_have_count(len(task.sample["pictures"]))
    page.locator("button[type=submit]").click()
    page.wait_for_selector(".job")
    assert len(api.jobs) == 1


DROP = """([selector, name, type]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(window.picture), (one) => one.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type }));
  const kind = selector[0] === "!" ? "paste" : "drop";
  const target = document.querySelector(selector.replace("!", ""));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "drop"
    ? new DragEvent("drop", { ...options, dataTransfer: transfer })
    : new ClipboardEvent("paste", { ...options, clipboardData: transfer });
  return !target.dispatchEvent(event);
}"""


def hand_over(page: Page, selector: str) -> bool:
    """Drop a picture there, or paste it (`!` before the selector); whether it was caught."""
    picture = base64.b64encode((INPUTS / "cat.jpg").read_bytes()).decode()
    page.evaluate("(picture) => { window.picture = picture; }", picture)
    return bool(page.evaluate(DROP, [selector, "cat.jpg", "image/jpeg"]))


@pytest.mark.parametrize("place", ["header", "textarea", ".form-words", "!textarea", "!body"])
def test_a_picture_that_comes_down_anywhere_is_taken(visit: Visiting, place: str) -> None:
    page = visit().sign_in("#/create/edit")
    assert hand_over(page, place)
    expect(page.locator(".picture .name")).to_have_text("cat.jpg")
    expect(page.locator(".thumbnail")).to_have_count(1)


def test_a_picture_that_comes_down_beside_its_field_is_taken_once(
    visit: Visiting, api: FakeApi
) -> None:
    page = visit().sign_in("#/create/edit")
    assert hand_over(page, "header")
    expect(page.locator(".upload-status")).to_contain_text("Uploaded")
    expect(page.locator(".toast")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    expect(page.locator(".thumbnail")).to_have_count(1)
    assert len(api.keys) == 1


def test_a_picture_in_its_field_is_taken_once(visit: Visiting) -> None:
    page = visit().sign_in("#/create/edit")
    hand_over(page, ".drop-zone")
    expect(page.locator(".upload-status")).to_contain_text("Uploaded")
    expect(page.locator(".thumbnail")).to_have_count(1)


def test_a_picture_without_a_place_is_refused(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/jobs")
    assert hand_over(page, "header")
    expect(page.locator(".toast")).to_contain_text("Choose first what you would like to do")
    page.goto(f"{api.url}/#/create/extend")
    page.set_input_files(".drop-zone input", INPUTS / "person.png")
    expect(page.locator(".picture .name")).to_have_text("person.png")
    assert hand_over(page, "header")
    expect(page.locator(".toast")).to_contain_text("no room for another picture")


def test_a_picture_that_comes_before_the_choice_is_there_after_it(visit: Visiting) -> None:
    page = visit().sign_in("#/")
    page.wait_for_selector(".task-tile")
    assert hand_over(page, "header")
    expect(page.locator(".toast")).to_contain_text("Choose what to do with it")
    page.locator('.task-tile[data-task="extend"]').click()
    expect(page.locator(".picture .name")).to_be_visible()
    page.locator(".brand").click()
    page.locator('.task-tile[data-task="combine"]').click()
    page.wait_for_selector(".drop-zone")
    assert page.locator(".picture .name, .thumbnail").count() == 0, "it was given once"


def test_ctrl_enter_submits_wherever_the_focus_is(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/words")
    page.get_by_label("Prompt", exact=True).fill("a boat")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".job")
    assert len(api.jobs) == 1


def test_ctrl_enter_submits(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/words")
    page.get_by_label("Prompt", exact=True).fill("a boat")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".job")
    assert len(api.jobs) == 1


def test_every_picture_goes_with_every_prompt(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/edit/qwen-image-edit-plus")
    page.set_input_files(".form-pictures .drop-zone input", INPUTS / "cat.jpg")
    page.get_by_label("Prompt", exact=True).fill("winter")
    page.get_by_text("Several at once").click()
    page.get_by_label("Further prompts").fill("summer\n\n autumn ")
    page.get_by_label("Add further pictures").set_input_files(INPUTS / "coffee.jpg")
    expect(page.locator(".price strong")).to_have_text("At most CN¥1.20")
    expect(page.locator(".price")).to_contain_text("6 jobs, 6 images")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".tile")).to_have_count(6)
    given = [job.spec for job in api.jobs.values()]
    asked = {(spec["input"]["prompt"], str(spec["input"]["images"])) for spec in given}
    assert len(asked) == 6
    assert {prompt for prompt, _ in asked} == {"winter", "summer", "autumn"}
    assert len({spec["job"]["labels"]["label"] for spec in given}) == 1
    assert len(api.keys) == 2, "each picture is uploaded once"


def test_more_jobs_than_go_at_once_are_refused(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/words")
    page.get_by_label("Prompt", exact=True).fill("one")
    page.get_by_text("Several at once").click()
    page.get_by_label("Further prompts").fill("\n".join(str(number) for number in range(100)))
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".problems")).to_contain_text("These are 101 jobs; at most 100 go at once.")
    assert api.jobs == {}


def test_a_mask_belongs_to_one_picture(visit: Visiting) -> None:
    page = visit().sign_in("#/create/repaint")
    page.get_by_text("Several at once").click()
    expect(page.get_by_label("Further prompts")).to_be_visible()
    expect(page.get_by_role("button", name="Add further pictures")).to_have_count(0)
