"""What single settings change, each measured with the real code or by the price list."""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import patch

from shared.catalogue.models import Limits
from shared.poller import poller
from tests.bench.price import Size, prices, size_of
from tests.bench.scale.facts import payable
from tests.bench.scale.profile import Account, busy, one_file

HALF = 0.5
JOBS = 60
DAY = 86400.0


@dataclass(frozen=True)
class Effect:
    """A setting, its value now and another one, and what that does to a figure."""

    setting: str
    now: str
    other: str
    what: str
    figure: float
    becomes: float


def effects() -> list[Effect]:
    """All of them. Takes some seconds."""
    snapshots = [_looks("LOOK_AT_QUEUES", 10.0), _looks("LOOK_AT_SLOTS", 30.0)]
    return [*snapshots, _ahead(), _cpu(), _files()]


def _account(ahead: int = 1) -> Account:
    model = payable()[0]
    return Account(Limits(5, 1, model.limits.concurrent, ahead), model.typical_seconds)


def _half() -> float:
    """Operations on OSS a second, with half the slots taken."""
    account = _account()
    pace = account.seconds / account.limits.concurrent / HALF
    seen = busy(account, JOBS, pace)
    return seen.poll_operations / seen.elapsed


def _looks(setting: str, other: float) -> Effect:
    """What it saves to look less often."""
    figure = _half()
    with patch.object(poller, setting, other):
        becomes = _half()
    what = "a poller's operations on OSS a second, half the slots taken"
    now = f"{getattr(poller, setting):g} s"
    return Effect(
        f"`{setting}` (shared/poller/poller.py)", now, f"{other:g} s", what, figure, becomes
    )


def _ahead() -> Effect:
    rates = [busy(_account(ahead), 2 * JOBS).rate * 3600 for ahead in (1, 0)]
    what = "jobs an hour of a full deployment"
    return Effect("`queue_ahead` (schemas/models/)", "1", "0", what, rates[0], rates[1])


def _cpu() -> Effect:
    size = size_of("poll")
    fewer = Size(0.15, size.memory, size.disk)
    days = [
        prices().units(each, DAY, 160) * prices().figures["function_compute"]["cny_per_cu"]
        for each in (size, fewer)
    ]
    what = "CNY a day of a poller that is always busy (cold starts get slower)"
    return Effect("`cpu` of poll (s.yaml)", f"{size.vcpu:g}", "0.15", what, days[0], days[1])


def _files() -> Effect:
    many = 500
    what = f"events for {many} jobs (`submit` then runs {one_file(many):.0f} s)"
    return Effect("jobs in a `.jsonl` file", "1", str(many), what, float(many), 1.0)
