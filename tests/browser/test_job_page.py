"""What the page shows of a job: calls, texts, and models without a future."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import Visit

Visiting = Callable[..., Visit]
CALLED = {"model": "z-image-turbo", "input": {"prompt": "a quiet harbour"}}
DEAD = {
    "model": "wanx-x-painting",
    "input": {
        "prompt": "a red hat",
        "base_image_url": "oss:///inputs/base.png",
        "mask_image_url": "oss:///inputs/mask.png",
    },
    "parameters": {"style": "<watercolor>", "n": 2},
}
UNAVAILABLE = {
    "title": "Store unavailable",
    "status": 503,
    "detail": "The bucket cannot be asked at the moment; try again in a few seconds.",
    "detail_zh": "暂时无法访问 Bucket；请几秒后重试。",
}
NEW = {"function": "description_edit_with_mask", "prompt": "a red hat"}


def test_an_open_call_cannot_be_canceled(visit: Visiting, api: FakeApi) -> None:
    api.hold = True
    job = api.add("call", CALLED)
    page = visit().sign_in("#/jobs/call")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    job.state, job.version = "SUBMITTING", 2
    expect(page.locator(".state-word")).to_have_text("Being drawn, in one call")
    expect(page.locator(".state-card")).to_contain_text("Cannot be canceled now")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    api.hold = False
    page.wait_for_selector(".result-image")


@pytest.mark.parametrize(
    ("language", "words"), [("en-GB", "is then paid for twice"), ("zh-CN", "将重复计费")]
)
def test_a_lost_call_says_what_a_person_can_do(
    visit: Visiting, api: FakeApi, language: str, words: str
) -> None:
    error = {"code": "CallLost", "message": "The answer was lost.", "hint": "Run `wanx resolve`."}
    api.add("lost", CALLED, error=error).state = "NEEDS_ATTENTION"
    page = visit(locale=language).sign_in("#/jobs/lost")
    expect(page.locator(".failure")).to_contain_text(words)
    expect(page.locator(".failure")).not_to_contain_text("wanx resolve")


def test_what_a_rule_says_of_a_job_is_said_in_the_pages_language(
    visit: Visiting, api: FakeApi
) -> None:
    message = "at /parameters/thinking_mode: thinking_mode counts only without pictures"
    found = {"pointer": "/parameters/thinking_mode", "message": message}
    api.add("wrong", CALLED, violations=[found]).state = "REJECTED"
    page = visit(locale="zh-CN").sign_in("#/jobs/wrong")
    said = "/parameters/thinking_mode：thinking_mode 仅在没有输入图像时有效"
    expect(page.locator(".violations")).to_contain_text(said)
    page.get_by_role("button", name="English").click()
    expect(page.locator(".violations")).to_contain_text(message)


@pytest.mark.parametrize(
    ("locale", "words"), [("en-GB", "The bucket cannot be asked"), ("zh-CN", "暂时无法访问 Bucket")]
)
def test_what_the_api_answers_is_said_in_the_pages_language(
    visit: Visiting, api: FakeApi, locale: str, words: str
) -> None:
    page = visit(locale=locale).sign_in()
    page.route("**/jobs?*", lambda route: route.fulfill(status=503, json=UNAVAILABLE))
    page.goto(f"{api.url}/#/gallery")
    page.get_by_role("link", name="Gallery" if locale == "en-GB" else "作品").click()
    expect(page.get_by_role("alert")).to_contain_text(words)


def test_texts_stand_beside_the_images(visit: Visiting, api: FakeApi) -> None:
    job = api.add("story", CALLED, texts=["First <b>chapter</b>", "The end"])
    job.plan = ["SUCCEEDED"]
    page = visit().sign_in("#/jobs/story")
    expect(page.locator(".result-text")).to_have_text(["First <b>chapter</b>", "The end"])


def test_a_job_of_a_model_without_a_future_is_taken_over_by_its_successor(
    visit: Visiting, api: FakeApi
) -> None:
    api.converted = {"input": {**NEW, **inline(("base_image_url", "mask_image_url"))}}
    api.converted |= {"parameters": {"n": 2}}
    api.add("old", DEAD).state = "SUCCEEDED"
    page = visit().sign_in("#/jobs/old")
    page.get_by_role("button", name="Run again with Wanx2.1 image editing").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a red hat")
    expect(page.locator('input[value="description_edit_with_mask"]')).to_be_checked()
    expect(page.locator(".painter-status")).to_have_text("25 % painted")
    expect(page.locator(".notice", has_text="Taken over")).to_contain_text("there are no styles")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".compare")
    spec = list(api.jobs.values())[-1].spec
    assert spec["model"] == "wanx2.1-imageedit"
    assert spec["parameters"] == {"n": 2}
    assert spec["input"]["mask_image_url"].startswith("oss:///inputs/")


def test_a_job_of_a_retired_model_goes_to_its_successor_alone(
    visit: Visiting, api: FakeApi
) -> None:
    api.retired = frozenset({"wanx-x-painting"})
    api.add("old", DEAD).state = "CANCELED"
    page = visit().sign_in("#/jobs/old")
    expect(page.get_by_role("button", name="Run again with Wanx2.1 image editing")).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
    expect(page.get_by_role("button", name="Run again with changes")).to_have_count(0)


def inline(fields: tuple[str, ...]) -> dict[str, str]:
    """Pictures in the job itself, as a conversion writes them: a grey one, a mask of a quarter."""
    found = {}
    for name in fields:
        image = Image.new("RGB", (600, 600), "grey" if name.startswith("base") else "black")
        if name.startswith("mask"):
            image.paste((255, 255, 255), (0, 0, 300, 300))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        found[name] = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return found


def test_who_was_told_is_shown_and_can_be_told_again(visit: Visiting, api: FakeApi) -> None:
    api.deliveries = [
        {
            "at": "2026-11-20T05:12:00.123Z",
            "event": "succeeded",
            "host": "hooks.example.com",
            "outcome": "failed",
            "status": 500,
            "why": "it answered 500",
        }
    ]
    api.add("told", CALLED)
    page = visit().sign_in("#/jobs/told")
    page.wait_for_selector(".result-image")
    page.get_by_text("What happened").click()
    expect(page.locator(".told tbody tr")).to_contain_text("hooks.example.com")
    expect(page.locator(".told tbody tr")).to_contain_text("Is told again (it answered 500)")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#announcer")).to_have_text("The receiver is told once more.")
    assert api.redelivered == ["told"]
