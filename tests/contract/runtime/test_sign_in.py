"""The link of `make up`: good once, for a while, for the page of the same server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.runtime.sign_in import LIFE_SECONDS, SignIn
from local.up import LaptopCloud, summary


def test_a_code_is_good_once() -> None:
    one = SignIn("right", "secret", lambda: 0.0)
    assert one.token_for("wrong") is None
    assert one.token_for("") is None
    assert one.token_for("right") == "secret"
    assert one.token_for("right") is None
    assert one.token_for("") is None


def test_a_code_is_good_for_a_while() -> None:
    now = [5.0]
    one = SignIn("right", "secret", lambda: now[0])
    now[0] += LIFE_SECONDS + 1
    assert one.token_for("right") is None


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    folder: Path = tmp_path_factory.mktemp("laptop")
    with LaptopCloud(data=folder, ports=0) as started:
        yield started


def ask(cloud: LaptopCloud, code: str, **headers: str) -> requests.Response:
    url = f"{cloud.env['API_URL']}/_runtime/sign-in"
    return requests.post(url, json={"code": code}, headers=headers, timeout=10)


@pytest.mark.parametrize("path", ["/_runtime/sign-in", "/_events/oss"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"code": "\\ud800"}', "application/json"),
        (b'{"code": "caf\xc3\xa9"}', "application/json"),
        (b'{"code": ["x"]}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"code": "\xff"}', "application/json"),
        (b"{}", "application/json; charset=nonsense"),
        (b"", "text/plain"),
    ],
)
def test_what_is_no_request_is_refused_in_words(
    cloud: LaptopCloud, path: str, body: bytes, kind: str
) -> None:
    headers = {"Content-Type": kind}
    answer = requests.post(cloud.env["API_URL"] + path, body, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument")


def test_the_printed_link_gives_the_token_to_this_computers_page(cloud: LaptopCloud) -> None:
    link = str(cloud.sign_in_link)
    (line,) = (one for one in summary(cloud).splitlines() if link in one)
    assert len(line) <= 80
    address, _, code = link.partition("/#code=")
    assert ask(cloud, code, Origin="https://evil.example").status_code == 403
    assert ask(cloud, "x" * len(code)).status_code == 403
    answer = ask(cloud, code, Origin=address)
    assert answer.json() == {"token": cloud.env["API_TOKEN"]}
    again = ask(cloud, code, Origin=address)
    assert again.status_code == 403
    assert cloud.env["API_TOKEN"] not in again.text
    assert code not in (cloud.data / "env").read_text(encoding="utf-8")
