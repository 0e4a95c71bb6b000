"""Who may do what: signatures in headers and URLs, tokens, clocks."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import oss2
import pytest
import requests

from tests.kit.oss_server import BUCKET, KEY_ID, REGION, SECRET, OssServer, oss_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssServer]:
    with oss_server(tmp_path_factory.mktemp("signatures")) as running:
        running.bucket().put_object("dir/ä b", b"body")
        yield running


@pytest.fixture(params=["v1", "v4"])
def bucket(server: OssServer, request: pytest.FixtureRequest) -> Any:
    return server.bucket(request.param)


def code(answer: requests.Response) -> str:
    root = ElementTree.fromstring(answer.content)
    assert root.findtext("RequestId") == answer.headers["x-oss-request-id"]
    return root.findtext("Code") or ""


def refusal(auth: Any, server: OssServer, region: str = REGION) -> tuple[int, str]:
    client = oss2.Bucket(auth, server.url, BUCKET, region=region)
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        client.get_object("dir/ä b")
    return refused.value.status, refused.value.code


@pytest.mark.parametrize("auth", [oss2.Auth, oss2.AuthV4])
def test_wrong_keys_are_refused(auth: Any, server: OssServer) -> None:
    assert refusal(auth(KEY_ID, "wrong"), server) == (403, "SignatureDoesNotMatch")
    assert refusal(auth("wrong", SECRET), server) == (403, "InvalidAccessKeyId")


def test_another_region_is_refused(server: OssServer) -> None:
    auth = oss2.AuthV4(KEY_ID, SECRET)
    assert refusal(auth, server, "cn-hangzhou") == (403, "SignatureDoesNotMatch")


def test_no_signature_is_refused(server: OssServer) -> None:
    answer = requests.get(f"{server.url}/{BUCKET}/dir/x")
    assert (answer.status_code, code(answer)) == (403, "AccessDenied")
    assert requests.get(server.url).status_code == 403
    broken = requests.get(f"{server.url}/{BUCKET}/x", headers={"Authorization": "Basic x"})
    assert broken.status_code == 400


@pytest.mark.parametrize("slash_safe", [True, False])
def test_presigned_get(bucket: Any, slash_safe: bool) -> None:
    url = bucket.sign_url("GET", "dir/ä b", 60, slash_safe=slash_safe)
    assert requests.get(url).content == b"body"
    assert bucket.get_object_with_url(url).read() == b"body"
    tampered = requests.get(url.replace("dir", "dim"))
    assert (tampered.status_code, code(tampered)) == (403, "SignatureDoesNotMatch")
    assert requests.head(url).status_code == 403


def test_presigned_get_with_another_disposition(bucket: Any) -> None:
    params = {"response-content-disposition": 'attachment; filename="a b.txt"'}
    answer = requests.get(bucket.sign_url("GET", "dir/ä b", 60, params=params))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a b.txt"'


def test_line_breaks_never_reach_a_header(bucket: Any) -> None:
    params = {"response-content-disposition": "inline\r\nSet-Cookie: a=b"}
    answer = requests.get(bucket.sign_url("GET", "dir/ä b", 60, params=params))
    assert (answer.status_code, code(answer)) == (400, "InvalidArgument")


def test_presigned_head_and_put(bucket: Any) -> None:
    assert requests.head(bucket.sign_url("HEAD", "dir/ä b", 60)).headers["Content-Length"] == "4"
    headers = {"Content-Type": "text/plain"}
    url = bucket.sign_url("PUT", "uploaded", 60, headers=headers)
    assert requests.put(url, data=b"new", headers=headers).status_code == 200
    assert requests.put(url, data=b"new", headers={"Content-Type": "x/y"}).status_code == 403
    assert bucket.head_object("uploaded").content_type == "text/plain"


def test_presigned_url_expires(bucket: Any) -> None:
    answer = requests.get(bucket.sign_url("GET", "dir/ä b", -10))
    assert (answer.status_code, code(answer)) == (403, "AccessDenied")


def test_v4_url_signed_long_ago(server: OssServer, monkeypatch: pytest.MonkeyPatch) -> None:
    then = datetime.fromtimestamp(time.time() - 1000, timezone.utc)
    monkeypatch.setattr("oss2.auth.datetime", SimpleNamespace(utcnow=lambda: then))
    bucket = server.bucket("v4")
    assert requests.get(bucket.sign_url("GET", "dir/ä b", 2000)).status_code == 200
    answer = requests.get(bucket.sign_url("GET", "dir/ä b", 900))
    assert (answer.status_code, code(answer)) == (403, "AccessDenied")


def test_v4_urls_live_a_week_at_most(server: OssServer) -> None:
    url = server.bucket("v4").sign_url("GET", "dir/ä b", 700_000)
    assert requests.get(url).status_code == 403


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_clock_too_far_off(
    server: OssServer, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = datetime.fromtimestamp(time.time() - 1000, timezone.utc)
    late = SimpleNamespace(utcnow=lambda: then.replace(tzinfo=None))
    monkeypatch.setattr("oss2.auth.datetime", late)
    monkeypatch.setattr("oss2.utils.http_date", lambda *_: f"{then:%a, %d %b %Y %H:%M:%S} GMT")
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        server.bucket(version).get_object("dir/ä b")
    assert refused.value.code == "RequestTimeTooSkewed"


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_temporary_keys_need_their_token(tmp_path: Path, version: str) -> None:
    with oss_server(tmp_path, token="the-token") as server:
        auth = oss2.StsAuth(KEY_ID, SECRET, "the-token", auth_version=version)
        good = oss2.Bucket(auth, server.url, BUCKET, region=REGION)
        good.put_object("x", b"x")
        assert requests.get(good.sign_url("GET", "x", 60)).content == b"x"
        wrong = oss2.StsAuth(KEY_ID, SECRET, "another", auth_version=version)
        for auth, expected in (
            (wrong, "InvalidSecurityToken"),
            (server.bucket(version).auth, "InvalidAccessKeyId"),
        ):
            with pytest.raises(oss2.exceptions.ServerError) as refused:
                oss2.Bucket(auth, server.url, BUCKET, region=REGION).get_object("x")
            assert (refused.value.status, refused.value.code) == (403, expected)


def test_provider_credentials(server: OssServer) -> None:
    provider = oss2.credentials.StaticCredentialsProvider(KEY_ID, SECRET)
    for auth in (oss2.ProviderAuth(provider), oss2.ProviderAuthV4(provider)):
        client = oss2.Bucket(auth, server.url, BUCKET, region=REGION)
        assert client.get_object("dir/ä b").read() == b"body"


def test_virtual_host_style_through_a_proxy_setting(server: OssServer) -> None:
    for version in ("v1", "v4"):
        client = oss2.Bucket(
            server.bucket(version).auth,
            "http://oss-cn-beijing.aliyuncs.com",
            BUCKET,
            region=REGION,
            proxies={"http": server.url},
        )
        assert client.get_object("dir/ä b").read() == b"body"
        proxies = {"http": server.url}
        assert (
            requests.get(client.sign_url("GET", "dir/ä b", 60), proxies=proxies).content == b"body"
        )


@pytest.mark.parametrize("missing", ["GET", "PUT", "HEAD"])
@pytest.mark.parametrize("auth", [oss2.Auth("wrong", SECRET), oss2.AnonymousAuth()])
def test_a_bucket_that_is_not_there_comes_before_who_asks(
    server: OssServer, auth: Any, missing: str
) -> None:
    absent = oss2.Bucket(auth, server.url, "no-such-bucket", region=REGION)
    asked = {
        "GET": lambda: absent.get_object("x"),
        "PUT": lambda: absent.put_object("x", b""),
        "HEAD": lambda: absent.head_object("x"),
    }
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        asked[missing]()
    assert (refused.value.status, refused.value.code) == (404, "NoSuchBucket")
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        absent.create_bucket()
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("header", "query", "says"),
    [
        ("AWS4-HMAC-SHA256 Credential=x/20300101/cn/s3/aws4_request", "", "S3-compatible"),
        ("AWS x:y", "", "S3-compatible"),
        ("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0", "S3-compatible"),
        ("", "AWSAccessKeyId=x&Signature=y&Expires=9", "S3-compatible"),
        ("OSS2 AccessKeyId:x,Signature:y", "", "version 2"),
        ("", "x-oss-signature-version=OSS2&x-oss-signature=y", "version 2"),
    ],
)
def test_signatures_that_are_not_offered_are_named(
    server: OssServer, header: str, query: str, says: str
) -> None:
    headers = {"Authorization": header} if header else {}
    answer = requests.get(f"{server.url}/{BUCKET}/x?{query}", headers=headers)
    assert (answer.status_code, code(answer)) == (501, "NotImplemented")
    assert says in (ElementTree.fromstring(answer.content).findtext("Message") or "")
