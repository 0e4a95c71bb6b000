"""A folder of many files is not read anew for each listing, and yet always listed as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import oss2
import pytest

from local.oss.app import build_service
from local.oss.authentication import Credentials
from local.oss.listing import Query
from tests.kit.oss_server import BUCKET, REGION, OssServer, oss_server

MANY = 1200


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OssServer, OssServer]]:
    root = tmp_path_factory.mktemp("large")
    folder = root / BUCKET / "many"
    folder.mkdir(parents=True)
    for number in range(MANY):
        (folder / f"k{number:05d}").touch()
    with oss_server(root) as one, oss_server(root) as two:
        yield one, two


def listed(bucket: Any, prefix: str = "many/", after: str = "") -> list[str]:
    keys = oss2.ObjectIteratorV2(bucket, prefix=prefix, start_after=after, max_keys=1000)
    return [item.key for item in keys]


def on_disk(server: OssServer) -> list[str]:
    return sorted(f"many/{name}" for name in os.listdir(server.folder / "many"))


def test_pages_and_places_within(pair: tuple[OssServer, OssServer]) -> None:
    bucket, expected = pair[0].bucket(), on_disk(pair[0])
    for _ in range(2):  # read, then remembered
        assert listed(bucket) == expected
        assert listed(bucket, after="many/k00700") == expected[expected.index("many/k00700") + 1 :]
        assert listed(bucket, prefix="many/k0011") == [f"many/k0011{digit}" for digit in range(10)]
        assert listed(bucket, after="n") == []


def test_every_answered_change_is_seen_at_once(pair: tuple[OssServer, OssServer]) -> None:
    buckets = [one.bucket() for one in pair]
    for number in range(8):
        writer, reader = buckets[number % 2], buckets[number // 2 % 2]
        listed(reader)
        key = f"many/n{number:03d}"
        writer.put_object(key, b"", headers={"x-oss-forbid-overwrite": "true"})
        assert key in listed(reader, prefix="many/n")
        writer.put_object(f"{key}-again", b"")
        writer.delete_object(key)
        assert listed(reader, prefix=key) == [f"{key}-again"]
    assert listed(buckets[0]) == listed(buckets[1]) == on_disk(pair[0])


def test_what_is_done_by_hand_is_seen(pair: tuple[OssServer, OssServer]) -> None:
    bucket, folder = pair[0].bucket(), pair[0].folder / "many"
    listed(bucket)
    (folder / "by-hand").write_text("x")
    assert listed(bucket, prefix="many/by") == ["many/by-hand"]
    (folder / "by-hand").rename(folder / "by-hand-too")
    assert listed(bucket, prefix="many/by") == ["many/by-hand-too"]
    (folder / "by-hand-too").unlink()
    assert listed(bucket, prefix="many/by") == []


def test_a_change_within_one_tick_of_the_clock_is_seen(
    pair: tuple[OssServer, OssServer],
) -> None:
    bucket, folder = pair[0].bucket(), pair[0].folder / "many"
    listed(bucket)
    before = folder.stat().st_mtime_ns
    pair[1].bucket().put_object("many/tick", b"")
    os.utime(folder, ns=(before, before))  # as if the clock had stood still meanwhile
    assert listed(bucket, prefix="many/tick") == ["many/tick"]


def test_the_folder_is_not_read_for_every_listing(
    pair: tuple[OssServer, OssServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = build_service(pair[0].root, REGION, Credentials("a", "b", ""), notify=False)
    read: list[object] = []
    scandir = os.scandir

    def counted(path: str) -> Any:
        read.append(path)
        return scandir(path)

    monkeypatch.setattr("local.oss.folders._SHARE", 1_000_000)
    monkeypatch.setattr(os, "scandir", counted)
    for _ in range(5):
        service.lister.page(Query(BUCKET, "many/", count=5))
    assert len(read) == 1
