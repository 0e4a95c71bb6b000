"""A job's page: what it shows while it waits, images at full size, what it cost, and seeds."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Route, expect

from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import Visit, paint
from tests.browser.test_gallery import done
from tests.browser.test_live import SPEC, until

Visiting = Callable[..., Visit]
PAINTED = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const at = data.findIndex((value, index) => index % 4 === 3 && value === 255) - 3;
  return [...data.slice(at, at + 3)];
}"""
"""The colour of a mask as it is painted; the canvas rounds it."""


def test_a_waiting_job_shows_its_picture_with_the_mask_over_it(
    visit: Visiting, api: FakeApi
) -> None:
    page = visit().inpainting()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    painted = page.locator(".mask-canvas").evaluate(PAINTED)
    page.get_by_label("Prompt", exact=True).fill("a hat")
    api.hold = True
    page.locator("button[type=submit]").click()
    picture = page.locator(".waiting-picture")
    expect(picture.locator("img")).to_be_visible()
    mask = picture.locator(".waiting-mask")
    shown = mask.evaluate("one => getComputedStyle(one).backgroundColor.match(/\\d+/g).map(Number)")
    assert shown == pytest.approx(painted, abs=2)
    assert "blob:" in mask.evaluate("element => getComputedStyle(element).maskImage")
    api.hold = False
    page.wait_for_selector(".compare")
    expect(picture).to_have_count(0)


@pytest.mark.parametrize(("language", "said"), [("en-GB", "sent again"), ("zh-CN", "自动重新提交")])
def test_a_job_that_is_back_in_line_says_why(
    visit: Visiting, api: FakeApi, language: str, said: str
) -> None:
    api.hold = True
    error = {"code": "Throttling", "message": "Too many requests.", "hint": "Nothing to do."}
    api.add("slow", SPEC, error=error)
    page = visit(locale=language).sign_in("#/jobs/slow")
    expect(page.locator(".state-why")).to_contain_text(said)
    expect(page.locator(".state-why")).to_contain_text("Too many requests")
    expect(page.locator(".failure")).to_have_count(0)


PAID = {"per_image": 0.2, "total": 0.4, "currency": "CNY"}
COSTS = [
    ("FAILED", None, None, "Nothing was billed"),
    ("FAILED", PAID, None, "CN¥0.40"),
    ("EXPIRED", None, None, "Nothing was billed"),
    ("CANCELED", None, "CanceledInDoubt", "Not known"),
    ("FAILED", None, "CallLost", "Not known"),
    ("NEEDS_ATTENTION", None, None, "Not known"),
    ("SUCCEEDED", PAID, None, "CN¥0.40"),
    ("SUCCEEDED", {"per_image": 0, "total": 0, "currency": "CNY"}, None, "Free trial"),
]


@pytest.mark.parametrize(("state", "price", "code", "said"), COSTS)
def test_a_job_that_is_over_costs_what_was_billed(
    visit: Visiting, api: FakeApi, state: str, price: Any, code: str | None, said: str
) -> None:
    job = done(api, "cat", images=0, state=state)
    job.price, job.error = price, {"code": code, "message": "why"} if code else None
    page = visit(locale="en-GB").sign_in("#/jobs/cat")
    facts = page.locator(".details dl")
    expect(facts).to_contain_text(said)
    expect(facts).not_to_contain_text("At most")


def test_full_size_and_its_keys(visit: Visiting, api: FakeApi) -> None:
    job = done(api, "cat", images=3)
    buffer = io.BytesIO()
    Image.new("RGB", (3000, 2000), (200, 90, 60)).save(buffer, "PNG")
    api.objects[job.images[1]] = buffer.getvalue()
    page = visit().sign_in("#/jobs/cat")
    opener = page.locator(".result-foot").get_by_role("button", name="Full size")
    opener.click()
    status, image = page.locator(".lightbox-status"), page.locator(".lightbox-image")
    expect(status).to_have_text("1 of 3 · 100 %")
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("2 of 3")
    expect(status).not_to_contain_text("100 %")
    page.keyboard.press("1")
    expect(status).to_have_text("2 of 3 · 100 %")
    assert image.evaluate("one => one.getBoundingClientRect().width") == 3000
    page.keyboard.press("-")
    expect(status).to_have_text("2 of 3 · 80 %")
    page.keyboard.press("+")
    page.keyboard.press("0")
    expect(status).not_to_contain_text("100 %")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(status).to_contain_text("3 of 3")
    page.keyboard.press("Escape")
    expect(page.locator(".lightbox")).to_have_count(0)
    expect(page.locator(".result-foot .facts")).to_contain_text("Image 3")


