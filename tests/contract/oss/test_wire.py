"""The answers on the wire, where oss2 hides or repairs them."""

from __future__ import annotations

import base64
import gzip
import http.client
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.kit.oss_server import OssServer


def signed_path(server: OssServer, method: str, key: str, **options: Any) -> str:
    url = server.bucket("v4").sign_url(method, key, 60, slash_safe=True, **options)
    return str(url.removeprefix(server.url))


@pytest.fixture
def connection(server: OssServer) -> Iterator[http.client.HTTPConnection]:
    raw = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    yield raw
    raw.close()


def exchange(
    raw: http.client.HTTPConnection, method: str, path: str, **options: Any
) -> tuple[http.client.HTTPResponse, bytes]:
    raw.request(method, path, **options)
    answer = raw.getresponse()
    return answer, answer.read()


def test_every_answer_has_id_server_and_date(
    server: OssServer, connection: http.client.HTTPConnection
) -> None:
    for method, key, body in (("PUT", "x", b"1"), ("GET", "x", None), ("GET", "absent", None)):
        answer, _ = exchange(connection, method, signed_path(server, method, key), body=body)
        assert re.fullmatch("[0-9A-F]{24}", answer.headers["x-oss-request-id"])
        assert answer.headers["Server"] == "AliyunOSS"
        assert parsedate_to_datetime(answer.headers["Date"])
        assert answer.headers["Content-Length"] is not None


def test_one_connection_serves_many_requests(
    server: OssServer, connection: http.client.HTTPConnection
) -> None:
    sockets = set()
    for method, key in (("PUT", "k"), ("GET", "k"), ("HEAD", "k"), ("GET", "absent")) * 3:
        exchange(connection, method, signed_path(server, method, key))
        assert connection.sock is not None
        sockets.add(connection.sock.getsockname())
    answer, _ = exchange(connection, "DELETE", signed_path(server, "DELETE", "k"))
    assert (answer.status, answer.headers["Content-Length"]) == (204, "0")
    assert connection.sock.getsockname() in sockets
    assert len(sockets) == 1


def test_error_document_and_its_copy_in_the_header(
    server: OssServer, connection: http.client.HTTPConnection
) -> None:
    answer, body = exchange(connection, "GET", signed_path(server, "GET", "absent"))
    root = ElementTree.fromstring(body)
    assert (root.tag, root.findtext("Code")) == ("Error", "NoSuchKey")
    assert root.findtext("RequestId") == answer.headers["x-oss-request-id"]
    assert root.findtext("HostId") == server.url.removeprefix("http://")
    assert root.findtext("EC")
    head, nothing = exchange(connection, "HEAD", signed_path(server, "HEAD", "absent"))
    assert (head.status, nothing) == (404, b"")
    copied = ElementTree.fromstring(base64.b64decode(head.headers["x-oss-err"]))
    assert copied.findtext("Code") == "NoSuchKey"


def test_not_modified_has_no_body(
    server: OssServer, connection: http.client.HTTPConnection
) -> None:
    etag = server.bucket().put_object("same", b"x").etag
    path = signed_path(server, "GET", "same")
    answer, body = exchange(connection, "GET", path, headers={"If-None-Match": f'"{etag}"'})
    assert (answer.status, body) == (304, b"")
    assert answer.headers["x-oss-err"] is None


@pytest.mark.parametrize("key", ["../up", "a/../../up", "./here", "a/./b", "..", "%2e%2e/up"])
def test_dots_in_a_raw_path_stay_inside(
    server: OssServer, connection: http.client.HTTPConnection, key: str
) -> None:
    path = "/wanx/" + quote(key) + "?" + signed_path(server, "PUT", key).partition("?")[2]
    before = sorted(path.name for path in server.root.iterdir())
    answer, _ = exchange(connection, "PUT", path, body=key.encode())
    assert answer.status == 200
    path = "/wanx/" + quote(key) + "?" + signed_path(server, "GET", key).partition("?")[2]
    assert exchange(connection, "GET", path)[1] == key.encode()
    assert sorted(path.name for path in server.root.iterdir()) == before
    assert key in [item.key for item in server.bucket().list_objects_v2(max_keys=1000).object_list]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/wanx//slash", "InvalidObjectName"),
        ("/wanx/%5Cback", "InvalidObjectName"),
        ("/wanx/" + "x" * 1024, "InvalidObjectName"),
        ("/wanx/%ff", "InvalidObjectName"),
        ("/WANX/x", "InvalidBucketName"),
        ("/.oss/index.sqlite", "InvalidBucketName"),
    ],
)
def test_names_outside_the_rules(
    connection: http.client.HTTPConnection, path: str, code: str
) -> None:
    answer, body = exchange(connection, "GET", path)
    assert answer.status == 400
    assert ElementTree.fromstring(body).findtext("Code") == code


def test_gzip_is_stored_as_it_came(
    server: OssServer, connection: http.client.HTTPConnection
) -> None:
    body = gzip.compress(b"content")
    headers = {"Content-Encoding": "gzip"}
    path = signed_path(server, "PUT", "packed")
    exchange(connection, "PUT", path, body=body, headers=headers)
    assert (server.folder / "packed").read_bytes() == body
    answer, got = exchange(connection, "GET", signed_path(server, "GET", "packed"))
    assert (answer.headers["Content-Encoding"], got) == ("gzip", body)


def test_put_without_a_length(server: OssServer, connection: http.client.HTTPConnection) -> None:
    connection.putrequest("PUT", signed_path(server, "PUT", "x"))
    connection.endheaders()
    assert connection.getresponse().status == 411


def test_what_is_not_offered_is_said(
    server: OssServer, connection: http.client.HTTPConnection
) -> None:
    path = signed_path(server, "GET", "x", params={"x-oss-process": "image/resize,w_10"})
    assert exchange(connection, "GET", path)[0].status == 501
    assert exchange(connection, "PATCH", signed_path(server, "PATCH", "x"))[0].status == 405


@pytest.mark.parametrize(
    ("sub", "body"),
    [("tagging", b"<Tagging>"), ("tagging", b"<Other/>"), ("tagging", b"<!DOCTYPE x><Tagging/>")],
)
def test_broken_documents(
    server: OssServer, connection: http.client.HTTPConnection, sub: str, body: bytes
) -> None:
    server.bucket().put_object("x", b"")
    path = signed_path(server, "PUT", "x", params={sub: ""})
    answer, text = exchange(connection, "PUT", path, body=body)
    assert answer.status == 400
    assert ElementTree.fromstring(text).findtext("Code") == "MalformedXML"
