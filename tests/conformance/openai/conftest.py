"""One laptop cloud for all tests of this folder; see ../README.md."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.conformance.laptop import Laptop

# The client lives in an environment of its own; in any other these tests do not exist.
collect_ignore_glob = [] if find_spec("openai") else ["*"]


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with Laptop(tmp_path_factory.mktemp("laptop")) as running:
        yield running
