"""Listing and bucket operations through oss2."""

from __future__ import annotations

from typing import Any

import oss2
import pytest
import requests

from tests.kit.oss_server import OssServer

BYTE_ORDER = [
    "a",
    "a!",
    "a-b",
    "a.b",
    "a/b",
    "a0",
    "aB",
    "a_b",
    "ab",
    "aé",
    "a中",
    "a\ufffd",
    "a😀",
]


def put_all(bucket: Any, keys: list[str]) -> None:
    for key in keys:
        bucket.put_object(key, key.encode())


def all_pages(bucket: Any, count: int, **options: Any) -> list[str]:
    """Page with V1 and V2; both must agree and no page may be over-full."""
    first, marker = [], ""
    while True:
        page = bucket.list_objects(max_keys=count, marker=marker, **options)
        assert len(page.object_list) + len(page.prefix_list) <= count
        first += sorted([o.key for o in page.object_list] + page.prefix_list, key=str.encode)
        marker = page.next_marker
        if not page.is_truncated:
            break
    second, token = [], ""
    while True:
        page = bucket.list_objects_v2(max_keys=count, continuation_token=token, **options)
        second += sorted([o.key for o in page.object_list] + page.prefix_list, key=str.encode)
        token = page.next_continuation_token
        if not page.is_truncated:
            assert first == second
            return first


@pytest.mark.parametrize("count", [1, 3, 1000])
def test_keys_come_in_byte_order(bucket: Any, count: int) -> None:
    put_all(bucket, BYTE_ORDER)
    assert all_pages(bucket, count) == sorted(BYTE_ORDER, key=str.encode)


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_delimiter_folds_each_prefix_once(bucket: Any, count: int) -> None:
    put_all(bucket, ["a", "a/1", "a/2/3", "a//4", "b/1", "b-", "c/", "c/d", "d"])
    assert all_pages(bucket, count, delimiter="/") == ["a", "a/", "b-", "b/", "c/", "d"]
    inside = all_pages(bucket, count, delimiter="/", prefix="a/")
    assert inside == ["a//", "a/1", "a/2/"]
    assert all_pages(bucket, count, delimiter="-") == [
        *("a", "a//4", "a/1", "a/2/3", "b-", "b/1", "c/", "c/d", "d")
    ]


def test_prefix_deep_in_a_folder(bucket: Any) -> None:
    put_all(bucket, ["s/r/job1/1", "s/r/job1/2", "s/r/job2/1", "s/rx", "t"])
    assert all_pages(bucket, 1, prefix="s/r/job1/") == ["s/r/job1/1", "s/r/job1/2"]
    assert all_pages(bucket, 1, prefix="s/r/job") == ["s/r/job1/1", "s/r/job1/2", "s/r/job2/1"]
    assert all_pages(bucket, 1, prefix="s/r") == [
        *("s/r/job1/1", "s/r/job1/2", "s/r/job2/1", "s/rx")
    ]
    assert all_pages(bucket, 1, prefix="../") == []
    assert all_pages(bucket, 1, prefix="s/../s/r/") == []


def test_a_page_begins_after_the_marker(bucket: Any) -> None:
    put_all(bucket, ["a/1", "a/2", "b"])
    after = bucket.list_objects_v2(start_after="a/1").object_list
    assert [item.key for item in after] == ["a/2", "b"]
    folded = bucket.list_objects_v2(start_after="a/", delimiter="/")
    assert ([o.key for o in folded.object_list], folded.prefix_list) == (["b"], [])


def test_a_deep_prefix_does_not_walk_the_rest(bucket: Any, server: OssServer) -> None:
    put_all(bucket, ["deep/one", "other/two"])
    locked = server.folder / "other"
    moved = server.root / "elsewhere"
    locked.rename(moved)
    locked.symlink_to("/nowhere")
    assert all_pages(bucket, 10, prefix="deep/") == ["deep/one"]
    locked.unlink()
    moved.rename(locked)


def test_entries_say_size_type_and_etag(bucket: Any) -> None:
    etag = bucket.put_object("entry", b"12345").etag
    entry = bucket.list_objects().object_list[0]
    assert (entry.key, entry.size, entry.type, entry.etag) == ("entry", 5, "Normal", etag)
    assert entry.storage_class == "Standard"
    assert entry.last_modified == bucket.head_object("entry").last_modified


@pytest.mark.parametrize("count", ["0", "1001", "-1", "many"])
def test_page_sizes_outside_1_to_1000_are_refused(bucket: Any, count: str) -> None:
    with pytest.raises(oss2.exceptions.InvalidArgument):
        bucket.list_objects(max_keys=count)


def test_bucket_information(server: OssServer) -> None:
    bucket = server.bucket()
    assert [found.name for found in server.service().list_buckets().buckets] == ["wanx"]
    info = bucket.get_bucket_info()
    assert (info.name, info.location, info.acl.grant) == ("wanx", "oss-cn-beijing", "private")
    assert bucket.get_bucket_location().location == "oss-cn-beijing"
    assert bucket.get_bucket_acl().acl == "private"
    assert bucket.get_bucket_versioning().status is None


def test_buckets_come_and_go(server: OssServer) -> None:
    other = oss2.Bucket(server.bucket().auth, server.url, "another", region="cn-beijing")
    other.create_bucket()
    other.create_bucket()
    other.put_object("x/y", b"")
    with pytest.raises(oss2.exceptions.BucketNotEmpty):
        other.delete_bucket()
    other.delete_object("x/y")
    other.delete_bucket()
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        other.list_objects()
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        other.put_object("x", b"")


def test_lifecycle_is_kept_as_sent(server: OssServer) -> None:
    bucket = server.bucket()
    with pytest.raises(oss2.exceptions.NoSuchLifecycle):
        bucket.get_bucket_lifecycle()
    rule = oss2.models.LifecycleRule(
        "tidy", "state/", expiration=oss2.models.LifecycleExpiration(days=7)
    )
    bucket.put_bucket_lifecycle(oss2.models.BucketLifecycle([rule]))
    kept = bucket.get_bucket_lifecycle().rules[0]
    assert (kept.id, kept.prefix, kept.expiration.days) == ("tidy", "state/", 7)
    bucket.delete_bucket_lifecycle()


def test_versioning_once_set_ends_forbid_overwrite(server: OssServer) -> None:
    other = oss2.Bucket(server.bucket().auth, server.url, "versioned", region="cn-beijing")
    other.create_bucket()
    config = oss2.models.BucketVersioningConfig()
    config.status = "Suspended"
    other.put_bucket_versioning(config)
    assert other.get_bucket_versioning().status == "Suspended"
    for body in (b"first", b"second"):
        other.put_object("x", body, headers={"x-oss-forbid-overwrite": "true"})
    assert other.get_object("x").read() == b"second"
    other.delete_object("x")
    other.delete_bucket()


def test_public_read_lets_anybody_read(server: OssServer) -> None:
    bucket = server.bucket()
    bucket.put_object("open", b"x", headers={"x-oss-object-acl": "public-read"})
    bucket.put_object("closed", b"x")
    assert requests.get(f"{server.url}/wanx/open").content == b"x"
    assert requests.get(f"{server.url}/wanx/closed").status_code == 403
    assert requests.put(f"{server.url}/wanx/open", data=b"y").status_code == 403
