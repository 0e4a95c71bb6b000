"""One laptop cloud and one image host for all tests of this folder; see ../README.md."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.conformance.laptop import Laptop

if TYPE_CHECKING:
    from tests.conformance.dashscope.images import ImageHost

# The SDK lives in an environment of its own; in any other these tests do not exist.
collect_ignore_glob = [] if find_spec("dashscope") else ["*"]


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """The laptop cloud. Rates are unlimited: two callers share one account here."""
    with Laptop(tmp_path_factory.mktemp("laptop")) as running:
        unlimit(running)
        yield running


@pytest.fixture(scope="module")
def own_laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A laptop cloud for one module: for what would trouble the others."""
    with Laptop(tmp_path_factory.mktemp("own")) as running:
        unlimit(running)
        yield running


@pytest.fixture(scope="session")
def images() -> Iterator[ImageHost]:
    from tests.conformance.dashscope.images import image_host

    with image_host() as host:
        yield host


def unlimit(laptop: Laptop) -> None:
    quotas = laptop.service("models/limits?page_size=200")["output"]["quotas"]
    rates = {one["model"]: {"submissions_per_second": None} for one in quotas}
    laptop.settings(task_api_qps=None, limits=rates)
