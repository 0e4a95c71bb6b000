"""What Function Compute's context tells a handler."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from shared.platform.fc.context import request_id, time_left


@pytest.mark.parametrize(
    ("timeout", "margin", "left"), [(600, 60, 540), (60, 60, 30), (100, 10, 90)]
)
def test_a_handler_works_until_its_timeout_less_a_margin(
    timeout: int, margin: float, left: float
) -> None:
    context = SimpleNamespace(function=SimpleNamespace(timeout=timeout), request_id="req-1")
    assert time_left(context, margin) == left
    assert request_id(context) == "req-1"


def test_without_a_context_the_platforms_default_timeout_counts() -> None:
    assert time_left(None, 10.0) == 50.0
    assert request_id(None) == ""
