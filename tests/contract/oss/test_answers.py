"""Forms of answers that clients hide: ETags, encoded names, refusals of HEAD, altered URLs."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

import oss2
import pytest
import requests
from oss2.models import PartInfo

from tests.contract.oss.asking import ask, texts
from tests.kit.oss_server import BUCKET, KEY_ID, REGION, SECRET, OssServer, oss_server

ODD = "names/a b+%41&é\x01"


def listing(server: OssServer, **query: str) -> Any:
    return ask(server, "GET", query={n.replace("_", "-"): value for n, value in query.items()})


def md5(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest().upper()}"'


def test_forms_of_etags(server: OssServer) -> None:
    bucket = server.bucket()
    assert bucket.put_object("etag", b"x").headers["ETag"] == md5(b"x")
    assert bucket.copy_object(BUCKET, "etag", "etag2").headers["ETag"] == md5(b"x")
    upload = bucket.init_multipart_upload("parts").upload_id
    part = bucket.upload_part("parts", upload, 1, b"x")
    assert part.headers["ETag"] == md5(b"x")
    listed = ask(server, "GET", "parts", {"uploadId": upload})
    assert texts(listed, "Part/ETag") == [md5(b"x")]
    done = bucket.complete_multipart_upload("parts", upload, [PartInfo(1, part.etag)])
    expected = md5(hashlib.md5(b"x").digest())[:-1] + '-1"'
    assert done.headers["ETag"] == bucket.head_object("parts").headers["ETag"] == expected
    first = bucket.append_object("log", 0, b"one").headers["ETag"]
    assert bucket.head_object("log").headers["ETag"] == first == md5(b"one")
    second = bucket.append_object("log", 3, b"two").headers["ETag"]
    assert bucket.head_object("log").headers["ETag"] == second != first


def test_next_position_is_said_by_every_answer_to_an_append(server: OssServer) -> None:
    for position, status, following in ((0, 200, "3"), (0, 409, "3"), (3, 200, "6")):
        query = {"append": "", "position": str(position)}
        answer = ask(server, "POST", "positions", query, body=b"abc")
        assert answer.status_code == status
        assert answer.headers["x-oss-next-append-position"] == following
    head = ask(server, "HEAD", "positions", {})
    assert head.headers["x-oss-next-append-position"] == "6"


def test_names_are_encoded_where_asked(server: OssServer) -> None:
    bucket = server.bucket()
    bucket.put_object(ODD, b"")
    encoded = "names/a%20b%2B%2541%26%C3%A9%01"
    query = {"prefix": "names/a b", "encoding_type": "url", "delimiter": "+"}
    for form in ({}, {"list_type": "2", "start_after": "names/a "}):
        listed = listing(server, **query, **form)
        assert texts(listed, "EncodingType") == ["url"]
        assert texts(listed, "Prefix") == ["names/a%20b"]
        assert texts(listed, "Delimiter") == ["%2B"]
        assert texts(listed, "CommonPrefixes/Prefix") == ["names/a%20b%2B"]
    flat = listing(server, prefix="names/", encoding_type="url")
    assert texts(flat, "Contents/Key") == [encoded]
    upload = bucket.init_multipart_upload(ODD).upload_id
    uploads = listing(server, uploads="", encoding_type="url")
    assert texts(uploads, "Upload/Key") == [encoded]
    bucket.abort_multipart_upload(ODD, upload)
    assert bucket.batch_delete_objects([ODD[:-1]]).deleted_keys == [ODD[:-1]]


def test_no_key_breaks_a_document(server: OssServer) -> None:
    bucket, shown = server.bucket(), f"{ODD[:-1]}�"
    upload = bucket.init_multipart_upload(ODD).upload_id
    assert texts(listing(server, uploads=""), "Upload/Key") == [shown]
    bucket.abort_multipart_upload(ODD, upload)
    bucket.put_object(ODD, b"")
    assert texts(listing(server, prefix="names/"), "Contents/Key") == [shown]
    refused = ask(server, "GET", f"{ODD}/absent", {})
    assert texts(refused, "Code") == ["NoSuchKey"]


def test_names_are_plain_where_not_asked(server: OssServer) -> None:
    server.bucket().put_object("plain/a b+%41&é", b"")
    listed = listing(server, prefix="plain/")
    assert texts(listed, "EncodingType") == []
    assert texts(listed, "Contents/Key") == ["plain/a b+%41&é"]
    other = listing(server, encoding_type="base64")
    assert (other.status_code, texts(other, "Code")) == (400, ["InvalidArgument"])


def test_a_refused_head_says_why_in_its_header(server: OssServer) -> None:
    server.bucket().put_object("head", b"x")
    url = f"{server.url}/{BUCKET}/head"
    signed = server.bucket().sign_url("HEAD", "head", 60)
    for answer, code in (
        (requests.head(url), (403, "AccessDenied")),
        (requests.head(signed + "0"), (403, "SignatureDoesNotMatch")),
        (requests.head(signed, headers={"If-Match": '"0"'}), (412, "PreconditionFailed")),
        (ask(server, "HEAD", "absent", {}), (404, "NoSuchKey")),
    ):
        error = ElementTree.fromstring(base64.b64decode(answer.headers["x-oss-err"]))
        assert (answer.status_code, error.findtext("Code")) == code
        assert error.findtext("RequestId") == answer.headers["x-oss-request-id"]
        assert answer.content == b""


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_any_change_of_a_presigned_url_is_noticed(server: OssServer, version: str) -> None:
    bucket = server.bucket(version)
    bucket.put_object("signed", b"x")
    params = {"response-content-type": "text/plain"}
    url = bucket.sign_url("GET", "signed", 60, params=params)
    assert requests.get(url).status_code == 200
    query = dict(parse_qsl(urlsplit(url).query))
    for name, value in query.items():
        changed = urlencode({**query, name: _changed(value)})
        answer = requests.get(urlsplit(url)._replace(query=changed).geturl())
        assert answer.status_code in (400, 403), name
        assert texts(answer, "Code") != ["InternalError"], name
        left_out = urlencode({other: query[other] for other in query if other != name})
        assert requests.get(urlsplit(url)._replace(query=left_out).geturl()).status_code in (
            400,
            403,
        ), name


def _changed(value: str) -> str:
    return value[:-1] + ("1" if value[-1] != "1" else "2")


def test_version_1_token_under_its_shorter_name(tmp_path: Any) -> None:
    with oss_server(tmp_path, token="the-token") as server:
        auth = oss2.Auth(KEY_ID, SECRET)
        bucket = oss2.Bucket(auth, server.url, BUCKET, region=REGION)
        bucket.put_object("x", b"x", headers={"security-token": "the-token"})
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            bucket.get_object("x", headers={"security-token": "another"})
        assert refused.value.code == "InvalidSecurityToken"
