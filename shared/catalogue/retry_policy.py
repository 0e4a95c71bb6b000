"""Whether and when a job is tried again by itself, read from schemas/retry.yaml."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.catalogue.errors import ErrorRule
from shared.catalogue.files import SCHEMAS, load_file


@dataclass(frozen=True)
class RetryPolicy:
    """Attempts by the word in errors.yaml's `retry`; pauses in seconds."""

    attempts: Mapping[str, int]
    first_pause: float
    longest_pause: float
    most_price: float

    def allows(self, rule: ErrorRule, attempt: int, price: float) -> bool:
        """Whether attempt number `attempt` may be followed by another.

        `price` is what the job would then have cost at most.
        """
        return attempt < self.attempts.get(rule.retry, 0) and price <= self.most_price

    def pause(self, attempt: int, rng: random.Random) -> float:
        """Seconds to wait after attempt number `attempt`, jittered by half."""
        longest = min(self.longest_pause, self.first_pause * 2.0 ** min(attempt - 1, 20))
        return longest * (0.5 + rng.random() / 2)


def load_retry_policy(path: Path = SCHEMAS / "retry.yaml") -> RetryPolicy:
    """Read the policy. Raises KeyError where it breaks its meta-schema."""
    rows = load_file(path)
    return RetryPolicy(
        attempts={name: int(rows[name]["attempts"]) for name in ("few", "after_backoff")},
        first_pause=float(rows["pause"]["first"]),
        longest_pause=float(rows["pause"]["longest"]),
        most_price=float(rows["most_price"]),
    )
