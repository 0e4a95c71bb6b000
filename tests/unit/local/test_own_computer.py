"""A web page that somebody visits cannot use the laptop's servers."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from local.own_computer import refusal


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:9480", "localhost:9480", "LOCALHOST", "[::1]:9480", "192.168.1.7:9480"),
        *("studio.127.0.0.1:9480", "studio.localhost:9480"),
    ],
)
def test_a_program_may_ask_by_an_address_or_as_localhost(host: str) -> None:
    request = make_mocked_request("POST", "/x", {"Host": host})
    assert refusal(request, pages=False) == refusal(request, pages=True) == ""


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9480", "127.0.0.1.evil.example", "localhost.evil", "[", ""],
)
def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    request = make_mocked_request("GET", "/x", {"Host": host})
    assert "answers to addresses" in refusal(request, pages=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_is_refused_where_no_token_decides(
    headers: dict[str, str],
) -> None:
    request = make_mocked_request("POST", "/x", {"Host": "127.0.0.1:9480", **headers})
    assert "another origin" in refusal(request, pages=False)
    assert refusal(request, pages=True) == ""


def test_a_page_of_the_server_itself_may_ask() -> None:
    headers = {"Origin": "http://127.0.0.1:9480", "Sec-Fetch-Site": "same-origin"}
    request = make_mocked_request("POST", "/x", {"Host": "127.0.0.1:9480", **headers})
    assert refusal(request, pages=False) == ""
