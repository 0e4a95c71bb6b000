"""What holds over several servers on one folder, over restarts and over crashes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest.mock import patch

import oss2
import pytest
import requests

from local.oss.notices import Cause
from local.oss.records import Attributes
from local.oss.storage import Placing, Store
from tests.kit.oss_server import BUCKET, REPOSITORY, OssServer, oss_server, wait_until

ROUNDS, WRITERS = 40, 8


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OssServer, OssServer]]:
    root = tmp_path_factory.mktemp("pair")
    with oss_server(root) as one, oss_server(root) as two:
        yield one, two


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except oss2.exceptions.ServerError as error:
        return str(error.code)
    return "won"


def test_one_creator_over_two_servers(pair: tuple[OssServer, OssServer]) -> None:
    buckets = [pair[number % 2].bucket() for number in range(WRITERS)]
    once = {"x-oss-forbid-overwrite": "true"}
    with ThreadPoolExecutor(WRITERS) as pool:
        for number in range(ROUNDS):
            key = f"race/{number}"
            tries = [
                partial(bucket.put_object, key, str(writer), headers=once)
                for writer, bucket in enumerate(buckets)
            ]
            results = list(pool.map(outcome, tries))
            assert sorted(set(results)) == ["FileAlreadyExists", "won"]
            assert results.count("won") == 1
            winner = buckets[0].get_object(key).read()
            assert winner == str(results.index("won")).encode()


def test_one_appender_for_each_position(pair: tuple[OssServer, OssServer]) -> None:
    buckets = [pair[number % 2].bucket() for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        for position in range(ROUNDS):
            tries = [partial(bucket.append_object, "log", position, b"x") for bucket in buckets]
            results = list(pool.map(outcome, tries))
            assert results.count("won") == 1
            assert results.count("PositionNotEqualToLength") == WRITERS - 1
    assert buckets[0].get_object("log").read() == b"x" * ROUNDS


def test_readers_see_whole_objects_only(pair: tuple[OssServer, OssServer]) -> None:
    one, two = pair[0].bucket(), pair[1].bucket()
    bodies = [bytes([65 + n]) * (200_000 + n) for n in range(4)]
    one.put_object("turning", bodies[0])

    def read() -> bool:
        got = two.get_object("turning")
        body = got.read()
        return (
            body in bodies and got.headers["ETag"].strip('"') == oss2.utils.md5_string(body).upper()
        )

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(one.put_object, "turning", bodies[n % 4]) for n in range(60)]
        while not all(future.done() for future in writing):
            assert read()


def test_everything_is_there_after_a_crash(tmp_path: Path) -> None:
    with oss_server(tmp_path) as server:
        bucket = server.bucket()
        bucket.put_object("a", b"x", headers={"x-oss-meta-a": "1", "x-oss-tagging": "t=1"})
        bucket.put_object("double//slash", b"y")
        bucket.append_object("log", 0, b"one")
        upload_id = bucket.init_multipart_upload("big").upload_id
        etag = bucket.upload_part("big", upload_id, 1, b"part").etag
        server.kill()
    with oss_server(tmp_path) as server:
        bucket = server.bucket()
        assert bucket.head_object("a").headers["x-oss-meta-a"] == "1"
        assert bucket.get_object_tagging("a").tag_set.tagging_rule == {"t": "1"}
        assert bucket.get_object("double//slash").read() == b"y"
        assert bucket.append_object("log", 3, b"two").next_position == 6
        done = [oss2.models.PartInfo(1, etag)]
        bucket.complete_multipart_upload("big", upload_id, done)
        assert bucket.get_object("big").read() == b"part"


def test_stops_cleanly_when_told(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with oss_server(tmp_path) as server:
            server.bucket().put_object("x", b"x")  # leaves a connection open
            server.process.send_signal(number)
            server.process.wait(timeout=10)
            assert server.process.returncode == 0


def test_body_cut_short_makes_no_object(pair: tuple[OssServer, OssServer]) -> None:
    server = pair[0]
    url = server.bucket().sign_url("PUT", "cut", 60)
    host, port = server.url.removeprefix("http://").split(":")
    path = url.removeprefix(server.url)
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(
            f"PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n\r\nhalf".encode()
        )
        wait_until(lambda: drafts(server), "the body to arrive")
    wait_until(lambda: not drafts(server), "the draft to go")
    assert not server.bucket().object_exists("cut")
    assert server.log.read_text() == ""


def drafts(server: OssServer) -> list[str]:
    return os.listdir(server.root / ".oss/drafts")


def test_missing_keys_are_a_message_not_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.oss", "--root", str(tmp_path)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OSS_")}
    done = subprocess.run(command, cwd=REPOSITORY, env=clean, capture_output=True, text=True)
    assert done.returncode == 1
    assert "OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET" in done.stderr
    assert "Traceback" not in done.stderr


def test_memory_stays_bounded(pair: tuple[OssServer, OssServer]) -> None:
    server, size = pair[0], 64 << 20
    before = peak(server)
    server.bucket().put_object("large", (bytes(1 << 20) for _ in range(size >> 20)))
    with requests.get(server.bucket().sign_url("GET", "large", 60), stream=True) as answer:
        assert sum(len(chunk) for chunk in answer.iter_content(1 << 20)) == size
    assert peak(server) - before < 24 << 20


def peak(server: OssServer) -> int:
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_append_cut_short_by_a_crash_is_undone(tmp_path: Path) -> None:
    store = Store(tmp_path, "cn-beijing", notify=False)
    store.create_bucket(BUCKET)
    plan = Placing(BUCKET, "log", Attributes(), Cause("ObjectCreated:AppendObject", ""))
    with store.layout.draft() as draft:
        draft.write(b"whole")
        store.append(plan, draft, 0)
    with store.layout.draft() as draft, pytest.raises(OSError, match="disk full"):
        draft.write(b" and lost")
        with patch("local.oss.draft.new_crc64", return_value=FullDisk()):
            store.append(plan, draft, 5)
    assert (tmp_path / BUCKET / "log").stat().st_size > 5
    with oss_server(tmp_path) as server:
        assert server.bucket().get_object("log").read() == b"whole"
        assert server.bucket().append_object("log", 5, b"!").next_position == 6


class FullDisk:
    def update(self, _data: bytes) -> None:
        raise OSError("disk full")
