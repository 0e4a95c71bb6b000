"""How often, how soon and up to which price the policy tries again."""

from __future__ import annotations

import random

import pytest

from shared.catalogue.errors import TRANSIENT, ErrorRule
from shared.catalogue.retry_policy import RetryPolicy, load_retry_policy

PATIENT = RetryPolicy({"few": 3, "after_backoff": 5}, 40.0, 60.0, 10.0)


def test_pauses_double_up_to_the_longest_and_are_jittered_downwards() -> None:
    policy, rng = load_retry_policy(), random.Random(1)
    for attempt in range(1, 30):
        longest = min(policy.longest_pause, policy.first_pause * 2.0 ** (attempt - 1))
        pauses = [policy.pause(attempt, rng) for _ in range(50)]
        assert longest / 2 <= min(pauses) <= max(pauses) <= longest
        assert len(set(pauses)) > 1


@pytest.mark.parametrize(
    ("retry", "attempt", "price", "allowed"),
    [
        ("few", 2, 0.0, True),
        ("few", 3, 0.0, False),
        ("after_backoff", 4, 10.0, True),
        ("after_backoff", 4, 10.01, False),
        ("never", 1, 0.0, False),
    ],
)
def test_what_the_policy_allows(retry: str, attempt: int, price: float, allowed: bool) -> None:
    rule = ErrorRule("X", None, None, TRANSIENT, retry, "none", "h", "h")
    assert PATIENT.allows(rule, attempt, price) is allowed
