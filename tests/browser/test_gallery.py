"""The gallery: new jobs, search, favourites, and what is done with several jobs at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.fake_api import FakeApi, FakeJob
from tests.browser.page_kit import Visit
from tests.browser.test_live import HIDE, SPEC, running, until

Visiting = Callable[..., Visit]


def done(api: FakeApi, name: str, images: int = 1, state: str = "SUCCEEDED", **own: str) -> FakeJob:
    """A job that is over, with images of different colours."""
    spec = {**SPEC, "input": {**SPEC["input"], "prompt": own.get("prompt", f"prompt of {name}")}}  # type: ignore[dict-item]
    job = api.add(name, spec)
    job.state, job.plan = state, []
    for number in range(1, images + 1):
        key = f"results/{name}/image-{number}.png"
        buffer = io.BytesIO()
        Image.new("RGB", (320, 240), (40 * number, 90, 160)).save(buffer, "PNG")
        api.objects[key] = buffer.getvalue()
        job.images.append(key)
    return job


def names(page: Page) -> list[str]:
    return [tile.get_attribute("data-job") or "" for tile in page.locator(".tile-item").all()]


def select(page: Page, *jobs: str) -> None:
    for job in jobs:
        page.locator(f'.tile-item[data-job="{job}"] input').check()


def press(page: Page, name: str) -> None:
    page.locator(".selection").get_by_role("button", name=name).click()


# --- new jobs ---


def test_a_new_job_appears_by_itself_and_is_followed(visit: Visiting, api: FakeApi) -> None:
    done(api, "old")
    page = visit().sign_in("#/jobs")
    expect(page.locator(".tile")).to_have_count(1)
    api.hold = True
    api.add("dropped", SPEC)
    expect(page.locator(".tile")).to_have_count(2)
    assert names(page) == ["dropped", "old"]
    expect(page).to_have_title("(1) Gallery · Wanx Functions")
    api.hold = False
    expect(page.locator(".tile .pill[data-tone=good]")).to_have_count(2)
    expect(page).to_have_title("Gallery · Wanx Functions")


def test_a_new_job_ends_the_wait_for_others(visit: Visiting, api: FakeApi) -> None:
    running(api, 1)
    api.waits.seconds = 30.0
    page = visit().sign_in("#/jobs")
    until(page, lambda: api.waits.open == 1)
    api.add("dropped", SPEC)
    expect(page.locator(".tile")).to_have_count(2)


def test_while_nothing_runs_no_connection_is_kept(visit: Visiting, api: FakeApi) -> None:
    done(api, "old")
    page = visit().sign_in("#/jobs")
    until(page, lambda: bool(api.waits.asked))
    assert api.waits.open == 0
    page.evaluate(HIDE, True)
    asked = len(api.waits.asked)
    api.add("dropped", SPEC)
    page.evaluate(HIDE, False)
    expect(page.locator(".tile")).to_have_count(2)
    assert len(api.waits.asked) > asked


def test_a_new_job_that_does_not_fit_the_filter_stays_out(visit: Visiting, api: FakeApi) -> None:
    done(api, "old", prompt="a cat")
    page = visit().sign_in("#/jobs")
    page.get_by_role("searchbox").fill("cat")
    expect(page.locator(".gallery-foot")).to_contain_text("1 looked at")
    done(api, "dog", prompt="a dog")
    done(api, "cat", prompt="the second cat")
    expect(page.locator(".tile")).to_have_count(2)
    assert names(page) == ["cat", "old"]


def test_older_jobs_of_a_crowded_moment_are_no_new_ones(visit: Visiting, api: FakeApi) -> None:
    for number in range(130):
        done(api, f"job-{999 - number}", images=0).created_at = "2026-11-20T08:00:00.000Z"
    page = visit().sign_in("#/jobs")
    until(page, lambda: len(api.waits.asked) > 1)
    assert len(names(page)) == 24
    done(api, "new", images=0)
    expect(page.locator(".tile")).to_have_count(25)
    assert names(page)[0] == "new"


# --- search ---


def test_a_search_goes_on_by_itself_until_it_finds(visit: Visiting, api: FakeApi) -> None:
    done(api, "needle", prompt="a needle in the hay")
    for number in range(60):
        done(api, f"job-{number:02}", images=0)
    page = visit().sign_in("#/jobs")
    expect(page.locator(".tile")).to_have_count(24)
    api.looked_at = 7
    page.get_by_role("searchbox").fill("needle HAY")
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.locator(".gallery-foot")).to_contain_text("61 looked at")
    cursors = [query["cursor"] for query in api.lists if "cursor" in query]
    assert cursors == ["7", "14", "21", "28", "35", "42", "49", "56"]


def test_a_search_can_be_stopped_and_goes_on_where_it_was(visit: Visiting, api: FakeApi) -> None:
    done(api, "needle", prompt="a needle")
    for number in range(200):
        done(api, f"job-{number:03}", images=0)
    page = visit().sign_in("#/jobs")
    expect(page.locator(".tile")).to_have_count(24)
    api.looked_at = 1
    page.get_by_role("searchbox").fill("needle")
    page.get_by_role("button", name="Stop").click()
    api.looked_at = 1000
    expect(page.locator(".empty")).to_contain_text("Nothing fits among the")
    page.get_by_role("button", name="Search on").click()
    expect(page.locator(".tile")).to_have_count(1)
    cursors = [int(query["cursor"]) for query in api.lists if "cursor" in query]
    assert cursors == list(range(1, len(cursors) + 1)), "each was looked at once"


def test_filters_by_model_and_time_are_asked_of_the_api(visit: Visiting, api: FakeApi) -> None:
    done(api, "one")
    page = visit().sign_in("#/jobs")
    page.get_by_label("Model").select_option("z-image-turbo")
    expect(page.locator(".empty")).to_contain_text("Nothing fits")
    page.get_by_label("Model").select_option("")
    page.get_by_label("Time").select_option("7")
    until(page, lambda: any("since" in query and "cursor" not in query for query in api.lists))


# --- favourites ---


def test_favourites_are_kept_in_this_browser_until_somebody_signs_out(
    visit: Visiting, api: FakeApi
) -> None:
    for job in ("a", "b", "c"):
        done(api, job)
    page = visit().sign_in("#/jobs")
    star = page.locator('.tile-item[data-job="b"] .star')
    star.click()
    expect(page.locator(".toast")).to_contain_text("in this browser alone")
    page.reload()
    page.get_by_label("Which jobs").select_option("favourites")
    expect(page.locator(".tile")).to_have_count(1)
    expect(star).to_have_attribute("aria-pressed", "true")
    star.click()
    page.get_by_label("Which jobs").select_option("")
    page.get_by_label("Which jobs").select_option("favourites")
    expect(page.locator(".empty")).to_contain_text("The star on a job makes it one")
    page.get_by_label("Which jobs").select_option("")
    star.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("#token")
    assert page.evaluate("JSON.stringify(localStorage)").count("wanx-kept") == 0


# --- several at once ---


def test_shift_selects_all_between(visit: Visiting, api: FakeApi) -> None:
    for number in range(6):
        done(api, f"job-{number}")
    page = visit().sign_in("#/jobs")
    boxes = page.locator(".tile-check input")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator(".selection-status")).to_have_text("4 selected")
    assert page.locator(".tile-check input:checked").count() == 4
    boxes.nth(2).click()
    expect(page.locator(".selection-status")).to_have_text("3 selected")
    press(page, "Clear the selection")
    expect(page.locator(".selection")).to_be_hidden()
    assert page.locator(".tile-check input:checked").count() == 0


def test_images_of_several_jobs_are_one_zip(visit: Visiting, api: FakeApi) -> None:
    done(api, "a", images=2)
    done(api, "b")
    page = visit().sign_in("#/jobs")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    select(page, "a", "b")
    assert not [url for url in asked if url.endswith("zip.js")]
    with page.expect_download() as download:
        press(page, "Download as ZIP")
    assert download.value.suggested_filename == "images.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            key.removeprefix("results/"): api.objects[key]
            for key in [*api.jobs["a"].images, *api.jobs["b"].images]
        }
    assert [url for url in asked if url.endswith("zip.js")]


def test_an_image_that_is_gone_is_said(visit: Visiting, api: FakeApi) -> None:
    done(api, "a")
    page = visit().sign_in("#/jobs")
    page.wait_for_selector(".tile img")
    select(page, "a")
    body = api.objects.pop("results/a/image-1.png")
    press(page, "Download as ZIP")
    expect(page.locator(".toast")).to_contain_text("An image of a cannot be fetched")
    api.objects["results/a/image-1.png"] = body


def test_hidden_jobs_leave_the_list_and_come_back(visit: Visiting, api: FakeApi) -> None:
    for job in ("a", "b", "c"):
        done(api, job)
    page = visit().sign_in("#/jobs")
    select(page, "a", "b")
    press(page, "Hide")
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.locator(".toast")).to_contain_text("2 jobs hidden")
    page.get_by_label("Which jobs").select_option("hidden")
    expect(page.locator(".tile")).to_have_count(2)
    select(page, "a")
    press(page, "Show again")
    expect(page.locator(".tile")).to_have_count(1)
    assert [job.id for job in api.jobs.values() if job.hidden] == ["b"]


def test_only_what_brought_nothing_is_retried(visit: Visiting, api: FakeApi) -> None:
    done(api, "good")
    done(api, "bad", images=0, state="FAILED")
    page = visit().sign_in("#/jobs")
    select(page, "good", "bad")
    press(page, "Retry")
    expect(page.locator(".tile")).to_have_count(3)
    assert list(api.jobs) == ["good", "bad", "bad-retry-1"]


def test_erasing_says_what_it_means_and_asks(visit: Visiting, api: FakeApi) -> None:
    api.admin = True
    for job in ("a", "b"):
        done(api, job)
    page = visit().sign_in("#/jobs")
    select(page, "a")
    press(page, "Erase")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("This cannot be undone")
    expect(dialog).to_contain_text("the bill")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert "a" in api.jobs
    press(page, "Erase")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(page.locator(".tile")).to_have_count(1)
    assert list(api.jobs) == ["b"]


def test_nobody_but_an_admin_is_offered_to_erase(visit: Visiting, api: FakeApi) -> None:
    done(api, "a")
    page = visit().sign_in("#/jobs")
    with page.expect_response(lambda answer: answer.url.endswith("/runtime")) as asked:
        select(page, "a")
    assert asked.value.status == 403
    expect(page.locator(".selection").get_by_role("button", name="Hide")).to_be_visible()
    expect(page.locator(".selection").get_by_role("button", name="Erase")).to_have_count(0)


def test_any_two_images_are_compared(visit: Visiting, api: FakeApi) -> None:
    done(api, "a", images=2)
    done(api, "b")
    page = visit().sign_in("#/jobs")
    select(page, "a", "b")
    press(page, "Compare")
    dialog = page.locator("dialog")
    sources = dialog.locator(".compare img")
    expect(sources.nth(0)).to_have_attribute("src", f"{api.bucket}/results/a/image-2.png")
    dialog.get_by_label("Left image").select_option("2")
    expect(sources.nth(1)).to_have_attribute("src", f"{api.bucket}/results/b/image-1.png")
    dialog.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("slider")).to_have_attribute("aria-valuetext", "51 % prompt of b")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_gallery_with_a_selection_fits_its_window(
    visit: Visiting, api: FakeApi, size: tuple[int, int]
) -> None:
    for job in ("a", "b"):
        done(api, job, prompt="word" * 40)
    page = visit(size=size).sign_in("#/jobs")
    select(page, "a", "b")
    page.wait_for_selector(".selection-buttons button")
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


# --- labels, and what was erased ---


def labelled(api: FakeApi, name: str, **labels: str) -> None:
    job = done(api, name)
    job.spec = job.spec | {"job": {"labels": labels}}


def test_jobs_are_found_by_their_label(visit: Visiting, api: FakeApi) -> None:
    labelled(api, "one", label="spring")
    labelled(api, "two", team="blue")
    page = visit().sign_in("#/jobs")
    choice = page.get_by_label("Label", exact=True)
    expect(choice.locator("option")).to_have_text(["All labels", "team: blue", "spring"])
    choice.select_option("spring")
    expect(page.locator(".tile")).to_have_count(1)
    assert names(page) == ["one"]
    assert any(query.get("label") == "label:spring" for query in api.lists)
    page.locator(".tile").click()
    page.wait_for_selector(".results")
    page.goto(f"{api.url}/#/jobs/two")
    page.get_by_role("link", name="team: blue").click()
    expect(page.locator(".tile")).to_have_count(1)
    assert names(page) == ["two"]
    expect(choice).to_have_value("team:blue")


def test_without_labels_there_is_nothing_to_choose(visit: Visiting, api: FakeApi) -> None:
    done(api, "one")
    page = visit().sign_in("#/jobs")
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.get_by_label("Label", exact=True)).to_be_hidden()


def test_all_that_is_shown_can_be_selected(visit: Visiting, api: FakeApi) -> None:
    for name in ("one", "two", "three"):
        done(api, name)
    page = visit().sign_in("#/jobs")
    select(page, "two")
    press(page, "Select all shown")
    expect(page.locator(".selection-status")).to_have_text("3 selected")
    expect(page.locator(".selection").get_by_role("button", name="Select all")).to_have_count(0)


def test_a_filter_without_jobs_is_left_with_one_press(visit: Visiting, api: FakeApi) -> None:
    done(api, "one")
    page = visit().sign_in("#/jobs")
    page.get_by_role("searchbox").fill("zebra")
    page.get_by_role("button", name="Show all jobs").click()
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_an_erased_job_says_so_and_offers_nothing(visit: Visiting, api: FakeApi) -> None:
    job = done(api, "gone", images=0, state="FAILED")
    job.erased_at = "2026-11-21T08:00:00.000Z"
    job.error = {"code": "InternalError", "message": "erased"}
    page = visit().sign_in("#/jobs")
    expect(page.locator(".tile .pill")).to_have_text("Erased")
    expect(page.locator(".tile-error")).to_have_count(0)
    page.locator(".tile").click()
    expect(page.locator(".job-outcome")).to_contain_text("gone for good")
    expect(page.locator(".failure")).to_have_count(0)
    expect(page.locator(".job-buttons button")).to_have_text(["Hide"])
