"""Objects through oss2, the client the functions use, with both signature versions."""

from __future__ import annotations

import hashlib
import io
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

import oss2
import pytest
from oss2.models import PartInfo

from tests.kit.oss_server import BUCKET, OssServer

ODD_KEYS = [
    "plain.txt",
    "a b.txt",
    "a+b.txt",
    "%41.txt",
    "dots/../up",
    "./here",
    "double//slash",
    "folder/",
    "back\\slash",
    "q?x=1#y",
    "中文/图片 é.png",
    "~tilde",
    ".hidden",
    "nested",
    "nested/deeper",
    "nested/deeper/still",
    "long/" + "x" * 300,
    "s" * 1023,
    "d/" * 300 + "e",
]


def test_put_answers_md5_and_crc_and_get_returns_the_bytes(bucket: Any) -> None:
    body = b"123456789"
    result = bucket.put_object("a/b.txt", body)
    assert result.etag == hashlib.md5(body).hexdigest().upper()
    assert result.crc == 11051210869376104954
    got = bucket.get_object("a/b.txt")
    assert got.read() == body
    assert got.client_crc == got.server_crc == result.crc


def test_empty_object(bucket: Any) -> None:
    assert bucket.put_object("empty", b"").crc == 0
    assert bucket.get_object("empty").read() == b""
    assert bucket.head_object("empty").content_length == 0


def test_body_sent_in_chunks_of_unknown_length(bucket: Any) -> None:
    bucket.put_object("chunked", iter([b"one", b"two" * 50000]))
    assert bucket.get_object("chunked").read() == b"one" + b"two" * 50000


def test_large_object_over_several_reads(bucket: Any) -> None:
    body = bytes(range(256)) * (5 * 4096)
    bucket.put_object("large.bin", io.BytesIO(body))
    assert bucket.get_object("large.bin").read() == body
    assert bucket.get_object("large.bin", byte_range=(7, 4 << 20)).read() == body[7 : (4 << 20) + 1]


def test_head_shows_what_was_stored(bucket: Any) -> None:
    headers = {
        "Content-Type": "image/x-odd",
        "Cache-Control": "no-cache",
        "Content-Disposition": "inline",
        "Content-Encoding": "gzip",
        "Expires": "Fri, 28 Feb 2042 05:38:42 GMT",
        "x-oss-meta-Author": "somebody",
    }
    bucket.put_object("meta", b"not really gzip", headers=headers)
    head = bucket.head_object("meta")
    assert head.content_type == "image/x-odd"
    assert head.object_type == "Normal"
    assert head.headers["x-oss-meta-author"] == "somebody"
    for name in ("Cache-Control", "Content-Disposition", "Content-Encoding", "Expires"):
        assert head.headers[name] == headers[name]
    assert bucket.get_object_meta("meta").content_length == 15


def test_odd_keys_stay_apart_and_come_back_from_a_listing(bucket: Any) -> None:
    for number, key in enumerate(ODD_KEYS):
        if key not in ("dots/../up", "./here"):  # clients tidy these paths before they send them
            bucket.put_object(key, str(number).encode())
    expected = sorted((k for k in ODD_KEYS if not k.startswith(("dots", "./"))), key=str.encode)
    for pages in (
        oss2.ObjectIterator(bucket, max_keys=3),
        oss2.ObjectIteratorV2(bucket, max_keys=1000),
    ):
        assert [item.key for item in pages] == expected
    for number, key in enumerate(ODD_KEYS):
        if key in expected:
            assert bucket.get_object(key).read() == str(number).encode()
    for key in expected:
        bucket.delete_object(key)
    assert not bucket.list_objects_v2().object_list


def test_ordinary_keys_are_ordinary_files(bucket: Any, server: OssServer) -> None:
    bucket.put_object("jobs/cat.yaml", b"model: x")
    assert (server.folder / "jobs/cat.yaml").read_bytes() == b"model: x"
    (server.folder / "jobs/dog.yaml").write_bytes(b"model: y")
    assert bucket.get_object("jobs/dog.yaml").read() == b"model: y"
    (server.folder / "jobs/cat.yaml").write_bytes(b"edited by hand")
    head = bucket.head_object("jobs/cat.yaml")
    assert head.etag == hashlib.md5(b"edited by hand").hexdigest().upper()


