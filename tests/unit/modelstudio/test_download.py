"""Results are fetched from known hosts, as often as it makes sense."""

from __future__ import annotations

import gzip
import hashlib
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from shared.catalogue.errors import load_errors
from shared.modelstudio.download import LONGEST, RETENTION, Downloader, DownloadFailed
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, refusing_port, scripted_http
from tests.kit.world import World
from tests.simulation.kernel import InstanceClock, Kernel


@pytest.fixture()
def host() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


def fetch(url: str, documented: bool = True, limit: int = 1000) -> bytes:
    hosts = ["127.0.0.1"] if documented else []
    loader = Downloader(requests.Session(), limit, "127.0.0.1" if documented else "")
    with loader.fetch(url, hosts) as download:
        body = download.part(0, download.size + 1).body
        assert (download.size, download.md5) == (len(body), hashlib.md5(body).digest())
        assert download.sha256 == hashlib.sha256(body).hexdigest()
        return body


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
        Downloader(world.app().http, 1000).fetch(url, [])
    assert caught.value.retry_for == 0
    assert "RESULT_HOSTS" in load_errors().ours(caught.value.code, "x").hint
    assert world.images.fetched == []


def test_an_undocumented_host_of_the_provider_is_used_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = World().app().http
    with caplog.at_level(logging.WARNING):
        url = "https://new.oss-cn-x.aliyuncs.com/a.png"
        with Downloader(session, 1000).fetch(url, []) as download:
            assert download.part(0, 4).body == b"\x89PNG"
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


TRUSTED = "dashscope-result-bj.oss-cn-beijing.aliyuncs.com"


@pytest.mark.parametrize(
    "url",
    [
        rf"http://127.0.0.1:1\@{TRUSTED}/x",
        f"https://127.0.0.1@{TRUSTED}/x",
        f"https://{TRUSTED}\t/x",
        f"https://{TRUSTED} /x",
        "http://[::1",
        "https://x.aliyuncs.com\u3002evil.example/x",
    ],
)
def test_an_address_that_two_parsers_may_read_differently_is_refused(url: str) -> None:
    world = World()
    with pytest.raises(DownloadFailed, match="no document lists"):
        Downloader(world.app().http, 1000).fetch(url, [TRUSTED])
    assert world.images.fetched == []


def test_a_documented_host_that_leads_to_this_machine_is_refused(host: HttpScript) -> None:
    host.then(Answer(200, b"image"))
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1"):
        Downloader(requests.Session(), 1000).fetch(f"{host.url}/a.png", ["127.0.0.1"])


def test_a_download_has_a_deadline_as_a_whole(host: HttpScript) -> None:
    kernel = Kernel()
    clock = InstanceClock(kernel)
    host.then(Answer(200, b"image"))
    loader = Downloader(requests.Session(), 1000, "127.0.0.1", clock)
    ticks = iter([0.0, LONGEST + 1])
    clock.monotonic = lambda: next(ticks)  # type: ignore[method-assign]
    with pytest.raises(DownloadFailed, match="not there after 120 s"):
        loader.fetch(f"{host.url}/a.png", [])
