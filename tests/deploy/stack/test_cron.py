"""Cron expressions of timer triggers."""

from __future__ import annotations

import pytest

from deploy.stack.cron import cron_problem


@pytest.mark.parametrize(
    "expression",
    [
        "@every 1m",
        "0 0 4 * * *",
        "0 */5 8-18 ? * MON-FRI",
        "30 0,30 * 1 JAN,jul ?",
        "CRON_TZ=Asia/Shanghai 0 0 4 1 * *",
        "0 0/15 * * * *",
    ],
)
def test_cron_expressions_of_the_page_are_taken(expression: str) -> None:
    assert cron_problem(expression) is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "@every 0m",
        "@every 1h",
        "@hourly",
        "60 0 4 * * *",
        "0-5 0 4 * * *",
        "0 ? 4 * * *",
        "0 0 4 0 * *",
        "0 0 4 * 13 *",
        "0 0 4 * * 8",
        "0 0 4 * * 1/2",
        "0 */0 4 * * *",
        "0 1- 4 * * *",
        "0  0 4 * * *",
        "CRON_TZ= 0 0 4 * * *",
        "0 0 4 * * * *",
    ],
)
def test_other_cron_expressions_are_not(expression: str) -> None:
    assert cron_problem(expression)
