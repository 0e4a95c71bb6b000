"""The HTTP trigger: requests as events, results as responses."""

from __future__ import annotations

import base64
import gzip
import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.contract.runtime.functions_under_test.runtime_under_test import RuntimeUnderTest


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeUnderTest]:
    with RuntimeUnderTest(tmp_path_factory.mktemp("http")) as running:
        yield running


def _echo(
    runtime: RuntimeUnderTest, path: str, data: str | bytes, **headers: str
) -> dict[str, Any]:
    event: dict[str, Any] = requests.post(
        runtime.url + path, timeout=10, data=data, headers=headers
    ).json()
    return event


def test_a_request_arrives_as_the_documented_event(runtime: RuntimeUnderTest) -> None:
    event = _echo(
        runtime, "/a%2Fb/%E7%8C%AB?x=1&x=2&y=%26&z", data="你好".encode(), **{"user-agent": "U"}
    )
    assert event["version"] == "v1"
    assert event["rawPath"] == "/a%2Fb/%E7%8C%AB"
    assert event["queryParameters"] == {"x": "1,2", "y": "&", "z": ""}
    assert (event["body"], event["isBase64Encoded"]) == ("你好", False)
    http_part = event["requestContext"]["http"]
    assert http_part == {
        "method": "POST",
        "path": "/a/b/猫",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "U",
    }
    assert event["requestContext"]["timeEpoch"].isdigit()
    assert event["headers"]["Host"] == urlsplit(runtime.url).netloc


def test_a_body_that_is_no_text_arrives_as_base64(runtime: RuntimeUnderTest) -> None:
    event = _echo(runtime, "/", data=b"\x89PNG\x00\xff")
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\x89PNG\x00\xff"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("body", [gzip.compress(b"{}", mtime=0), b"{}"])
def test_a_body_is_handed_on_as_it_comes_whatever_its_coding(
    runtime: RuntimeUnderTest, coding: str, body: bytes
) -> None:
    event = _echo(runtime, "/", data=body, **{"Content-Encoding": coding})
    held = event["body"]
    assert (base64.b64decode(held) if event["isBase64Encoded"] else held.encode()) == body
    assert event["headers"]["Content-Encoding"] == coding


def test_repeated_headers_join_by_comma_under_their_canonical_name(
    runtime: RuntimeUnderTest,
) -> None:
    connection = http.client.HTTPConnection(urlsplit(runtime.url).netloc, timeout=10)
    connection.putrequest("GET", "/")
    connection.putheader("x-my-HEADER", "one")
    connection.putheader("X-My-Header", "two")
    connection.endheaders()
    text = connection.getresponse().read().decode()
    connection.close()
    assert '"X-My-Header": "one,two"' in text


def test_a_binary_response_with_repeated_headers_round_trips(runtime: RuntimeUnderTest) -> None:
    answer = requests.get(f"{runtime.url}/binary", timeout=10)
    assert answer.status_code == 201
    assert answer.content == bytes(range(256))
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}


def test_a_result_without_status_code_is_the_body_itself(runtime: RuntimeUnderTest) -> None:
    answer = requests.get(f"{runtime.url}/plain", timeout=10)
    assert (answer.status_code, answer.text) == (200, "no status code")
    assert answer.headers["Content-Type"] == "application/json"


def test_a_method_the_trigger_does_not_list_is_405(runtime: RuntimeUnderTest) -> None:
    answer = requests.delete(f"{runtime.url}/", timeout=10)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST, HEAD"
    assert requests.head(f"{runtime.url}/", timeout=10).status_code == 200


@pytest.mark.parametrize("path", ["/raise", "/wrong", "/split"])
def test_a_function_error_is_502_and_shows_the_client_no_detail(
    runtime: RuntimeUnderTest, path: str
) -> None:
    answer = requests.get(runtime.url + path, timeout=10)
    assert answer.status_code == 502
    assert set(answer.json()) == {"RequestId", "Code", "Message"}
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_the_runtimes_own_paths_never_reach_the_function(runtime: RuntimeUnderTest) -> None:
    assert requests.get(f"{runtime.url}/_other", timeout=10).status_code == 404


def test_a_body_over_32_mb_is_refused(runtime: RuntimeUnderTest) -> None:
    answer = requests.post(runtime.url, data=bytes(32 * 1024 * 1024 + 1), timeout=20)
    assert answer.status_code == 413
    assert "put it into OSS" in answer.json()["Message"]
