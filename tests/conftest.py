"""In what order tests run, at random but the long ones first, and in which language: English."""

from __future__ import annotations

import os

import pytest

os.environ["LC_ALL"] = "C.UTF-8"  # whatever the computer speaks, tests compare English


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """So that no worker is left alone with a long test at the end."""
    items.sort(key=_length, reverse=True)


def _length(item: pytest.Item) -> float:
    """A test with a time-out of its own expects to need it; `slow` is a second or more."""
    timeout = item.get_closest_marker("timeout")
    if timeout is not None:
        return float(timeout.args[0])
    return float(item.get_closest_marker("slow") is not None)
