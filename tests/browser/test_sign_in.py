"""One browser, two people: each way of signing in and out, and what the next person finds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.fake_api import TOKEN, FakeApi
from tests.browser.page_kit import INPUTS, PATIENCE_MS, Visit
from tests.browser.test_drafts import kept

Visiting = Callable[..., Visit]
OTHER = "another-token"
MODEL = "wan2.5-t2i-preview"
FORM = f"#/create/{MODEL}"
DEAF = "addEventListener('storage', (event) => event.stopImmediatePropagation(), true);"
"""This tab never learns what another one has written."""

GIVE_AWAY = """async () => {
  const wait = (request) =>
    new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const database = await wait(indexedDB.open("wanx-drafts"));
  const store = database.transaction("drafts", "readwrite").objectStore("drafts");
  const [draft] = await wait(store.getAll());
  await wait(store.clear());
  await wait(store.put({ ...draft, person: "another" }));
  database.close();
}"""
"""Makes the draft on the disk somebody else's, as a write that comes too late does."""


@pytest.fixture(autouse=True)
def both_are_known(api: FakeApi) -> None:
    api.tokens.add(OTHER)


def enter(page: Page, token: str, stay: bool = False) -> None:
    page.fill("#token", token)
    page.get_by_label("Stay signed in").set_checked(stay)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav")


def by_code(page: Page, api: FakeApi, token: str) -> None:
    """The link that `make up` prints."""
    api.codes["once"] = token
    page.goto(f"{api.url}/#code=once")
    page.wait_for_selector(".task-tile")


def write(page: Page, api: FakeApi, prompt: str) -> None:
    """A draft that is on the disk."""
    page.goto(f"{api.url}/{FORM}")
    page.get_by_label("Prompt", exact=True).fill(prompt)
    kept(page, [MODEL, prompt])


def expect_prompt(page: Page, api: FakeApi, prompt: str) -> None:
    page.goto(f"{api.url}/{FORM}")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(prompt)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("#token")


def another_tab(one: Visit, api: FakeApi, view: str = "#/jobs") -> Page:
    page = one.context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("dialog", lambda dialog: one.broken.append(f"a dialog: {dialog.message}"))
    page.goto(f"{api.url}/{view}")
    return page


def staying(one: Visit, api: FakeApi, prompt: str = "of the first") -> Page:
    """The first person, signed in on every tab, with a draft."""
    one.page.goto(f"{api.url}/{FORM}")
    enter(one.page, TOKEN, stay=True)
    write(one.page, api, prompt)
    return one.page


def test_signing_out_in_one_tab_signs_out_every_tab(visit: Visiting, api: FakeApi) -> None:
    one = visit()
    first = staying(one, api)
    first.get_by_label("Prompt", exact=True).fill("not on the disk yet")
    second = another_tab(one, api)
    sign_out(second)
    first.wait_for_selector("#token")
    first.reload()
    first.wait_for_selector("#token")
    kept(second)
    assert "create" not in first.url
    tokens = "[sessionStorage.getItem('wanx-token'), localStorage.getItem('wanx-token')]"
    assert [page.evaluate(tokens) for page in (first, second)] == [[None, None]] * 2


def test_a_tab_of_the_person_before_never_writes_for_the_next(
    visit: Visiting, api: FakeApi
) -> None:
    one = visit()
    one.page.add_init_script(DEAF)
    first = staying(one, api)
    second = another_tab(one, api)
    sign_out(second)
    enter(second, OTHER)
    write(second, api, "of the second")
    first.get_by_label("Prompt", exact=True).fill("written late")
    first.evaluate("dispatchEvent(new Event('pagehide'))")
    first.get_by_role("button", name="Submit").click()
    first.wait_for_selector("#token")
    kept(second, [MODEL, "of the second"])
    second.reload()
    expect(second.get_by_label("Prompt", exact=True)).to_have_value("of the second")
    assert not api.jobs


def test_a_draft_on_the_disk_is_shown_to_its_person_alone(visit: Visiting, api: FakeApi) -> None:
    page = staying(visit(), api)
    page.evaluate(GIVE_AWAY)
    page.reload()
    page.wait_for_selector("form[data-model]")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("")
    page.get_by_label("Prompt", exact=True).fill("of this one")
    kept(page, [MODEL, "of the first"], [MODEL, "of this one"])
    page.reload()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("of this one")


