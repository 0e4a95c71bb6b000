"""Links to results: signed ones of the bucket, or at the address of a CDN."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.platform.settings import SettingsError, load_settings
from tests.kit.http import ask
from tests.kit.world import World, run

CDN = "https://images.example.com/studio"
IMAGE = f"{CDN}/results/cat/image-1.png"
REQUIRED = {"OSS_ENDPOINT": "https://o", "OSS_BUCKET": "b", "DASHSCOPE_API_KEY": "k"}


@pytest.fixture()
def world() -> World:
    made = World()
    made.queued("cat")
    run(made)
    return made


def answer(world: World, path: str, **settings: Any) -> Any:
    return ask(world.app("http", **settings), "GET", path).json


def test_links_to_results_are_those_of_the_cdn(world: World) -> None:
    shown = answer(world, "/jobs/cat", result_base_url=CDN)["images"][0]
    assert shown["url"] == IMAGE
    assert shown["download_url"].startswith("https://bucket.invalid/"), (
        "a signed link asks to save it"
    )
    assert shown["key"] == "results/cat/image-1.png", "manifest and answers keep keys"
    (row,) = answer(world, "/jobs", result_base_url=CDN)["jobs"]
    assert row["images"][0]["url"] == IMAGE
    task = answer(world, "/api/v1/tasks/cat", result_base_url=CDN)
    assert task["output"]["results"][0]["url"] == IMAGE


def test_without_a_setting_they_are_signed(world: World) -> None:
    url = answer(world, "/jobs/cat")["images"][0]["url"]
    assert url.startswith("https://bucket.invalid/")
    assert "results/cat/image-1.png" in url


def test_only_results_are_at_the_cdn(world: World) -> None:
    links = world.app("http", result_base_url=CDN).links
    assert not links.show("inputs/cat.jpg", 60).startswith(CDN)
    assert links.show("results/a b/ü.png", 60) == f"{CDN}/results/a%20b/%C3%BC.png"


def test_the_page_may_show_them(world: World) -> None:
    headers = ask(world.app("http", result_base_url=CDN), "GET", "/").headers
    rules = headers["content-security-policy"].split("; ")
    images = next(rule for rule in rules if rule.startswith("img-src"))
    assert images.endswith(" https://images.example.com")
    assert "images.example.com" not in json.dumps(dict(ask(world, "GET", "/").headers))


def test_the_page_may_show_results_of_another_bucket(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = world.app("http", results_bucket="paintings")
    two = {"results/": "https://paintings.invalid/results/", "inputs/": "https://bucket.invalid/"}
    monkeypatch.setattr(app.store, "presign", lambda key, _seconds: two[key])
    rules = ask(app, "GET", "/").headers["content-security-policy"].split("; ")
    for kind in ("img-src", "connect-src"):
        (rule,) = [one for one in rules if one.startswith(kind)]
        assert rule.endswith(" https://bucket.invalid https://paintings.invalid")


@pytest.mark.parametrize("url", ["images.example.com", "https://a?b", "ftp://a", "https://a/ b"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="RESULT_BASE_URL"):
        load_settings({**REQUIRED, "RESULT_BASE_URL": url})
    good = load_settings({**REQUIRED, "RESULT_BASE_URL": f"{CDN}/"})
    assert good.result_base_url == CDN
