"""Connecting as an instance does sets the level of the process's log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.log_state import log_state_restored


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    with log_state_restored():
        yield
