"""Multipart uploads as other clients begin, list and complete them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.oss.asking import ask, code, texts
from tests.kit.oss_server import OssServer

KEYS = ["d0/a", "d0/k", "d1/k", "d1/k", "top"]


@pytest.fixture
def uploads(server: OssServer, bucket: Any) -> Any:
    """The bucket with uploads of KEYS under way, and nothing else."""
    for upload in bucket.list_multipart_uploads().upload_list:
        bucket.abort_multipart_upload(upload.key, upload.upload_id)
    for key in KEYS:
        bucket.init_multipart_upload(key)
    return bucket


def listed(bucket: Any, count: int, **options: Any) -> list[str]:
    """All pages: keys and common prefixes, in byte order within each page."""
    found, marker, upload_id = [], "", ""
    while True:
        page = bucket.list_multipart_uploads(
            key_marker=marker, upload_id_marker=upload_id, max_uploads=count, **options
        )
        assert len(page.upload_list) + len(page.prefix_list) <= count
        found += sorted([one.key for one in page.upload_list] + page.prefix_list)
        marker, upload_id = page.next_key_marker, page.next_upload_id_marker
        if not page.is_truncated:
            return found


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_uploads_are_folded_by_the_delimiter(uploads: Any, count: int) -> None:
    assert listed(uploads, count) == KEYS
    assert listed(uploads, count, delimiter="/") == ["d0/", "d1/", "top"]
    assert listed(uploads, count, delimiter="/", prefix="d1/") == ["d1/k", "d1/k"]
    assert listed(uploads, count, delimiter="k") == ["d0/a", "d0/k", "d1/k", "top"]


def test_a_page_of_uploads_says_its_delimiter(server: OssServer, uploads: Any) -> None:
    answer = ask(server, "GET", query={"uploads": "", "delimiter": "/", "encoding-type": "url"})
    assert texts(answer, "Delimiter") == ["/"]
    assert texts(answer, "CommonPrefixes/Prefix") == ["d0/", "d1/"]


def begun(server: OssServer, key: str, **headers: str) -> dict[str, str]:
    """The query of requests about a new upload, of which one part is there."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = ask(server, "POST", key, {"uploads": ""}, headers=sent)
    upload = {"uploadId": str(texts(answer, "UploadId")[0])}
    assert ask(server, "PUT", key, {**upload, "partNumber": "1"}, body=b"x").status_code == 200
    return upload


@pytest.mark.parametrize(
    ("first", "last", "then"),
    [
        ("public-read", "", "public-read"),
        ("private", "public-read", "public-read"),
        ("default", "", "default"),
    ],
)
def test_an_acl_sent_with_an_upload_is_the_object_s(
    server: OssServer, first: str, last: str, then: str
) -> None:
    upload = begun(server, "open", x_oss_object_acl=first)
    headers = {"x-oss-complete-all": "yes"} | ({"x-oss-object-acl": last} if last else {})
    assert ask(server, "POST", "open", upload, headers=headers).status_code == 200
    assert server.bucket().get_object_acl("open").acl == then


@pytest.mark.parametrize("wrong", [{"complete-all": "maybe"}, {"object-acl": "mine"}])
def test_a_completion_ignores_no_header(server: OssServer, wrong: dict[str, str]) -> None:
    upload = begun(server, "x")
    wanted = {"complete-all": "yes", **wrong}
    headers = {f"x-oss-{name}": value for name, value in wanted.items()}
    assert code(ask(server, "POST", "x", upload, headers=headers)) == (400, "InvalidArgument")
    assert ask(server, "GET", "x", upload).status_code == 200


@pytest.mark.parametrize("marker", ["²", "-1", "x"])
def test_a_part_number_marker_is_a_number(server: OssServer, marker: str) -> None:
    query = {**begun(server, "x"), "part-number-marker": marker}
    assert code(ask(server, "GET", "x", query)) == (400, "InvalidArgument")


def test_a_client_that_encrypts_finds_its_key_in_the_list_of_parts(server: OssServer) -> None:
    meta = "x-oss-meta-client-side-encryption-"
    sent = {f"{meta}key": "a2V5", f"{meta}cek-alg": "AES/CTR/NoPadding", f"{meta}part-size": "100"}
    parts = ask(server, "GET", "secret", begun(server, "secret", **sent))
    assert texts(parts, "ClientEncryptionKey") == ["a2V5"]
    assert texts(parts, "ClientEncryptionCekAlg") == ["AES/CTR/NoPadding"]
    assert texts(parts, "ClientEncryptionPartSize") == ["100"]
    assert texts(parts, "ClientEncryptionStart") == []
