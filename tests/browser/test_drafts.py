"""What was entered is not lost: a reload, a new tab, a browser without storage."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.fake_api import TOKEN, FakeApi
from tests.browser.page_kit import Visit, paint, painted

Visiting = Callable[..., Visit]
KEPT = """async () => {
  const names = (await indexedDB.databases()).map(({ name }) => name);
  if (!names.includes("wanx-drafts")) return [];
  const wait = (request) =>
    new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const database = await wait(indexedDB.open("wanx-drafts"));
  const all = await wait(database.transaction("drafts").objectStore("drafts").getAll());
  database.close();
  return all.map(({ model, draft }) => [model, draft.input.prompt ?? ""]);
}"""


LEAVING = "() => dispatchEvent(new Event('beforeunload', { cancelable: true }))"
"""Whether the page lets itself be left without a question."""

COUNT_CANVASES = """() => {
  window.written = 0;
  const { toBlob } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.toBlob = function (...how) {
    window.written += 1;
    return toBlob.apply(this, how);
  };
}"""


def kept(page: Page, *expected: list[str]) -> None:
    """Wait until the storage of the browser holds just these drafts: model and prompt."""
    page.wait_for_function(
        f"async (expected) => JSON.stringify(await ({KEPT})()) === JSON.stringify(expected)",
        arg=list(expected),
    )
    page.wait_for_function(LEAVING)


def painted_form(visit: Visit) -> Page:
    page = visit.inpainting()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    page.get_by_label("Prompt", exact=True).fill("a red hat")
    kept(page, ["wanx-x-painting", "a red hat"])
    return page


def test_a_reload_brings_picture_mask_and_words_back(visit: Visiting, api: FakeApi) -> None:
    page = painted_form(visit())
    before = painted(page)
    assert before != "0 % painted"
    page.reload()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a red hat")
    expect(page.locator(".picture .name")).to_have_text("cat.jpg")
    expect(page.locator(".painter-status")).to_have_text(before)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".compare")
    assert len(api.keys) == 2, "picture and mask, each once"


def test_a_drawing_comes_back(visit: Visiting) -> None:
    page = visit().sign_in("#/create/wanx-sketch-to-image-lite")
    page.get_by_role("button", name="Draw it here").click()
    paint(page, (0.3, 0.4), (0.6, 0.5))
    before = painted(page)
    kept(page, ["wanx-sketch-to-image-lite", ""])
    page.reload()
    expect(page.locator(".painter-status")).to_have_text(before)


def test_the_pens_of_a_drawing_come_back(visit: Visiting, api: FakeApi) -> None:
    page = visit().sign_in("#/create/wanx-sketch-to-image-lite")
    page.get_by_role("button", name="Draw it here").click()
    page.locator(".pen input").nth(1).check()
    paint(page, (0.2, 0.3), (0.8, 0.3))
    page.get_by_label("Prompt", exact=True).fill("a lighthouse")
    kept(page, ["wanx-sketch-to-image-lite", "a lighthouse"])
    page.reload()
    page.locator(".pen input").nth(4).check()
    paint(page, (0.2, 0.8), (0.8, 0.8))
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".state-card, .results")
    colours = list(api.jobs.values())[-1].spec["parameters"]["sketch_color"]
    assert sorted(colours) == [[46, 158, 68], [212, 35, 42]]


def test_a_canvas_is_written_again_only_after_its_pixels_changed(visit: Visiting) -> None:
    page = painted_form(visit())
    page.evaluate(COUNT_CANVASES)
    page.get_by_label("Prompt", exact=True).fill("a blue hat")
    kept(page, ["wanx-x-painting", "a blue hat"])
    assert page.evaluate("window.written") == 0
    paint(page, (0.3, 0.6), (0.6, 0.7))
    page.get_by_label("Prompt", exact=True).fill("a green hat")
    kept(page, ["wanx-x-painting", "a green hat"])
    assert page.evaluate("window.written") > 0
    before = painted(page)
    page.reload()
    expect(page.locator(".painter-status")).to_have_text(before)


def test_another_tab_has_the_draft_as_well(visit: Visiting, api: FakeApi) -> None:
    one = visit()
    painted_form(one)
    other = one.context.new_page()
    other.goto(f"{api.url}/#/create/wanx-x-painting")
    other.fill("#token", TOKEN)
    other.keyboard.press("Enter")
    expect(other.get_by_label("Prompt", exact=True)).to_have_value("a red hat")


def test_signing_out_forgets_drafts(visit: Visiting) -> None:
    one = visit()
    page = painted_form(one)
    page.get_by_role("button", name="Sign out").click()
    kept(page)
    one.sign_in("#/create/wanx-x-painting")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("")


def test_a_form_that_is_emptied_stays_empty(visit: Visiting) -> None:
    one = visit()
    page = painted_form(one)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Empty the form").click()
    kept(page)
    assert one.broken == ["a dialog: Empty the form? Pictures, mask and words in it will be gone."]
    one.broken.clear()
    page.reload()
    page.wait_for_selector(".drop-zone")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("")


def test_without_storage_the_page_works_and_asks_before_it_is_left(
    visit: Visiting, api: FakeApi
) -> None:
    one = visit()
    one.page.add_init_script("delete window.indexedDB; window.indexedDB = undefined;")
    page = one.sign_in("#/create/words")
    assert page.evaluate(LEAVING), "nothing was entered"
    page.get_by_label("Prompt", exact=True).fill("a boat")
    assert not page.evaluate(LEAVING)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_selector(".job")
    assert len(api.jobs) == 1