def test_the_focus_returns_from_full_size(visit: Visiting, api: FakeApi) -> None:
    done(api, "cat")
    page = visit().sign_in("#/jobs/cat")
    opener = page.locator(".result-foot").get_by_role("button", name="Full size")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".lightbox-stage")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_a_seed_is_shown_and_used_again(visit: Visiting, api: FakeApi) -> None:
    job = done(api, "cat")
    job.spec = {**SPEC, "parameters": {"seed": 4711}}
    page = visit().sign_in("#/jobs/cat")
    expect(page.locator(".details dl")).to_contain_text("4711")
    page.get_by_role("button", name="Same seed").click()
    page.wait_for_selector("form")
    assert page.evaluate(
        "[...document.querySelectorAll('input')].some(one => one.value === '4711')"
    )


def test_a_seed_left_to_chance_is_known_and_belongs_to_one_submission(
    visit: Visiting, api: FakeApi
) -> None:
    page = visit().sign_in("#/create/z-image-turbo")
    seeds = list[int]()
    for prompt in ("a boat", "a ship"):
        page.get_by_label("Prompt", exact=True).fill(prompt)
        page.locator("button[type=submit]").click()
        page.wait_for_selector(".results")
        seeds.append(list(api.jobs.values())[-1].spec["parameters"]["seed"])
        expect(page.locator(".details dl")).to_contain_text(str(seeds[-1]))
        page.get_by_role("button", name="Run again with changes").click()
        page.wait_for_selector("form")
    assert seeds[0] != seeds[1]


def test_a_second_press_after_a_lost_answer_sends_the_same_seed(
    visit: Visiting, api: FakeApi
) -> None:
    page = visit().sign_in("#/create/z-image-turbo")
    sent = list[tuple[str, str]]()

    def lose(route: Route) -> None:
        request = route.request
        sent.append((request.headers["idempotency-key"], request.post_data or ""))
        route.abort()

    page.route("**/jobs", lose)
    page.get_by_label("Prompt", exact=True).fill("a boat")
    for presses in (1, 2):
        page.locator("button[type=submit]").click()
        until(page, lambda wanted=presses: len(sent) == wanted)  # type: ignore[misc]
        expect(page.locator("button[type=submit]")).to_be_enabled()
    assert sent[0] == sent[1]
    assert '"seed":' in sent[0][1]


def test_earlier_prompts_are_offered_until_somebody_signs_out(
    visit: Visiting, api: FakeApi
) -> None:
    done(api, "cat", prompt="a cat in the garden")
    page = visit().sign_in("#/jobs/cat")
    page.wait_for_selector(".result-foot")
    page.get_by_role("link", name="Create").click()
    page.locator('[data-task="edit"]').click()
    page.locator(".history summary").first.click()
    page.get_by_role("button", name="a cat in the garden").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a cat in the garden")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("#token")
    assert "garden" not in page.evaluate("JSON.stringify(localStorage)")


def test_what_somebody_else_left_is_forgotten(visit: Visiting, api: FakeApi) -> None:
    done(api, "cat", prompt="a cat in the garden")
    one = visit()
    page = one.sign_in("#/jobs/cat")
    page.get_by_role("button", name="Add to the favourites").click()
    page.evaluate("sessionStorage.clear()")
    page.evaluate("localStorage.setItem('wanx-person', 'another')")
    page.reload()
    one.sign_in("#/create")
    assert "wanx-kept" not in page.evaluate("JSON.stringify(localStorage)")


