"""The OSS server seen by alibabacloud-oss-v2, with signatures of version 1 and 4.

Run in an environment of its own, made from requirements-oss-v2.txt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conformance.oss_v2.v2_client import SERVER_PYTHON, Requests, client, refusal, sdk
from tests.kit.oss_server import BUCKET, KEY_ID, REGION, SECRET, OssServer, oss_server

ODD_KEYS = ["a b+c%41.txt", "中文/é ~.png", "q?x=1#y&z", "double//slash", "end/", "😀", "*'()!"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssServer]:
    with oss_server(tmp_path_factory.mktemp("v2"), python=SERVER_PYTHON) as running:
        yield running


@pytest.fixture(params=["v1", "v4"])
def oss(server: OssServer, request: pytest.FixtureRequest) -> Any:
    return client(server.url, request.param)


@pytest.fixture(autouse=True)
def clean(server: OssServer) -> Iterator[None]:
    yield
    emptied = client(server.url)
    for item in emptied.list_objects_v2(Requests()("ListObjectsV2", max_keys=1000)).contents or []:
        emptied.delete_object(Requests(item.key)("DeleteObject"))


def test_put_get_head_delete(oss: Any) -> None:
    at = Requests("jobs/cat.yaml")
    body = b"123456789"
    put = oss.put_object(at("PutObject", body=body, content_type="text/x-odd"))
    md5 = hashlib.md5(body).hexdigest().upper()
    assert (put.etag, put.hash_crc64) == (f'"{md5}"', "11051210869376104954")
    assert len(put.request_id) == 24
    got = oss.get_object(at("GetObject"))
    assert (got.body.content, got.content_type, got.object_type) == (body, "text/x-odd", "Normal")
    head = oss.head_object(at("HeadObject"))
    assert (head.content_length, head.etag, head.storage_class) == (9, put.etag, "Standard")
    assert oss.get_object_meta(at("GetObjectMeta")).content_length == 9
    assert oss.is_object_exist(BUCKET, "jobs/cat.yaml")
    assert oss.delete_object(at("DeleteObject")).status_code == 204
    assert oss.delete_object(at("DeleteObject")).status_code == 204
    assert not oss.is_object_exist(BUCKET, "jobs/cat.yaml")


def test_missing_things(oss: Any) -> None:
    at = Requests("absent")
    assert refusal(lambda: oss.get_object(at("GetObject"))) == (404, "NoSuchKey")
    assert refusal(lambda: oss.head_object(at("HeadObject"))) == (404, "NoSuchKey")
    elsewhere = at("GetObject", bucket="no-such-bucket")
    assert refusal(lambda: oss.get_object(elsewhere)) == (404, "NoSuchBucket")
    assert not oss.is_bucket_exist("no-such-bucket")
    assert oss.is_bucket_exist(BUCKET)


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys(oss: Any, key: str) -> None:
    at = Requests(key)
    oss.put_object(at("PutObject", body=key.encode()))
    assert oss.get_object(at("GetObject")).body.content == key.encode()
    (listed,) = oss.list_objects(Requests()("ListObjects", encoding_type="url")).contents
    assert listed.key == key
    oss.copy_object(Requests("copy")("CopyObject", source_key=key))
    assert oss.get_object(Requests("copy")("GetObject")).body.content == key.encode()


def test_forbid_overwrite(oss: Any) -> None:
    at = Requests("once")
    first = at("PutObject", body=b"1", forbid_overwrite=True)
    oss.put_object(first)
    assert refusal(lambda: oss.put_object(first)) == (409, "FileAlreadyExists")
    copy = at("CopyObject", source_key="once", forbid_overwrite=True)
    assert refusal(lambda: oss.copy_object(copy)) == (409, "FileAlreadyExists")
    link = at("PutSymlink", target="x", forbid_overwrite="true")
    assert refusal(lambda: oss.put_symlink(link)) == (409, "FileAlreadyExists")
    begin = at("InitiateMultipartUpload", forbid_overwrite=True)
    assert refusal(lambda: oss.initiate_multipart_upload(begin)) == (409, "FileAlreadyExists")
    assert oss.get_object(at("GetObject")).body.content == b"1"


def test_metadata_is_kept_copied_and_replaced(oss: Any) -> None:
    at = Requests("meta")
    stored = {"cache_control": "no-cache", "content_disposition": "inline"}
    oss.put_object(at("PutObject", body=b"x", metadata={"Author": "me"}, **stored))
    head = oss.head_object(at("HeadObject"))
    assert (head.metadata["author"], head.cache_control) == ("me", "no-cache")
    oss.copy_object(Requests("meta2")("CopyObject", source_key="meta"))
    assert oss.head_object(Requests("meta2")("HeadObject")).metadata["author"] == "me"
    replaced = {"metadata_directive": "REPLACE", "metadata": {"author": "you"}}
    oss.copy_object(Requests("meta2")("CopyObject", source_key="meta", **replaced))
    head = oss.head_object(Requests("meta2")("HeadObject"))
    assert (head.metadata["author"], head.cache_control) == ("you", None)


def test_copy_conditions(oss: Any) -> None:
    etag = oss.put_object(Requests("from")("PutObject", body=b"x")).etag
    to = Requests("to")
    wrong = to("CopyObject", source_key="from", if_match='"0"')
    assert refusal(lambda: oss.copy_object(wrong)) == (412, "PreconditionFailed")
    same = to("CopyObject", source_key="from", if_match=etag)
    assert oss.copy_object(same).etag == etag
    absent = to("CopyObject", source_key="absent")
    assert refusal(lambda: oss.copy_object(absent)) == (404, "NoSuchKey")


def test_ranges_and_conditions(oss: Any) -> None:
    at = Requests("range")
    etag = oss.put_object(at("PutObject", body=b"0123456789")).etag
    middle = oss.get_object(at("GetObject", range_header="bytes=2-4"))
    assert (middle.status_code, middle.content_range) == (206, "bytes 2-4/10")
    assert middle.body.content == b"234"
    assert oss.get_object(at("GetObject", range_header="bytes=-3")).body.content == b"789"
    whole = oss.get_object(at("GetObject", range_header="bytes=20-30"))
    assert (whole.status_code, whole.body.content) == (200, b"0123456789")
    past = at("GetObject", range_header="bytes=20-30", range_behavior="standard")
    assert refusal(lambda: oss.get_object(past)) == (416, "InvalidRange")
    assert oss.get_object(at("GetObject", if_match=etag)).status_code == 200
    other = at("GetObject", if_match='"0"')
    assert refusal(lambda: oss.get_object(other)) == (412, "PreconditionFailed")
    same = at("GetObject", if_none_match=etag)
    assert refusal(lambda: oss.get_object(same))[0] == 304


def test_append(oss: Any) -> None:
    at = Requests("log")
    first = oss.append_object(at("AppendObject", position=0, body=b"one"))
    second = oss.append_object(at("AppendObject", position=first.next_position, body=b"two"))
    assert second.next_position == 6
    late = at("AppendObject", position=3, body=b"x")
    assert refusal(lambda: oss.append_object(late)) == (409, "PositionNotEqualToLength")
    assert oss.get_object(at("GetObject")).body.content == b"onetwo"
    assert oss.head_object(at("HeadObject")).next_append_position == 6
    oss.put_object(at("PutObject", body=b"plain"))
    normal = at("AppendObject", position=5, body=b"x")
    assert refusal(lambda: oss.append_object(normal)) == (409, "ObjectNotAppendable")
    with oss.append_file(BUCKET, "file") as file:
        file.write(b"a" * 10)
        file.write(b"b")
    assert oss.get_object(Requests("file")("GetObject")).body.content == b"a" * 10 + b"b"


def test_multipart(oss: Any) -> None:
    at, size = Requests("large"), 100 * 1024
    upload = oss.initiate_multipart_upload(at("InitiateMultipartUpload")).upload_id
    bodies = {1: b"a" * size, 2: b"b" * size, 3: b"end"}
    etags = {}
    for number in (3, 1, 2):
        part = at("UploadPart", upload_id=upload, part_number=number, body=bodies[number])
        etags[number] = oss.upload_part(part).etag
    listed = oss.list_parts(at("ListParts", upload_id=upload, max_parts=2))
    assert ([p.part_number for p in listed.parts], listed.is_truncated) == ([1, 2], True)
    assert listed.next_part_number_marker == 2
    (found,) = oss.list_multipart_uploads(Requests()("ListMultipartUploads")).uploads
    assert (found.key, found.upload_id) == ("large", upload)
    parts = [sdk.UploadPart(part_number=n, etag=etags[n]) for n in (1, 2, 3)]
    wanted = sdk.CompleteMultipartUpload(parts=parts)
    complete = at("CompleteMultipartUpload", upload_id=upload, complete_multipart_upload=wanted)
    result = oss.complete_multipart_upload(complete)
    digests = b"".join(hashlib.md5(bodies[n]).digest() for n in (1, 2, 3))
    assert result.etag == f'"{hashlib.md5(digests).hexdigest().upper()}-3"'
    got = oss.get_object(at("GetObject"))
    assert (got.body.content, got.object_type) == (
        b"".join(bodies[n] for n in (1, 2, 3)),
        "Multipart",
    )
    assert refusal(lambda: oss.complete_multipart_upload(complete)) == (404, "NoSuchUpload")


def test_multipart_all_parts_copied_and_aborted(oss: Any) -> None:
    source = b"0123456789" * 20480
    oss.put_object(Requests("source")("PutObject", body=source))
    at = Requests("copied")
    upload = oss.initiate_multipart_upload(at("InitiateMultipartUpload")).upload_id
    for number, wanted in ((1, "bytes=0-102399"), (2, "bytes=102400-102401")):
        fields = {"source_key": "source", "source_range": wanted, "part_number": number}
        oss.upload_part_copy(at("UploadPartCopy", upload_id=upload, **fields))
    every = at("CompleteMultipartUpload", upload_id=upload, complete_all="yes")
    oss.complete_multipart_upload(every)
    assert oss.get_object(at("GetObject")).body.content == source[:102402]
    other = oss.initiate_multipart_upload(at("InitiateMultipartUpload")).upload_id
    oss.abort_multipart_upload(at("AbortMultipartUpload", upload_id=other))
    again = at("AbortMultipartUpload", upload_id=other)
    assert refusal(lambda: oss.abort_multipart_upload(again)) == (404, "NoSuchUpload")


def test_uploader_and_downloader(oss: Any, tmp_path: Path) -> None:
    body = bytes(range(256)) * 2000
    (tmp_path / "up").write_bytes(body)
    at = Requests("managed")
    oss.uploader(part_size=150_000, parallel_num=3).upload_file(
        at("PutObject"), filepath=str(tmp_path / "up")
    )
    oss.downloader(part_size=100_000, parallel_num=3).download_file(
        at("GetObject"), filepath=str(tmp_path / "down")
    )
    assert (tmp_path / "down").read_bytes() == body
    assert oss.head_object(at("HeadObject")).object_type == "Multipart"


@pytest.mark.parametrize("count", [1, 2, 100])
def test_listings_by_page(oss: Any, count: int) -> None:
    names = ["a", "a/1", "a/2", "b+c", "b/中", "é"]
    for name in names:
        oss.put_object(Requests(name)("PutObject", body=b""))
    ask = Requests()
    for paginator, form in (
        (oss.list_objects_paginator(limit=count), "ListObjects"),
        (oss.list_objects_v2_paginator(limit=count), "ListObjectsV2"),
    ):
        pages = list(paginator.iter_page(ask(form)))
        assert [item.key for page in pages for item in page.contents or []] == names
        folded = list(paginator.iter_page(ask(form, delimiter="/")))
        keys = [item.key for page in folded for item in page.contents or []]
        prefixes = [item.prefix for page in folded for item in page.common_prefixes or []]
        assert (keys, prefixes) == (["a", "b+c", "é"], ["a/", "b/"])
    after = oss.list_objects_v2(
        ask("ListObjectsV2", prefix="a", start_after="a/1", fetch_owner=True)
    )
    assert ([item.key for item in after.contents], after.key_count) == (["a/2"], 1)
    assert after.contents[0].owner.id
    marked = oss.list_objects(ask("ListObjects", marker="b/中"))
    assert [item.key for item in marked.contents] == ["é"]
    many = ask("ListObjectsV2", max_keys=1001)
    assert refusal(lambda: oss.list_objects_v2(many)) == (400, "InvalidArgument")


@pytest.mark.parametrize("quiet", [True, False])
def test_delete_many(oss: Any, quiet: bool) -> None:
    keys = [*ODD_KEYS, "absent"]
    for key in ODD_KEYS:
        oss.put_object(Requests(key)("PutObject", body=b""))
    objects = [sdk.DeleteObject(key=key) for key in keys]
    many = Requests()("DeleteMultipleObjects", objects=objects, encoding_type="url", quiet=quiet)
    deleted = [item.key for item in oss.delete_multiple_objects(many).deleted_objects or []]
    assert deleted == ([] if quiet else keys)
    assert not oss.list_objects_v2(Requests()("ListObjectsV2")).contents


def test_tags_acl_and_symlink(oss: Any) -> None:
    at = Requests("tagged")
    oss.put_object(at("PutObject", body=b"x", tagging="a=1&b=%E4%B8%AD"))
    tags = oss.get_object_tagging(at("GetObjectTagging")).tag_set.tags
    assert {tag.key: tag.value for tag in tags} == {"a": "1", "b": "中"}
    changed = sdk.Tagging(tag_set=sdk.TagSet(tags=[sdk.Tag(key="c", value="3")]))
    oss.put_object_tagging(at("PutObjectTagging", tagging=changed))
    assert oss.head_object(at("HeadObject")).tagging_count == 1
    oss.delete_object_tagging(at("DeleteObjectTagging"))
    assert not oss.get_object_tagging(at("GetObjectTagging")).tag_set.tags
    oss.put_object_acl(at("PutObjectAcl", acl="public-read"))
    assert oss.get_object_acl(at("GetObjectAcl")).acl == "public-read"
    link = Requests("link")
    oss.put_symlink(link("PutSymlink", target="tagged"))
    assert oss.get_symlink(link("GetSymlink")).target == "tagged"
    got = oss.get_object(link("GetObject"))
    assert (got.body.content, got.object_type) == (b"x", "Symlink")
    assert refusal(lambda: oss.get_symlink(at("GetSymlink"))) == (400, "NotSymlink")


def test_buckets(oss: Any) -> None:
    oss.put_bucket(sdk.PutBucketRequest(bucket="second"))
    names = [bucket.name for bucket in oss.list_buckets(sdk.ListBucketsRequest()).buckets]
    assert names == ["second", BUCKET]
    info = oss.get_bucket_info(sdk.GetBucketInfoRequest(bucket="second")).bucket_info
    assert (info.name, info.location, info.acl) == ("second", f"oss-{REGION}", "private")
    location = oss.get_bucket_location(sdk.GetBucketLocationRequest(bucket="second"))
    assert location.location == f"oss-{REGION}"
    versioning = sdk.GetBucketVersioningRequest(bucket="second")
    assert oss.get_bucket_versioning(versioning).version_status is None
    oss.delete_bucket(sdk.DeleteBucketRequest(bucket="second"))
    again = sdk.DeleteBucketRequest(bucket="second")
    assert refusal(lambda: oss.delete_bucket(again)) == (404, "NoSuchBucket")


def test_wrong_content_md5(oss: Any) -> None:
    wrong = Requests("md5")("PutObject", body=b"x", content_md5="1B2M2Y8AsgTpgAmY7PhCfg==")
    assert refusal(lambda: oss.put_object(wrong)) == (400, "InvalidDigest")
    assert not oss.is_object_exist(BUCKET, "md5")


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_wrong_keys(server: OssServer, version: str) -> None:
    ask = Requests("x")("GetObject")
    for key, code in (
        ((KEY_ID, "wrong"), "SignatureDoesNotMatch"),
        (("wrong", SECRET), "InvalidAccessKeyId"),
    ):
        stranger = client(server.url, version, key)
        assert refusal(partial(stranger.get_object, ask)) == (403, code)
    anonymous = client(server.url, version)
    anonymous._client._options.credentials_provider = sdk.credentials.AnonymousCredentialsProvider()
    assert refusal(lambda: anonymous.get_object(ask)) == (403, "AccessDenied")


def test_another_region(server: OssServer) -> None:
    elsewhere = client(server.url, region="cn-hangzhou")
    ask = Requests("x")("GetObject")
    assert refusal(lambda: elsewhere.get_object(ask)) == (403, "SignatureDoesNotMatch")


def test_additional_signed_headers(server: OssServer) -> None:
    oss = client(server.url, additional_headers=["host", "range", "content-length"])
    oss.put_object(Requests("signed")("PutObject", body=b"0123"))
    ranged = Requests("signed")("GetObject", range_header="bytes=1-2")
    assert oss.get_object(ranged).body.content == b"12"
    url = oss.presign(Requests("signed")("GetObject")).url
    assert requests.get(url).content == b"0123"


def test_virtual_host_style_through_a_proxy_setting(server: OssServer) -> None:
    host = f"http://oss-{REGION}.aliyuncs.com"
    oss = client(host, proxy_host={"http": server.url})
    oss.put_object(Requests("dir/ä b")("PutObject", body=b"x"))
    assert oss.get_object(Requests("dir/ä b")("GetObject")).body.content == b"x"
    url = oss.presign(Requests("dir/ä b")("GetObject")).url
    assert url.startswith(f"http://{BUCKET}.oss-")
    assert requests.get(url, proxies={"http": server.url}).content == b"x"
