"""Fixtures of the page's tests; without Debian's chromium they are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.fake_api import FakeApi
from tests.browser.page_kit import CHROMIUM, Visit, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: apt-get install chromium")
    with chromium() as started:
        yield started


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as started:
        yield started


@pytest.fixture
def visit(browser: Browser, api: FakeApi) -> Iterator[Callable[..., Visit]]:
    """Makes visits; at the end none may have broken anything."""
    visits: list[Visit] = []

    def start(**more: object) -> Visit:
        visits.append(Visit(browser, api, **more))  # type: ignore[arg-type]
        return visits[-1]

    yield start
    for one in visits:
        one.check()
        one.close()
