"""The page follows its jobs: one open request, however many there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import Visit

Visiting = Callable[..., Visit]
SPEC = {"model": "wan2.5-i2i-preview", "input": {"prompt": "a picture", "images": ["oss:///a"]}}
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def running(api: FakeApi, number: int) -> None:
    """So many jobs that stay as they are until `hold` ends."""
    api.hold = True
    for place in range(number):
        job = api.add(f"job-{place:02}", SPEC)
        job.state, job.plan = "RUNNING", job.plan[-1:]


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for the stand-in; the browser's events go on meanwhile."""
    for _ in range(500):
        if holds():
            return
        page.wait_for_timeout(20)
    raise AssertionError("not within 10 s")


def test_ten_running_jobs_take_one_connection(visit: Visiting, api: FakeApi) -> None:
    running(api, 10)
    api.waits.seconds = 2.0
    page = visit().sign_in("#/jobs")
    done = page.locator(".tile .pill[data-tone=good]")
    until(page, lambda: api.waits.open == 1)
    assert len(api.waits.asked[-1]) == 10
    expect(done).to_have_count(0)
    api.hold = False
    expect(done).to_have_count(10)
    assert api.waits.most == 1
    until(page, lambda: api.waits.open == 0)
    expect(page.locator(".tile img")).to_have_count(10)
    asked = len(api.waits.asked)
    page.evaluate(HIDE, True)
    page.evaluate(HIDE, False)
    assert not any(api.waits.asked[asked:]), "nothing is left to follow"
    assert api.waits.open == 0, "new jobs are looked for without keeping a connection"


def test_the_next_view_takes_the_connection_over(visit: Visiting, api: FakeApi) -> None:
    running(api, 3)
    api.waits.seconds = 30.0
    page = visit().sign_in("#/jobs")
    until(page, lambda: api.waits.open == 1)
    page.locator(".tile").first.click()
    until(page, lambda: api.waits.open == 1 and list(api.waits.asked[-1]) == ["job-02"])
    page.locator(".back").click()
    until(page, lambda: api.waits.open == 1 and len(api.waits.asked[-1]) == 3)
    page.goto(f"{api.url}/#/create")
    until(page, lambda: api.waits.open == 0)


@pytest.mark.parametrize("view", ["#/jobs", "#/jobs/job-00"])
def test_a_hidden_page_asks_nothing_and_a_shown_one_goes_on(
    visit: Visiting, api: FakeApi, view: str
) -> None:
    running(api, 1)
    api.waits.seconds = 30.0
    page = visit().sign_in(view)
    until(page, lambda: api.waits.open == 1)
    page.evaluate(HIDE, True)
    until(page, lambda: api.waits.open == 0)
    asked = len(api.waits.asked)
    api.hold = False
    api.jobs["job-00"].state, api.jobs["job-00"].version = "FAILED", 2
    assert len(api.waits.asked) == asked
    page.evaluate(HIDE, False)
    expect(page.locator(".tile .pill[data-tone=bad], .failure")).to_be_visible()


def test_more_jobs_than_a_question_holds_are_followed_in_turn(
    visit: Visiting, api: FakeApi
) -> None:
    running(api, 60)
    page = visit().sign_in("#/jobs")
    tiles = page.locator(".tile")
    for count in (24, 48, 60):
        expect(tiles).to_have_count(count)
        if count < 60:
            page.get_by_role("button", name="Load more").click()
    until(page, lambda: len(api.waits.asked[-1]) == 50)
    api.hold = False
    expect(page.locator(".tile .pill[data-tone=good]")).to_have_count(60, timeout=30_000)
    assert max(map(len, api.waits.asked)) == 50


def test_an_error_is_said_and_the_page_goes_on_after_it(visit: Visiting, api: FakeApi) -> None:
    running(api, 1)
    page = visit().sign_in("#/jobs/job-00")
    expect(page.locator(".state-word")).to_be_visible()
    api.waits.failing = True
    notice = page.locator(".job-lost .notice")
    expect(notice).to_contain_text("cannot be asked")
    asked = len(api.waits.asked)
    api.waits.failing = False
    expect(notice).to_have_count(0)
    assert len(api.waits.asked) <= asked + 2, "it does not ask in a hurry"


def test_a_job_that_is_unknown_is_said_to_be(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/jobs/nobody")
    expect(page.locator(".job-lost .notice")).to_be_visible()
    assert len(api.waits.asked) == 1


def test_a_tile_that_changes_keeps_the_keyboard(visit: Visiting, api: FakeApi) -> None:
    running(api, 2)
    page = visit().sign_in("#/jobs")
    page.locator(".tile").last.focus()
    api.hold = False
    expect(page.locator(".tile .pill[data-tone=good]")).to_have_count(2)
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#/jobs/job-00"