def test_a_favourite_of_a_tab_of_the_person_before_is_nobodys(
    visit: Visiting, api: FakeApi
) -> None:
    api.add("cat", {"model": MODEL, "input": {"prompt": "a cat"}})
    one = visit()
    one.page.add_init_script(DEAF)
    staying(one, api)
    one.page.goto(f"{api.url}/#/jobs/cat")
    star = one.page.get_by_role("button", name="Add to the favourites")
    star.wait_for()
    one.page.route(f"{api.url}/**", lambda _route: None)  # nor what the server says, however slow
    second = another_tab(one, api)
    sign_out(second)
    enter(second, OTHER)
    star.click()
    second.goto(f"{api.url}/#/jobs")
    second.wait_for_selector('.tile-item[data-job="cat"] .star[aria-pressed="false"]')


def test_another_person_in_another_tab_signs_the_first_one_out(
    visit: Visiting, api: FakeApi
) -> None:
    one = visit()
    first = one.sign_in(FORM)
    write(first, api, "of the first")
    second = another_tab(one, api)
    enter(second, OTHER)
    first.wait_for_selector("#token")
    expect_prompt(second, api, "")


def test_who_stays_signed_in_is_signed_in_where_the_person_before_was(
    visit: Visiting, api: FakeApi
) -> None:
    one = visit()
    first = one.sign_in(FORM)
    write(first, api, "of the first")
    second = another_tab(one, api)
    enter(second, OTHER, stay=True)
    first.wait_for_selector(".task-tile")
    assert first.evaluate("localStorage.getItem('wanx-token')") == OTHER
    expect_prompt(first, api, "")


def test_the_same_person_in_another_tab_changes_nothing(visit: Visiting, api: FakeApi) -> None:
    one = visit()
    first = one.sign_in(FORM)
    write(first, api, "of the first")
    first.evaluate("window.untouched = true")
    second = another_tab(one, api, FORM)
    enter(second, TOKEN, stay=True)
    expect(second.get_by_label("Prompt", exact=True)).to_have_value("of the first")
    expect(first.get_by_label("Prompt", exact=True)).to_have_value("of the first")
    assert first.evaluate("window.untouched")


def test_a_page_that_comes_back_from_the_browsers_memory_is_looked_at(
    visit: Visiting, api: FakeApi
) -> None:
    """Such a page has heard nothing while it was away."""
    page = staying(visit(), api)
    page.evaluate("localStorage.setItem('wanx-person', 'another')")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_selector("#token")


def test_who_comes_after_the_link_of_make_up_finds_no_draft(visit: Visiting, api: FakeApi) -> None:
    one = visit()
    by_code(one.page, api, TOKEN)
    write(one.page, api, "of the first")
    api.tokens.discard(TOKEN)
    one.page.goto(f"{api.url}/#/jobs")
    enter(one.page, OTHER)
    expect_prompt(one.page, api, "")
    kept(one.page)


def test_the_link_of_make_up_finds_no_draft_of_somebody_else(visit: Visiting, api: FakeApi) -> None:
    one = visit()
    staying(one, api)
    by_code(one.page, api, OTHER)
    expect_prompt(one.page, api, "")
    kept(one.page)


def test_the_link_of_make_up_keeps_the_drafts_of_its_own_person(
    visit: Visiting, api: FakeApi
) -> None:
    one = visit()
    by_code(one.page, api, TOKEN)
    write(one.page, api, "of the first")
    by_code(one.page, api, TOKEN)
    expect_prompt(one.page, api, "of the first")


@pytest.mark.parametrize(("token", "prompt"), [(TOKEN, "of the first"), (OTHER, "")])
def test_a_token_that_ends_leaves_drafts_to_its_person_alone(
    visit: Visiting, api: FakeApi, token: str, prompt: str
) -> None:
    page = staying(visit(), api)
    api.tokens.discard(TOKEN)
    page.goto(f"{api.url}/#/jobs")
    expect(page.locator("#token-error")).to_contain_text("not accepted any more")
    page.fill("#token", "a wrong one")
    page.keyboard.press("Enter")
    expect(page.locator("#token-error")).to_contain_text("This token is not accepted")
    api.tokens.add(TOKEN)
    enter(page, token)
    expect_prompt(page, api, prompt)


def test_a_job_on_its_way_is_not_sent_for_the_next_person(visit: Visiting, api: FakeApi) -> None:
    held: list[Route] = []
    one = visit()
    page = one.sign_in("#/create/wan2.5-i2i-preview")
    page.route(f"{api.bucket}/**", lambda route: held.append(route))
    with page.expect_request(f"{api.bucket}/**"):  # at once, or when it is submitted
        page.set_input_files(".drop-zone input", INPUTS / "cat.jpg")
        page.get_by_label("Prompt", exact=True).fill("of the first")
        page.get_by_role("button", name="Submit").click()
    sign_out(page)
    enter(page, OTHER)
    for route in held:
        route.continue_()
    page.goto(f"{api.url}/#/jobs")
    page.wait_for_selector(".empty")
    expect(page.locator(".tile")).to_have_count(0)
    kept(page)
    assert not api.jobs
