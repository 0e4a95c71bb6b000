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
from shared.modelstudio.answers import RETENTION
from shared.modelstudio.download import LONGEST, Downloader, DownloadFailed, Hosts
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, refusing_port, scripted_http
from tests.kit.world import World
from tests.simulation.kernel import InstanceClock, Kernel

NONE, LOCAL, OPEN = Hosts(), Hosts(("127.0.0.1",)), Hosts(open=True)


@pytest.fixture()
def host() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


def fetch(url: str, documented: bool = True, limit: int = 1000) -> bytes:
    hosts = Hosts(("127.0.0.1",) if documented else ())
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
        "http://example.com/a.png",
        "file:///etc/passwd",
        "https:///a.png",
        "https://user@example.com:443/.aliyuncs.com",
    ],
)
def test_an_undocumented_host_is_refused_before_any_request(url: str) -> None:
    world = World()
    with pytest.raises(DownloadFailed, match="no document lists") as caught:
        Downloader(world.app().http, 1000).fetch(url, NONE)
    assert caught.value.retry_for == 0
    assert "RESULT_HOSTS" in load_errors().ours(caught.value.code, "x").hint
    assert world.images.fetched == []


def test_an_undocumented_host_of_the_provider_is_used_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = World().app().http
    with caplog.at_level(logging.WARNING):
        url = "https://new.oss-cn-x.aliyuncs.com/a.png"
        with Downloader(session, 1000).fetch(url, NONE) as download:
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


@pytest.mark.parametrize("name", ["a@b.png", "\u56fe.png", "a b.png?x=<1>"])
def test_an_unusual_name_behind_the_host_loses_no_image(host: HttpScript, name: str) -> None:
    host.then(Answer(200, b"image"))
    assert fetch(f"{host.url}/{name}") == b"image"


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
        rf"https://{TRUSTED}/x\@evil.example",
        f"https://{TRUSTED}@evil.example?/x",
        f"https://evil.example@{TRUSTED}#/x",
        "http://[::1",
        "https://x.aliyuncs.com\u3002evil.example/x",
    ],
)
def test_an_address_that_two_parsers_may_read_differently_is_refused(url: str) -> None:
    world = World()
    with pytest.raises(DownloadFailed, match="no document lists"):
        Downloader(world.app().http, 1000).fetch(url, Hosts((TRUSTED,)))
    assert world.images.fetched == []


@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}], ids=["open", "closed"])
def test_a_documented_host_that_leads_to_this_machine_is_refused(
    host: HttpScript, headers: dict[str, str]
) -> None:
    host.then(Answer(200, b"image", headers))
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1"):
        Downloader(requests.Session(), 1000).fetch(f"{host.url}/a.png", LOCAL)


def test_a_download_has_a_deadline_as_a_whole(host: HttpScript) -> None:
    kernel = Kernel()
    clock = InstanceClock(kernel)
    host.then(Answer(200, b"image"))
    loader = Downloader(requests.Session(), 1000, "127.0.0.1", clock)
    ticks = iter([0.0, LONGEST + 1])
    clock.monotonic = lambda: next(ticks)  # type: ignore[method-assign]
    with pytest.raises(DownloadFailed, match="not there after 120 s"):
        loader.fetch(f"{host.url}/a.png", NONE)


class Rewired(requests.adapters.HTTPAdapter):
    """The internet of a test: whatever host a request names, `script` answers it."""

    def __init__(self, script: HttpScript, https: bool = True) -> None:
        super().__init__()
        self.script, self.https = script, https
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        url = str(request.url)
        self.asked.append(url)
        if url.startswith("https://") and not self.https:
            raise requests.exceptions.SSLError("no TLS here")
        _, _, rest = url.partition("://")
        request.url = f"{self.script.url}/{rest.partition('/')[2]}"
        return super().send(request, **options)


def internet(script: HttpScript, https: bool = True) -> tuple[requests.Session, Rewired]:
    session, rewired = requests.Session(), Rewired(script, https)
    session.mount("https://", rewired)
    session.mount("http://", rewired)
    return session, rewired


ELSEWHERE = "p4.results.example"
PUBLIC = "93.184.216.34"


