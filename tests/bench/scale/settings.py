"""What single settings change, each measured with the real code or computed by the price list."""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import patch

from shared.catalogue.models import Limits
from shared.poller import poller, schedule
from tests.bench.scale.layout import payable
from tests.bench.scale.profile import Account, busy

JOBS = 60
MANY = 500


@dataclass(frozen=True)
class Effect:
    """A setting, its value now and another one, and what `what` is with each."""

    setting: str
    what: str
    now: float
    other: float
    figure: float
    becomes: float


def effects() -> list[Effect]:
    """All of them. Takes some seconds."""
    half = _half_full()
    found = []
    for where, setting, other in ((schedule, "LAST_LOOK", 30.0), (poller, "LOOK_AT_SLOTS", 20.0)):
        now = float(getattr(where, setting))
        with patch.object(where, setting, other):
            found.append(
                Effect(setting, "OSS operations/s, half full", now, other, half, _half_full())
            )
    rates = [busy(_account(ahead), 2 * JOBS).rate * 3600 for ahead in (1, 0)]
    return [
        *found,
        Effect("queue_ahead", "jobs an hour of a full deployment", 1, 0, *rates),
        Effect("jobs in a .jsonl file", f"events for {MANY} jobs", 1, MANY, float(MANY), 1.0),
    ]


def _account(ahead: int = 1) -> Account:
    model = payable()[0]
    return Account(Limits(5, 1, model.limits.lanes, ahead), model.typical_seconds)


def _half_full() -> float:
    """A poller's operations on OSS a second, with half the slots taken."""
    account = _account()
    seen = busy(account, JOBS, 2 * account.seconds / account.limits.lanes)
    return seen.poll_operations / seen.elapsed
