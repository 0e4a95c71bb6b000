"""At what rate each limit is reached, whatever the others do; the lowest breaks first."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.scale.curve import STEPS, Point, ceiling
from tests.bench.scale.facts import facts
from tests.bench.scale.layout import Layout, Load
from tests.bench.scale.sharing import Sharing

MEAN, PEAK = "the day's mean", "the busiest hour"


@dataclass(frozen=True)
class Bound:
    """A limit of all accounts together: `rate` jobs a second are the most. `over`: whether queues
    even it out over the day, or the busiest hour has to fit. `moved_by`: what raises it."""

    name: str
    rate: float
    over: str
    moved_by: str

    def jobs_a_day(self, load: Load) -> float:
        """The most jobs a day of such a shape."""
        peak = load.peak if self.over == PEAK else 1.0
        return self.rate / peak * 86400


def bounds(layout: Layout) -> list[Bound]:
    """Every limit of a layout, the lowest first."""
    points, many = Sharing(layout).points, layout.deployments
    full, half = points[STEPS], points[STEPS // 2]
    queries = facts().of("model_studio", "queries_qps")
    slots, pollers = layout.capacity / layout.accounts, many * ceiling()
    one = [
        Bound("tasks at once at Model Studio", slots, MEAN, SLOTS),
        Bound("one poller a deployment", pollers, MEAN, POLLER),
        Bound("one submission a tick of each model", _ticks(layout), MEAN, POLLER),
        Bound(f"{queries:g} task queries a second", many * queries / full.queries, MEAN, QUERIES),
        Bound("instances for `submit`", layout.free / full.submit_seconds, PEAK, QUOTA),
        Bound("OSS requests of the account", _oss(layout, full), PEAK, ACCOUNTS),
        Bound("OSS requests of one bucket", _bucket(layout, full), PEAK, BUCKETS),
    ]
    sending = layout.free / half.submit_seconds
    if sending < min(slots, pollers) / 2:
        one.append(Bound("instances, while `submit` sends", sending, PEAK, QUOTA))
    found = [
        Bound(each.name, each.rate * layout.accounts, each.over, each.moved_by) for each in one
    ]
    return sorted(found, key=lambda bound: bound.rate)


SLOTS = "more keys; a higher limit of the account; a quicker model"
POLLER = "more deployments: limits are kept for each model, so a key may serve one for each model"
QUERIES = "a larger `AT_MOST` in shared/poller/poll_intervals.py"
QUOTA = "a higher quota of instances; more hosting accounts; many jobs in one `.jsonl` file"
ACCOUNTS = "more hosting accounts"
BUCKETS = "more deployments; job names that begin at random"


def _ticks(layout: Layout) -> float:
    """Each lane sends at most one job a tick of its rate tickets."""
    return layout.deployments * sum(1 / lane.tick for lane in layout.lanes)


def _oss(layout: Layout, full: Point) -> float:
    left = facts().of("oss", "account_qps") - layout.deployments * full.poll_qps
    return max(0.0, left) / full.submit_operations


def _bucket(layout: Layout, full: Point) -> float:
    left = facts().of("oss", "sequential_qps") - full.poll_qps
    return layout.deployments * max(0.0, left) / full.submit_operations
