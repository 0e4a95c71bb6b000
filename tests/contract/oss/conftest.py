"""One OSS server for each module, and its bucket as clients of both signatures see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import oss2
import pytest

from tests.kit.oss_server import OssServer, oss_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OssServer]:
    with oss_server(tmp_path_factory.mktemp("oss")) as running:
        yield running


@pytest.fixture(params=["v1", "v4"])
def bucket(server: OssServer, request: pytest.FixtureRequest) -> Any:
    """The bucket, with nothing in it."""
    found = server.bucket(request.param)
    keys = [item.key for item in oss2.ObjectIterator(found, max_keys=1000)]
    if keys:
        found.batch_delete_objects(keys)
    return found
