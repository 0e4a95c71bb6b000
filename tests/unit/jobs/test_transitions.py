"""Results: found where the catalogue says, fetched from known hosts, stored as what they are."""

from __future__ import annotations

import gzip
import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from shared.jobs.images import store_image
from shared.modelstudio.download import RETENTION, Downloader, DownloadFailed
from shared.modelstudio.result_urls import result_items
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, refusing_port, scripted_http
from tests.kit.store import Bucket, Store
from tests.kit.world import World
from tests.simulation.kernel import Kernel


@pytest.fixture()
def host() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


def fetch(url: str, documented: bool = True, limit: int = 1000) -> bytes:
    return Downloader(requests.Session(), limit).fetch(url, documented)


def failure(url: str, documented: bool = True, limit: int = 1000) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as caught:
        fetch(url, documented, limit)
    return caught.value


def test_the_url_is_used_exactly_as_it_was_given(host: HttpScript) -> None:
    host.then(Answer(200, b"image"))
    assert fetch(f"{host.url}/a%2Bb/c%20d.png?Expires=1&Signature=x%2By%3D") == b"image"
    assert host.seen[0].target == "/a%2Bb/c%20d.png?Expires=1&Signature=x%2By%3D"
    assert "authorization" not in host.seen[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://example.com/a.png",
        "https://x.aliyuncs.com.example.com/a.png",
        "https://evilaliyuncs.com/a.png",
        "http://x.oss-cn-beijing.aliyuncs.com/a.png",
        "file:///etc/passwd",
        "https:///a.png",
        "https://user@example.com:443/.aliyuncs.com",
    ],
)
def test_an_undocumented_host_is_refused_before_any_request(url: str) -> None:
    world = World()
    with pytest.raises(DownloadFailed, match="no document lists") as caught:
        Downloader(world.app().http, 1000).fetch(url, False)
    assert caught.value.retry_for == 0
    assert "RESULT_HOSTS" in caught.value.hint
    assert world.images.fetched == []


def test_an_undocumented_host_of_the_provider_is_used_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = World().app().http
    with caplog.at_level(logging.WARNING):
        body = Downloader(session, 1000).fetch("https://new.oss-cn-x.aliyuncs.com/a.png", False)
    assert body.startswith(b"\x89PNG")
    assert "new.oss-cn-x.aliyuncs.com" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [Answer(200, b"image", cut=2), NOTHING, Answer(500), Answer(503), Answer(429)],
    ids=["body cut", "cut", "500", "503", "429"],
)
def test_trouble_on_the_way_is_tried_for_as_long_as_the_image_exists(
    host: HttpScript, answer: Answer
) -> None:
    host.then(answer)
    assert failure(f"{host.url}/a.png").retry_for == RETENTION


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refused_url_is_given_up_sooner(host: HttpScript, status: int) -> None:
    host.then(Answer(status))
    error = failure(f"{host.url}/a.png?Signature=abc")
    assert 0 < error.retry_for < RETENTION
    assert str(status) in str(error)
    assert "Signature" not in str(error)


def test_a_redirect_is_not_followed(host: HttpScript) -> None:
    host.then(Answer(302, headers={"Location": f"{host.url}/elsewhere"}))
    assert "302" in str(failure(f"{host.url}/a.png"))
    assert len(host.seen) == 1


def test_an_image_over_the_limit_is_refused_for_good(host: HttpScript) -> None:
    host.then(Answer(200, b"x" * 101))
    error = failure(f"{host.url}/a.png", limit=100)
    assert (error.code, error.retry_for) == ("ResultTooLarge", 0)


def test_an_image_of_just_the_limit_is_taken(host: HttpScript) -> None:
    host.then(Answer(200, b"x" * 100))
    assert len(fetch(f"{host.url}/a.png", limit=100)) == 100


def test_an_unreachable_host_is_tried_again() -> None:
    with refusing_port() as port:
        assert failure(f"http://127.0.0.1:{port}/a.png").retry_for == RETENTION


def test_a_host_that_compresses_is_understood(host: HttpScript) -> None:
    def compress(seen: Any) -> Answer:
        if "gzip" in seen.headers.get("accept-encoding", ""):
            return Answer(200, gzip.compress(b"image"), {"Content-Encoding": "gzip"})
        return Answer(200, b"image")

    host.then(compress)
    assert fetch(f"{host.url}/a.png") == b"image"


GOOD, BAD = {"url": "https://h/1.png", "orig_prompt": "a"}, {"code": "C", "message": "M"}


@pytest.mark.parametrize(
    ("at", "answer", "urls"),
    [
        ("/output/results/*/url", {"output": {"results": [GOOD, BAD]}}, ["https://h/1.png", None]),
        ("/output/results/*/url", {"output": {"results": []}}, []),
        ("/output/results/*/url", {"output": {"results": None}}, []),
        ("/output/results/*/url", {"output": {}}, []),
        ("/output/results/*/url", {}, []),
        ("/output/results/*/url", {"output": {"results": ["x", GOOD]}}, ["https://h/1.png"]),
        ("/output/url", {"output": {"url": "u"}}, ["u"]),
        ("/output/url", {"output": {}}, []),
        ("/output/list/1/url", {"output": {"list": [{}, {"url": "u"}]}}, ["u"]),
        ("/output/list/7/url", {"output": {"list": []}}, []),
        (
            "/output/choices/*/message/content/0/image",
            {"output": {"choices": [{"message": {"content": [{"image": "u"}]}}]}},
            ["u"],
        ),
    ],
)
def test_results_lie_where_the_catalogue_says(
    at: str, answer: dict[str, Any], urls: list[str | None]
) -> None:
    assert [item["url"] for item in result_items(answer, at)] == urls


def test_a_failed_image_keeps_its_place_and_its_reason() -> None:
    items = result_items({"output": {"results": [BAD, GOOD]}}, "/output/results/*/url")
    assert items[0]["code"] == "C"
    assert items[1]["orig_prompt"] == "a"


def picture(kind: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (12, 9), "red").save(made, kind)
    return made.getvalue()


@pytest.mark.parametrize(
    ("kind", "extension", "media_type"),
    [
        ("PNG", "png", "image/png"),
        ("JPEG", "jpg", "image/jpeg"),
        ("WEBP", "webp", "image/webp"),
        ("BMP", "bmp", "image/bmp"),
        ("TIFF", "tiff", "image/tiff"),
    ],
)
def test_an_image_is_stored_as_what_it_is(kind: str, extension: str, media_type: str) -> None:
    bucket = Bucket(Kernel())
    stored = store_image(Store(bucket), "cat", 2, picture(kind), {"orig_prompt": "a cat"})
    assert stored.key == f"results/cat/image-2.{extension}"
    assert (stored.format, stored.width, stored.height) == (kind, 12, 9)
    assert (stored.orig_prompt, stored.actual_prompt) == ("a cat", None)
    assert bucket.objects[stored.key].content_type == media_type
    assert bucket.peek(stored.key) == picture(kind)


@pytest.mark.parametrize("body", [b"", b"<html>error</html>", picture("PNG")[:20]])
def test_what_is_no_image_is_not_stored(body: bytes) -> None:
    bucket = Bucket(Kernel())
    with pytest.raises(DownloadFailed, match="no image"):
        store_image(Store(bucket), "cat", 1, body, {})
    assert bucket.keys() == []