def fetched(session: requests.Session, url: str, hosts: Hosts, peer: str | None = PUBLIC) -> bytes:
    loader = Downloader(session, 1000, peer_of=lambda _answer: peer)
    with loader.fetch(url, hosts) as download:
        return download.part(0, 1000).body


def test_where_no_list_is_published_any_public_host_will_do(
    host: HttpScript, caplog: pytest.LogCaptureFixture
) -> None:
    session, _ = internet(host.then(Answer(200, b"image")))
    with caplog.at_level(logging.WARNING):
        assert fetched(session, f"https://{ELSEWHERE}/a.png", OPEN) == b"image"
    assert ELSEWHERE in caplog.text
    loader = Downloader(session, 1000)
    assert loader.is_unlisted(f"https://{ELSEWHERE}/a.png", OPEN)
    assert not loader.is_unlisted(f"https://{ELSEWHERE}/a.png", Hosts((ELSEWHERE,)))


@pytest.mark.parametrize(
    "peer",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        None,
    ],
)
def test_a_host_that_leads_inside_is_refused_whatever_its_name_is(
    host: HttpScript, peer: str | None
) -> None:
    """Also where the name led elsewhere when it was looked up: the address that answers counts."""
    session, _ = internet(host.then(Answer(200, b"image")))
    with pytest.raises(DownloadFailed, match="internet alone") as caught:
        fetched(session, f"https://{ELSEWHERE}/a.png", OPEN, peer)
    assert (caught.value.code, caught.value.retry_for) == ("ResultHostRefused", 0)


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "::ffff:127.0.0.1", "169.254.1.1", "100.100.100.200"]
)
def test_not_even_a_trusted_host_may_lead_to_this_machine(host: HttpScript, peer: str) -> None:
    session, _ = internet(host.then(Answer(200, b"image")))
    with pytest.raises(DownloadFailed, match="internet alone"):
        fetched(session, f"https://{TRUSTED}/a.png", Hosts((TRUSTED,)), peer)


def test_a_trusted_host_may_lie_inside_the_providers_network(host: HttpScript) -> None:
    session, _ = internet(host.then(Answer(200, b"image")))
    assert fetched(session, f"https://{TRUSTED}/a.png", OPEN, "100.118.28.50") == b"image"


@pytest.mark.parametrize("hosts", [OPEN, NONE, Hosts((ELSEWHERE,))])
def test_plain_http_is_tried_with_https_first(host: HttpScript, hosts: Hosts) -> None:
    session, rewired = internet(host.then(Answer(200, b"image")))
    name = ELSEWHERE if hosts.listed or hosts.open else "new.oss-cn-x.aliyuncs.com"
    assert fetched(session, f"http://{name}:80/a%2Bb.png?Signature=x%3D", hosts) == b"image"
    assert rewired.asked == [f"https://{name}/a%2Bb.png?Signature=x%3D"]


@pytest.mark.parametrize("name", [TRUSTED, "new.oss-cn-x.aliyuncs.com", ELSEWHERE])
def test_plain_http_is_left_to_hosts_that_are_trusted(host: HttpScript, name: str) -> None:
    session, rewired = internet(host.then(Answer(200, b"image")), https=False)
    assert fetched(session, f"http://{name}/a.png", Hosts((TRUSTED, ELSEWHERE))) == b"image"
    assert rewired.asked == [f"https://{name}/a.png", f"http://{name}/a.png"]


def test_any_other_host_is_never_asked_without_encryption(host: HttpScript) -> None:
    session, rewired = internet(host, https=False)
    with pytest.raises(DownloadFailed) as caught:
        fetched(session, f"http://{ELSEWHERE}/a.png", OPEN)
    assert caught.value.retry_for == RETENTION
    assert rewired.asked == [f"https://{ELSEWHERE}/a.png"]


def test_a_redirect_leads_no_open_host_elsewhere(host: HttpScript) -> None:
    session, rewired = internet(host.then(Answer(302, headers={"Location": "http://10.0.0.1/"})))
    with pytest.raises(DownloadFailed, match="302"):
        fetched(session, f"https://{ELSEWHERE}/a.png", OPEN)
    assert rewired.asked == [f"https://{ELSEWHERE}/a.png"]
