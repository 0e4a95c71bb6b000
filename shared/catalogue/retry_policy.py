"""Whether and when a job is tried again by itself, read from schemas/retry.yaml."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.catalogue.errors import ErrorRule
from shared.catalogue.files import SCHEMAS, load_file


@dataclass(frozen=True)
class DeliveryPolicy:
    """When a receiver is told again: seconds since the try before, for each try in turn; and since
    the first one, how long it may take at most."""

    after: tuple[float, ...] = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0)
    within: float = 24 * 3600.0

    def next(self, place: int, now: float, since: float, asked: float) -> float | None:
        """When try number `place` (from 0) is due; None: it was given up. `since`: when the first
        one was made, `asked`: seconds for which the receiver asked to be left alone."""
        if place >= len(self.after) or now >= since + self.within:
            return None
        earliest = now + self.after[place]
        return max(earliest, min(now + asked, since + self.within))


@dataclass(frozen=True)
class RetryPolicy:
    """Attempts by the word in errors.yaml's `retry`; pauses in seconds."""

    attempts: Mapping[str, int]
    first_pause: float
    longest_pause: float
    most_price: float
    webhooks: DeliveryPolicy = DeliveryPolicy()

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
        webhooks=DeliveryPolicy(
            tuple(float(one) for one in rows["webhooks"]["after"]),
            float(rows["webhooks"]["within"]),
        ),
    )