def test_links_do_not_lead_out_of_the_folder(
    bucket: Any, server: OssServer, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (server.folder / "out").symlink_to(tmp_path)
    (server.folder / "file").symlink_to(tmp_path / "secret")
    for key in ("out/secret", "file"):
        with pytest.raises(oss2.exceptions.NoSuchKey):
            bucket.get_object(key)
    bucket.put_object("out/new", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret"]
    for prefix in ("", "out/"):
        listed = bucket.list_objects_v2(prefix=prefix).object_list
        assert [item.key for item in listed] == ["out/new"]
    (server.folder / "out").unlink()
    (server.folder / "file").unlink()


def test_missing_things(bucket: Any, server: OssServer) -> None:
    assert not bucket.object_exists("absent")
    with pytest.raises(oss2.exceptions.NoSuchKey):
        bucket.get_object("absent")
    with pytest.raises(oss2.exceptions.NotFound) as head:
        bucket.head_object("absent")
    assert head.value.code == "NoSuchKey"
    other = oss2.Bucket(bucket.auth, server.url, "no-such-bucket", region="cn-beijing")
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        other.get_object("absent")
    assert bucket.delete_object("absent").status == 204


def test_create_only_once(bucket: Any) -> None:
    once = {"x-oss-forbid-overwrite": "true"}
    bucket.put_object("record", b"first", headers=once)
    bucket.put_object("source", b"second")
    for attempt in (
        partial(bucket.put_object, "record", b"second", headers=once),
        partial(bucket.copy_object, BUCKET, "source", "record", headers=once),
        partial(bucket.init_multipart_upload, "record", headers=once),
        partial(bucket.put_symlink, "source", "record", headers=once),
    ):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            attempt()
        assert (refused.value.status, refused.value.code) == (409, "FileAlreadyExists")
    assert bucket.get_object("record").read() == b"first"


@pytest.mark.parametrize(
    ("asked", "standard", "status", "expected"),
    [
        ("bytes=2-4", False, 206, b"234"),
        ("bytes=7-", False, 206, b"789"),
        ("bytes=-3", False, 206, b"789"),
        ("bytes=5-99", False, 200, b"0123456789"),
        ("bytes=5-99", True, 206, b"56789"),
        ("bytes=20-30", False, 200, b"0123456789"),
        ("bytes=20-30", True, 416, b""),
        ("bytes=-99", False, 200, b"0123456789"),
        ("bytes=0-0,2-3", False, 206, b"0"),
        ("byte=0-1", False, 200, b"0123456789"),
    ],
)
def test_ranges(bucket: Any, asked: str, standard: bool, status: int, expected: bytes) -> None:
    bucket.put_object("digits", b"0123456789")
    headers = {"Range": asked}
    if standard:
        headers["x-oss-range-behavior"] = "standard"
    if status == 416:
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            bucket.get_object("digits", headers=headers)
        assert refused.value.code == "InvalidRange"
        return
    got = bucket.get_object("digits", headers=headers)
    assert (got.status, got.read()) == (status, expected)


def test_conditions(bucket: Any) -> None:
    etag = bucket.put_object("x", b"x").etag
    future, past = formatdate(4e9, usegmt=True), formatdate(1e9, usegmt=True)
    assert bucket.get_object("x", headers={"If-Match": f'"{etag}"'}).read() == b"x"
    assert bucket.get_object("x", headers={"If-Modified-Since": past}).read() == b"x"
    for name, value in (("If-None-Match", etag), ("If-Modified-Since", future)):
        with pytest.raises(oss2.exceptions.NotModified):
            bucket.get_object("x", headers={name: value})
    for name, value in (("If-Match", "0" * 32), ("If-Unmodified-Since", past)):
        with pytest.raises(oss2.exceptions.PreconditionFailed):
            bucket.get_object("x", headers={name: value})
    for name in ("If-Match", "If-None-Match"):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            bucket.put_object("x", b"y", headers={name: "*"})
        assert refused.value.status == 501


def test_copy_keeps_or_replaces_metadata(bucket: Any) -> None:
    source = bucket.put_object("quelle/ä b", b"body", headers={"x-oss-meta-a": "1"})
    copied = bucket.copy_object(BUCKET, "quelle/ä b", "copy")
    assert copied.etag == source.etag
    assert bucket.head_object("copy").headers["x-oss-meta-a"] == "1"
    bucket.update_object_meta("copy", {"x-oss-meta-b": "2"})
    headers = bucket.head_object("copy").headers
    assert headers["x-oss-meta-b"] == "2"
    assert "x-oss-meta-a" not in headers
    assert bucket.get_object("copy").read() == b"body"
    with pytest.raises(oss2.exceptions.PreconditionFailed):
        wrong = {"x-oss-copy-source-if-match": "0" * 32}
        bucket.copy_object(BUCKET, "copy", "other", headers=wrong)
    with pytest.raises(oss2.exceptions.NoSuchKey):
        bucket.copy_object(BUCKET, "absent", "other")


def test_append_is_a_compare_and_set_on_the_length(bucket: Any) -> None:
    first = bucket.append_object("log", 0, b"one", init_crc=0)
    assert first.next_position == 3
    second = bucket.append_object("log", 3, b"two", init_crc=first.crc)
    assert second.next_position == 6
    with pytest.raises(oss2.exceptions.PositionNotEqualToLength) as lost:
        bucket.append_object("log", 3, b"late")
    assert lost.value.next_position == 6
    head = bucket.head_object("log")
    assert (head.object_type, head.headers["x-oss-hash-crc64ecma"]) == (
        "Appendable",
        str(second.crc),
    )
    assert bucket.get_object("log").read() == b"onetwo"
    bucket.put_object("normal", b"x")
    with pytest.raises(oss2.exceptions.ObjectNotAppendable):
        bucket.append_object("normal", 1, b"y")
    with pytest.raises(oss2.exceptions.PositionNotEqualToLength):
        bucket.append_object("fresh", 5, b"y")
    with pytest.raises(oss2.exceptions.ServerError):
        bucket.copy_object(BUCKET, "log", "copy")


def test_tags_acl_and_symlink(bucket: Any) -> None:
    bucket.put_object("tagged", b"x", headers={"x-oss-tagging": "a=1&b=%20"})
    assert bucket.get_object_tagging("tagged").tag_set.tagging_rule == {"a": "1", "b": " "}
    tagging = oss2.models.Tagging(oss2.models.TaggingRule())
    tagging.tag_set.add("c", "3")
    bucket.put_object_tagging("tagged", tagging)
    assert bucket.get_object_tagging("tagged").tag_set.tagging_rule == {"c": "3"}
    bucket.delete_object_tagging("tagged")
    assert bucket.get_object_tagging("tagged").tag_set.tagging_rule == {}

    assert bucket.get_object_acl("tagged").acl == "default"
    bucket.put_object_acl("tagged", "public-read")
    assert bucket.get_object_acl("tagged").acl == "public-read"

    bucket.put_symlink("tagged", "link ä")
    assert bucket.get_symlink("link ä").target_key == "tagged"
    assert bucket.get_object("link ä").read() == b"x"
    with pytest.raises(oss2.exceptions.ServerError):
        bucket.get_symlink("tagged")


def test_wrong_content_md5_is_refused(bucket: Any) -> None:
    headers = {"Content-MD5": oss2.utils.content_md5(b"other")}
    with pytest.raises(oss2.exceptions.InvalidDigest):
        bucket.put_object("x", b"body", headers=headers)
    assert not bucket.object_exists("x")
    bucket.put_object("x", b"body", headers={"Content-MD5": oss2.utils.content_md5(b"body")})


def test_metadata_names(bucket: Any) -> None:
    with pytest.raises(oss2.exceptions.InvalidArgument):
        bucket.put_object("x", b"", headers={"x-oss-meta-under_score": "1"})


def test_multipart(bucket: Any, tmp_path: Path) -> None:
    upload_id = bucket.init_multipart_upload("big", headers={"x-oss-meta-a": "1"}).upload_id
    first, second = b"1" * (100 * 1024), b"2" * 10
    parts = []
    for number, body in ((1, first), (2, second)):
        result = bucket.upload_part("big", upload_id, number, body)
        parts.append(PartInfo(number, result.etag, size=len(body), part_crc=result.crc))
    listed = bucket.list_parts("big", upload_id).parts
    assert [(part.part_number, part.size) for part in listed] == [(1, 102400), (2, 10)]
    assert [u.upload_id for u in bucket.list_multipart_uploads().upload_list] == [upload_id]
    assert not bucket.object_exists("big")
    done = bucket.complete_multipart_upload("big", upload_id, parts)
    assert done.etag.endswith("-2")
    assert done.crc == bucket.head_object("big").server_crc
    assert bucket.get_object("big").read() == first + second
    head = bucket.head_object("big")
    assert (head.object_type, head.headers["x-oss-meta-a"]) == ("Multipart", "1")
    with pytest.raises(oss2.exceptions.NoSuchUpload):
        bucket.list_parts("big", upload_id)


def test_multipart_refusals(bucket: Any) -> None:
    upload_id = bucket.init_multipart_upload("big").upload_id
    parts = [
        PartInfo(number, bucket.upload_part("big", upload_id, number, b"small").etag)
        for number in (1, 2)
    ]
    wrong = [PartInfo(1, "0" * 32)]
    for listed, code in (
        (parts, "EntityTooSmall"),
        (parts[::-1], "InvalidPartOrder"),
        (wrong, "InvalidPart"),
    ):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            complete_as_listed(bucket, upload_id, listed)
        assert refused.value.code == code
    bucket.abort_multipart_upload("big", upload_id)
    with pytest.raises(oss2.exceptions.NoSuchUpload):
        bucket.abort_multipart_upload("big", upload_id)


def complete_as_listed(bucket: Any, upload_id: str, parts: list[PartInfo]) -> None:
    url = bucket.sign_url("POST", "big", 60, params={"uploadId": upload_id})
    nodes = "".join(
        f"<Part><PartNumber>{p.part_number}</PartNumber><ETag>{p.etag}</ETag></Part>" for p in parts
    )
    body = f"<CompleteMultipartUpload>{nodes}</CompleteMultipartUpload>"
    answer = oss2.Session().session.post(url, data=body)
    if answer.status_code != 200:
        raise oss2.exceptions.make_exception(_Answer(answer))


class _Answer:
    def __init__(self, answer: Any) -> None:
        self.status, self.headers, self.request_id = answer.status_code, answer.headers, ""
        self._body = answer.content

    def read(self, _amount: int) -> bytes:
        return bytes(self._body)


def test_resumable_up_and_down(bucket: Any, tmp_path: Path) -> None:
    body = bytes(range(256)) * 2000
    (tmp_path / "up").write_bytes(body)
    options = {"multipart_threshold": 200 * 1024, "part_size": 200 * 1024, "num_threads": 3}
    store = oss2.ResumableStore(root=str(tmp_path))
    oss2.resumable_upload(bucket, "resumed", str(tmp_path / "up"), store=store, **options)
    store = oss2.ResumableDownloadStore(root=str(tmp_path))
    options["multiget_threshold"] = options.pop("multipart_threshold")
    oss2.resumable_download(bucket, "resumed", str(tmp_path / "down"), store=store, **options)
    assert (tmp_path / "down").read_bytes() == body
    bucket.get_object_to_file("resumed", str(tmp_path / "whole"))
    assert (tmp_path / "whole").read_bytes() == body


def test_part_copied_from_an_object(bucket: Any) -> None:
    bucket.put_object("source", b"0123456789")
    upload_id = bucket.init_multipart_upload("copy").upload_id
    etag = bucket.upload_part_copy(BUCKET, "source", (2, 5), "copy", upload_id, 1).etag
    bucket.complete_multipart_upload("copy", upload_id, [PartInfo(1, etag)])
    assert bucket.get_object("copy").read() == b"2345"


def test_batch_delete_names_all_keys_asked_for(bucket: Any) -> None:
    bucket.put_object("a/x&y", b"")
    bucket.put_object("b", b"")
    deleted = bucket.batch_delete_objects(["a/x&y", "b", "absent"]).deleted_keys
    assert sorted(deleted) == ["a/x&y", "absent", "b"]
    assert not bucket.list_objects_v2().object_list


def test_empty_folders_go_but_the_first_level_stays(bucket: Any, server: OssServer) -> None:
    bucket.put_object("jobs/2026/may/cat.yaml", b"")
    bucket.delete_object("jobs/2026/may/cat.yaml")
    assert (server.folder / "jobs").is_dir()
    assert not (server.folder / "jobs/2026").exists()
