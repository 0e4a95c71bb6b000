"""Events: exactly one for each change, from the API or by hand, and none is lost."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from oss2.models import PartInfo

from tests.contract.oss.forms import form_v1, policy, post
from tests.kit.oss_server import (
    BUCKET,
    Listener,
    OssServer,
    listening,
    oss_server,
    wait_until,
)

PUT = "ObjectCreated:PutObject"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[OssServer]:
    with oss_server(tmp_path_factory.mktemp("events"), notify=listener.url) as running:
        yield running


def fence(server: OssServer, listener: Listener, name: str) -> None:
    """Wait until a file put in by hand after all the others was seen: so were the others."""
    (server.folder / "fence").mkdir(exist_ok=True)
    (server.folder / "fence" / name).write_text(name)
    listener.wait_for(PUT, f"fence/{name}")


def test_one_event_as_documented(server: OssServer, listener: Listener) -> None:
    bucket = server.bucket()
    bucket.put_object("jobs/中文 +%41.yaml", b"12")
    result = bucket.put_object("jobs/中文 +%41.yaml", b"12345")
    listener.wait_for(PUT, "jobs/中文 +%41.yaml")
    fence(server, listener, "documented")
    events = [e for body in listener.bodies for e in body["events"]]
    (_, event) = [e for e in events if e["oss"]["object"]["key"].startswith("jobs/中文")]
    assert event["oss"]["object"] == {
        "deltaSize": 3,
        "eTag": result.etag,
        "key": "jobs/中文 +%41.yaml",
        "size": 5,
    }
    assert event["eventName"] == PUT
    assert event["eventSource"] == "acs:oss"
    assert event["eventVersion"] == event["oss"]["ossSchemaVersion"] == "1.0"
    owner = event["userIdentity"]["principalId"]
    assert event["oss"]["bucket"] == {
        "arn": f"acs:oss:cn-beijing:{owner}:{BUCKET}",
        "name": BUCKET,
        "ownerIdentity": owner,
        "virtualBucket": "",
    }
    assert event["oss"]["ruleId"]
    assert event["region"] == "cn-beijing"
    assert event["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
    assert event["responseElements"]["requestId"] == result.request_id
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["eventTime"])


def test_every_operation_has_its_event(server: OssServer, listener: Listener) -> None:
    bucket = server.bucket("v1")
    bucket.put_object("op/a", b"a")
    bucket.copy_object(BUCKET, "op/a", "op/a-copy")
    bucket.append_object("op/a-log", 0, b"x")
    bucket.append_object("op/a-log", 1, b"y")
    bucket.put_symlink("op/a", "op/a-link")
    assert post(server, form_v1(policy([])), key="op/a-form").status_code == 204
    upload_id = bucket.init_multipart_upload("op/a-big").upload_id
    bucket.upload_part_copy(BUCKET, "op/a", (0, 0), "op/a-big", upload_id, 1)
    etag = bucket.upload_part("op/a-big", upload_id, 1, b"part").etag
    bucket.complete_multipart_upload("op/a-big", upload_id, [PartInfo(1, etag)])
    other = bucket.init_multipart_upload("op/a-big").upload_id
    bucket.abort_multipart_upload("op/a-big", other)
    bucket.delete_object("op/a-copy")
    bucket.delete_object("op/absent")
    bucket.batch_delete_objects(["op/a-link", "op/absent"])
    fence(server, listener, "operations")
    assert [(n, k) for n, k in listener.seen if k.startswith("op/")] == [
        (PUT, "op/a"),
        ("ObjectCreated:CopyObject", "op/a-copy"),
        ("ObjectCreated:AppendObject", "op/a-log"),
        ("ObjectCreated:AppendObject", "op/a-log"),
        ("ObjectCreated:PutSymlink", "op/a-link"),
        ("ObjectCreated:PostObject", "op/a-form"),
        ("ObjectCreated:InitiateMultipartUpload", "op/a-big"),
        ("ObjectCreated:UploadPartCopy", "op/a-big"),
        ("ObjectCreated:UploadPart", "op/a-big"),
        ("ObjectCreated:CompleteMultipartUpload", "op/a-big"),
        ("ObjectCreated:InitiateMultipartUpload", "op/a-big"),
        ("ObjectRemoved:AbortMultipartUpload", "op/a-big"),
        ("ObjectRemoved:DeleteObject", "op/a-copy"),
        ("ObjectRemoved:DeleteObjects", "op/a-link"),
    ]


def test_refused_requests_have_none(server: OssServer, listener: Listener) -> None:
    bucket = server.bucket()
    bucket.put_object("refused", b"1")
    for headers in ({"x-oss-forbid-overwrite": "true"}, {"Content-MD5": "wrong"}):
        with pytest.raises(Exception, match=r"FileAlreadyExists|InvalidDigest"):
            bucket.put_object("refused", b"2", headers=headers)
    fence(server, listener, "refused")
    assert listener.named("refused") == [PUT]


def test_file_put_in_by_hand(server: OssServer, listener: Listener, tmp_path: Path) -> None:
    folder = server.folder / "hand"
    folder.mkdir()
    (folder / "copied.yaml").write_bytes(b"one")
    listener.wait_for(PUT, "hand/copied.yaml")
    (folder / "copied.yaml").write_bytes(b"two!")
    (tmp_path / "x").write_bytes(b"moved")
    (tmp_path / "x").rename(folder / "moved.yaml")
    (tmp_path / "tree/deeper").mkdir(parents=True)
    (tmp_path / "tree/deeper/x.yaml").write_text("x")
    (tmp_path / "tree").rename(folder / "tree")
    fence(server, listener, "hand")
    assert listener.named("hand/copied.yaml") == [PUT, PUT]
    assert listener.named("hand/moved.yaml") == [PUT]
    assert listener.named("hand/tree/deeper/x.yaml") == [PUT]
    assert server.bucket().head_object("hand/copied.yaml").content_length == 4


def test_reading_first_does_not_swallow_the_event(server: OssServer, listener: Listener) -> None:
    (server.folder / "read-first.yaml").write_bytes(b"x")
    assert server.bucket().get_object("read-first.yaml").read() == b"x"
    listener.wait_for(PUT, "read-first.yaml")


def test_file_still_open_for_writing_waits(server: OssServer, listener: Listener) -> None:
    with (server.folder / "slow.yaml").open("wb", buffering=0) as slow:
        slow.write(b"half")
        fence(server, listener, "slow-1")
        assert listener.named("slow.yaml") == []
        slow.write(b" whole")
    listener.wait_for(PUT, "slow.yaml")
    fence(server, listener, "slow-2")
    sizes = [
        e["oss"]["object"]["size"]
        for body in listener.bodies
        for e in body["events"]
        if e["oss"]["object"]["key"] == "slow.yaml"
    ]
    assert sizes == [10]


def test_renaming_is_no_event_and_keeps_metadata(server: OssServer, listener: Listener) -> None:
    bucket = server.bucket()
    bucket.put_object("rename/old", b"x", headers={"x-oss-meta-a": "1"})
    os.rename(server.folder / "rename/old", server.folder / "rename/new")
    fence(server, listener, "rename-1")
    assert bucket.head_object("rename/new").headers["x-oss-meta-a"] == "1"
    os.rename(server.folder / "rename", server.folder / "renamed")
    fence(server, listener, "rename-2")
    assert bucket.head_object("renamed/new").headers["x-oss-meta-a"] == "1"
    assert [name for name, key in listener.seen if key.startswith("rename")] == [PUT]


def test_saving_as_editors_do(server: OssServer, listener: Listener) -> None:
    folder = server.folder / "edit"
    folder.mkdir()
    (folder / "a.yaml").write_text("first")
    listener.wait_for(PUT, "edit/a.yaml")
    (folder / ".a.yaml.swp").write_text("swap")
    (folder / "a.yaml.new").write_text("second")
    os.replace(folder / "a.yaml.new", folder / "a.yaml")
    (folder / ".a.yaml.swp").unlink()
    (folder / "#a.yaml#").write_text("autosave that stays")
    fence(server, listener, "edit")
    assert [k for _, k in listener.seen if k.startswith("edit/")] == ["edit/a.yaml"] * 2


def test_temporary_name_then_final_name(server: OssServer, listener: Listener) -> None:
    (server.folder / "download.yaml.part").write_text("x")
    fence(server, listener, "download")
    assert listener.named("download.yaml.part") == []
    os.rename(server.folder / "download.yaml.part", server.folder / "download.yaml")
    listener.wait_for(PUT, "download.yaml")


def test_removed_by_hand_and_put_back(server: OssServer, listener: Listener) -> None:
    path = server.folder / "back.yaml"
    path.write_text("x")
    listener.wait_for(PUT, "back.yaml")
    path.unlink()
    path.write_text("x")
    fence(server, listener, "back")
    assert listener.named("back.yaml") == [PUT, PUT]


def test_moved_out_and_in_again(server: OssServer, listener: Listener, tmp_path: Path) -> None:
    folder = server.folder / "out"
    folder.mkdir()
    (folder / "a.yaml").write_text("x")
    listener.wait_for(PUT, "out/a.yaml")
    folder.rename(tmp_path / "out")
    wait_until(lambda: not is_known(server, "out/a.yaml"), "the record to go")
    (tmp_path / "out").rename(folder)
    wait_until(lambda: len(listener.named("out/a.yaml")) == 2, "the second event")


def is_known(server: OssServer, key: str) -> bool:
    with closing(sqlite3.connect(server.root / ".oss/index.sqlite")) as index:
        return bool(index.execute("SELECT 1 FROM objects WHERE key = ?", (key,)).fetchall())


def test_listener_down_and_refusing(tmp_path: Path) -> None:
    with listening() as gone:
        url, port = gone.url, int(gone.url.split(":")[2].split("/")[0])
    with oss_server(tmp_path, notify=url) as server:
        for number in range(5):
            server.bucket().put_object(f"n/{number}", b"")
        server.kill()
    with oss_server(tmp_path, notify=url), listening(refuse=2, port=port) as back:
        back.wait_for(PUT, "n/4")
        assert [key for _, key in back.seen] == [f"n/{number}" for number in range(5)]


def test_dropped_while_the_server_was_down(tmp_path: Path, listener: Listener) -> None:
    with oss_server(tmp_path, notify=listener.url) as server:
        server.bucket().put_object("before", b"x")
        server.bucket().put_object("changed", b"x")
        listener.wait_for(PUT, "changed")
    (tmp_path / BUCKET / "while-down.yaml").write_text("x")
    (tmp_path / BUCKET / "changed").write_text("y")
    for _ in range(2):
        with oss_server(tmp_path, notify=listener.url) as server:
            fence(server, listener, f"down-{server.process.pid}")
            listener.wait_for(PUT, "while-down.yaml")
    assert listener.named("while-down.yaml") == [PUT]
    assert listener.named("changed") == [PUT, PUT]
    assert listener.named("before") == [PUT]


def test_bucket_created_later_is_watched_at_once(tmp_path: Path, listener: Listener) -> None:
    with oss_server(tmp_path, notify=listener.url) as server:
        later = server.bucket()
        later.bucket_name = "later"
        later.create_bucket()
        (tmp_path / "later/new.yaml").write_text("x")
        listener.wait_for(PUT, "new.yaml")
        assert listener.bodies[-1]["events"][0]["oss"]["bucket"]["name"] == "later"


def test_two_servers_announce_a_file_once(tmp_path: Path, listener: Listener) -> None:
    with (
        oss_server(tmp_path, notify=listener.url) as one,
        oss_server(tmp_path, notify=listener.url) as two,
    ):
        (tmp_path / BUCKET / "shared.yaml").write_text("x")
        one.bucket().put_object("by-one", b"")
        two.bucket().put_object("by-two", b"")
        for key in ("shared.yaml", "by-one", "by-two"):
            listener.wait_for(PUT, key)
        fence(one, listener, "two")
    for key in ("shared.yaml", "by-one", "by-two"):
        assert listener.named(key) == [PUT]


def test_without_notify_nothing_is_kept(tmp_path: Path, listener: Listener) -> None:
    with oss_server(tmp_path) as server:
        bucket: Any = server.bucket()
        bucket.put_object("quiet", b"")
    with oss_server(tmp_path, notify=listener.url) as server:
        fence(server, listener, "quiet")
    assert listener.named("quiet") == []
