"""A gigabyte goes in and comes out in bounded memory."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.kit.oss_server import OssServer, oss_server

CHUNK = 1 << 20
SIZE = 1 << 30
GROWTH = 100 << 20


class Generated:
    """A body made while it is read: the number of each megabyte, repeated."""

    def __init__(self) -> None:
        self.left, self.sum = SIZE, 0

    def __len__(self) -> int:
        return self.left

    def read(self, length: int = -1) -> bytes:
        size = min(CHUNK, self.left, length if length >= 0 else CHUNK)
        chunk = (self.left // CHUNK).to_bytes(8, "big") * (size // 8 + 1)
        self.left -= size
        self.sum = zlib.crc32(chunk[:size], self.sum)
        return chunk[:size]


def memory(server: OssServer, name: str) -> int:
    """Return a field of /proc/PID/status in bytes: VmRSS is now, VmHWM the most so far."""
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc")
    line = next(line for line in status.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def test_a_gigabyte_in_bounded_memory(tmp_path: Path) -> None:
    with oss_server(tmp_path) as server:
        bucket: Any = server.bucket(enable_crc=False)
        bucket.put_object("first", b"x")
        base = memory(server, "VmRSS")
        body = Generated()
        bucket.put_object("large", body)
        assert memory(server, "VmHWM") - base < GROWTH
        with requests.get(bucket.sign_url("GET", "large", 60), stream=True) as answer:
            got = size = 0
            for chunk in answer.iter_content(CHUNK):
                got, size = zlib.crc32(chunk, got), size + len(chunk)
        assert (size, got) == (SIZE, body.sum)
        assert memory(server, "VmHWM") - base < GROWTH
        bucket.delete_object("large")
    assert not list((tmp_path / ".oss/drafts").iterdir())
