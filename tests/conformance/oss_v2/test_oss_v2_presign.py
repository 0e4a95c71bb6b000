"""Presigned URLs of alibabacloud-oss-v2, version 1 and 4, with and without temporary keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
import requests

from tests.conformance.oss_v2.v2_client import SERVER_PYTHON, Requests, client, refusal
from tests.kit.oss_server import OssServer, oss_server

KEY = "dir/ä +%41.txt"
TOKEN = "a/token+with=signs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssServer]:
    with oss_server(tmp_path_factory.mktemp("presign"), python=SERVER_PYTHON) as running:
        client(running.url).put_object(Requests(KEY)("PutObject", body=b"body"))
        yield running


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssServer]:
    folder = tmp_path_factory.mktemp("sts")
    with oss_server(folder, token=TOKEN, python=SERVER_PYTHON) as running:
        yield running


@pytest.fixture(params=["v1", "v4"])
def oss(server: OssServer, request: pytest.FixtureRequest) -> Any:
    return client(server.url, request.param)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, ElementTree.fromstring(answer.content).findtext("Code") or ""


def test_get_head_put(oss: Any) -> None:
    at = Requests(KEY)
    assert requests.get(oss.presign(at("GetObject")).url).content == b"body"
    head = requests.head(oss.presign(at("HeadObject")).url)
    assert (head.status_code, head.headers["Content-Length"]) == (200, "4")
    shown = at("GetObject", response_content_type="text/odd")
    assert requests.get(oss.presign(shown).url).headers["Content-Type"] == "text/odd"
    new = Requests("new ~+")("PutObject", content_type="text/plain", metadata={"who": "me"})
    signed = oss.presign(new)
    headers = {"Content-Type": "text/plain", "x-oss-meta-who": "me"}
    assert dict(signed.signed_headers).items() <= headers.items()
    assert requests.put(signed.url, data=b"new", headers=headers).status_code == 200
    got = oss.get_object(Requests("new ~+")("GetObject"))
    assert (got.body.content, got.metadata["who"]) == (b"new", "me")
    other = requests.put(signed.url, data=b"x", headers={**headers, "Content-Type": "x/y"})
    assert code(other) == (403, "SignatureDoesNotMatch")


def test_forbid_overwrite_is_signed(oss: Any) -> None:
    signed = oss.presign(Requests(KEY)("PutObject", forbid_overwrite=True))
    headers = {"x-oss-forbid-overwrite": "true"}
    assert code(requests.put(signed.url, data=b"x", headers=headers)) == (409, "FileAlreadyExists")
    bare = requests.put(signed.url, data=b"x", headers={"Content-Type": ""})
    assert code(bare) == (403, "SignatureDoesNotMatch")


def test_multipart_by_presigned_urls(oss: Any) -> None:
    at = Requests("by-url")
    begun = requests.post(oss.presign(at("InitiateMultipartUpload")).url)
    upload = ElementTree.fromstring(begun.content).findtext("UploadId")
    part = oss.presign(at("UploadPart", upload_id=upload, part_number=1)).url
    etag = requests.put(part, data=b"only part").headers["ETag"]
    listed = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    complete = oss.presign(at("CompleteMultipartUpload", upload_id=upload)).url
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    assert requests.post(complete, data=document).status_code == 200
    assert oss.get_object(at("GetObject")).body.content == b"only part"


@pytest.mark.parametrize("version", ["v1", "v4"])
@pytest.mark.parametrize("change", ["path", "method", "value"])
def test_tampered(server: OssServer, version: str, change: str) -> None:
    url = client(server.url, version).presign(Requests(KEY)("GetObject")).url
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    method = "DELETE" if change == "method" else "GET"
    if change == "path":
        parts = parts._replace(path=parts.path.replace("dir", "dim"))
    if change == "value":
        name = "Expires" if version == "v1" else "x-oss-expires"
        query[name] = str(int(query[name]) + 1)
    forged = parts._replace(query=urlencode(query)).geturl()
    assert code(requests.request(method, forged)) == (403, "SignatureDoesNotMatch")
    assert requests.get(url).status_code == 200


def test_expired(oss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    end = datetime.now(timezone.utc) - timedelta(seconds=10)
    begun = end - timedelta(seconds=60)
    if "V4" in type(oss._client._options.signer).__name__:

        class Earlier(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return begun

        monkeypatch.setattr("alibabacloud_oss_v2.signer.v4.datetime.datetime", Earlier)
    url = oss.presign(Requests(KEY)("GetObject"), expiration=end).url
    assert code(requests.get(url)) == (403, "AccessDenied")


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_temporary_keys(temporary: OssServer, version: str) -> None:
    oss = client(temporary.url, version, token=TOKEN)
    at = Requests("x")
    oss.put_object(at("PutObject", body=b"x"))
    url = oss.presign(at("GetObject")).url
    assert requests.get(url).content == b"x"
    for token, expected in ((None, "InvalidAccessKeyId"), ("other", "InvalidSecurityToken")):
        wrong = client(temporary.url, version, token=token)
        assert refusal(partial(wrong.get_object, at("GetObject"))) == (403, expected)
        assert code(requests.get(wrong.presign(at("GetObject")).url)) == (403, expected)
