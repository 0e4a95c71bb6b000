"""What a layout and a day come to: the limits, the bill, and all figures of a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.price import month, oss_requests, prices, size_of, units
from tests.bench.scale.curve import STEPS, ceiling
from tests.bench.scale.day import Day
from tests.bench.scale.events import waited
from tests.bench.scale.layout import DAY, Layout, Load, facts

MEAN, PEAK = "the day's mean", "the busiest hour"
POLL_RUN = 780.0
"""Seconds a busy poller runs before it hands over (s.yaml: timeout 1560, of which 780 are kept)."""


@dataclass(frozen=True)
class Bound:
    """A limit of all accounts together: `rate` jobs a second are the most, whatever the others do.

    `over`: whether queues even it out over the day, or the busiest hour has to fit.
    """

    name: str
    rate: float
    over: str

    def jobs_a_day(self, load: Load) -> float:
        """The most jobs a day of such a shape."""
        return self.rate / (load.peak if self.over == PEAK else 1.0) * DAY


def bounds(layout: Layout, load: Load) -> list[Bound]:
    """Every limit of a layout, the one that allows the fewest jobs a day of a shape first."""
    points, many = layout.points(), layout.deployments
    full, half, oss = points[STEPS], points[STEPS // 2], facts()["oss"]
    queries, pollers = facts()["model_studio"]["queries_qps"], many * ceiling()
    account = max(0.0, oss["account_qps"] - many * full.poll_qps) / full.submit_operations
    bucket = max(0.0, oss["sequential_qps"] - full.poll_qps) / full.submit_operations
    found = [
        ("tasks at once at Model Studio", layout.capacity, MEAN),
        ("one poller a deployment", pollers, MEAN),
        (
            "submissions a second of each model",
            many * sum(x.submissions for x in layout.lanes),
            MEAN,
        ),
        (f"{queries:g} task queries a second", many * queries / full.queries, MEAN),
        ("instances for `submit`", layout.free / full.submit_seconds, PEAK),
        ("OSS requests of the account", account, PEAK),
        ("OSS requests of one bucket", many * bucket, PEAK),
    ]
    sending = layout.free / half.submit_seconds
    if sending < min(layout.capacity, pollers) / 2:
        found.append(("instances, while `submit` sends", sending, PEAK))
    all_accounts = [Bound(name, rate * layout.accounts, over) for name, rate, over in found]
    return sorted(all_accounts, key=lambda bound: bound.jobs_a_day(load))


def bill(day: Day) -> dict[str, float]:
    """CNY of a day, over all accounts; a month is thirty of them, for the price's tiers."""
    accounts, used = day.layout.accounts, day.used
    submit = units(size_of("submit"), used.submit_seconds, float(sum(day.taken.admitted)))
    poll = units(size_of("poll"), used.poll_seconds, used.poll_seconds / POLL_RUN)
    factor = month(30 * (submit + poll)) / 30 / (submit + poll)
    least = prices()["function_compute"]["least_cny_per_hour"] * 24 * day.layout.deployments
    found = {
        "submit": accounts * max(least, submit * factor),
        "poll": accounts * max(least, poll * factor),
        "oss": accounts * oss_requests(used.writes, used.reads),
    }
    found["all"] = sum(found.values())
    found["thousand_jobs"] = 1000 * found["all"] / max(1, accounts * day.served.started)
    return {**found, "images": accounts * day.served.images}


def figures(day: Day) -> dict[str, Any]:
    """A day's figures.

    Jobs, keys and CNY are of all hosting accounts; operations on OSS (a second) and instances are
    of one. Waits are in seconds: of jobs for a slot, of events for an instance.
    """
    layout, used, many = day.layout, day.used, day.layout.accounts
    first = bounds(layout, day.load)[0]
    return {
        "keys": layout.deployments * many,
        "accounts": many,
        "slots": {lane.name: lane.slots for lane in layout.lanes},
        "instances": layout.instances,
        "arrived": day.arrived * many,
        "started": day.served.started * many,
        "left": day.left * many,
        "slots_used": round(day.utilisation, 3),
        "queue_wait": _waits(day.served.waits),
        "event_wait": _waits(day.taken.waits),
        "tries": day.taken.tries,
        "given_up": day.taken.given_up,
        "oss_per_second": _mean_and_peak(used.operations),
        "instances_used": _mean_and_peak(used.instances),
        "breaks_first": {"limit": first.name, "jobs_a_day": round(first.jobs_a_day(day.load))},
        "cny": {name: round(amount, 3) for name, amount in bill(day).items()},
    }


def _waits(waits: Counter[int]) -> dict[str, float]:
    return {"median": waited(waits, 0.5), "p95": waited(waits, 0.95), "longest": waited(waits, 1.0)}


def _mean_and_peak(series: Sequence[float]) -> dict[str, int]:
    return {"mean": round(sum(series) / len(series)), "peak": round(max(series))}