def test_a_job_is_hidden_and_shown_again_from_its_page(visit: Visiting, api: FakeApi) -> None:
    job = done(api, "cat")
    page = visit().sign_in("#/jobs/cat")
    page.get_by_role("button", name="Hide").click()
    expect(page.locator(".toast")).to_contain_text("Nothing was deleted")
    assert job.hidden
    page.locator(".toast").click()
    expect(page.locator(".toast")).to_have_count(0)
    page.get_by_role("button", name="Show again").click()
    expect(page.get_by_role("button", name="Hide")).to_be_visible()
    assert not job.hidden


def test_an_admin_erases_a_job_from_its_page(visit: Visiting, api: FakeApi) -> None:
    api.admin = True
    done(api, "cat")
    page = visit().sign_in("#/jobs/cat")
    page.get_by_role("button", name="Erase").click()
    page.get_by_role("button", name="Erase for good").click()
    page.wait_for_selector(".gallery")
    assert api.jobs == {}


SHOWN = """
window.shown = [];
window.Notification = class { constructor(title) { window.shown.push(title); } };
Notification.permission = "default";
Notification.requestPermission = async () => (Notification.permission = "granted");
"""


def test_a_notification_only_after_a_click_and_when_nobody_looks(
    visit: Visiting, api: FakeApi
) -> None:
    api.hold = True
    api.add("cat", SPEC)
    one = visit()
    one.page.add_init_script(SHOWN)
    page = one.sign_in("#/jobs/cat")
    expect(page).to_have_title("(1) Job cat · Wanx Functions")
    assert page.evaluate("Notification.permission") == "default"
    page.get_by_role("button", name="Notify me").click()
    expect(page.get_by_role("button", name="Notify me")).to_have_attribute("aria-pressed", "true")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    api.hold = False
    until(page, lambda: page.evaluate("window.shown") == ["Done: a picture"])
    expect(page).to_have_title("Job cat · Wanx Functions")


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_page_of_a_job_fits_its_window(
    visit: Visiting, api: FakeApi, size: tuple[int, int]
) -> None:
    done(api, "cat", images=2, prompt="word" * 40)
    page = visit(size=size).sign_in("#/jobs/cat")
    page.wait_for_selector(".result-foot")
    right = "one => one.getBoundingClientRect().right"
    most = max(one.evaluate(right) for one in page.locator(".job > *, .job .card").all())
    assert most <= page.locator(".job").evaluate(right)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


@pytest.mark.parametrize(
    ("language", "button", "said"),
    [("en-GB", "Cancel", "Too late to cancel"), ("zh-CN", "取消", "已来不及取消")],
)
def test_a_cancel_that_comes_too_late_is_said_in_the_pages_language(
    visit: Visiting, api: FakeApi, language: str, button: str, said: str
) -> None:
    api.hold = True
    api.add("cat", SPEC)
    page = visit(locale=language).sign_in("#/jobs/cat")
    page.route("**/cancel", lambda route: route.fulfill(status=409, json={"detail": "PENDING"}))
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".toast")).to_contain_text(said)


def test_the_keyboard_opens_compares_and_saves_a_result(visit: Visiting, api: FakeApi) -> None:
    done(api, "cat", images=2)
    page = visit().sign_in("#/jobs")
    page.locator(".tile").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".results")
    reached = list[str]()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
        if reached[-1] == "Compare":
            page.keyboard.press("Enter")
            expect(page.get_by_role("dialog", name="Compare two images")).to_be_visible()
            divide = page.get_by_role("slider")
            divide.focus()
            page.keyboard.press("ArrowRight")
            expect(divide).to_have_value("51")
            page.keyboard.press("Escape")
        if reached[-1] == "Download":
            link = page.evaluate("document.activeElement.href")
            assert link.endswith("/results/cat/image-1.png")
            break
    assert [one for one in reached if one in ("Full size", "Compare", "Download")] == [
        "Full size",
        "Compare",
        "Download",
    ]


def test_the_counter_is_read_aloud_only_where_something_is_cut_off(visit: Visiting) -> None:
    page = visit().sign_in("#/create/wanx-x-painting")
    counter = page.locator(".counter").first
    prompt = page.get_by_label("Prompt", exact=True)
    prompt.fill("a hat")
    expect(counter).to_have_attribute("aria-live", "off")
    prompt.fill("a hat " * 20)
    expect(counter).to_have_attribute("aria-live", "polite")
