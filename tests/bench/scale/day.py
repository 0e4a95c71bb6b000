"""One day of an account that hosts many deployments.

Second by second for what they share (instances, OSS), job by job for what each has alone (slots).
"""

from __future__ import annotations

import math
import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapreplace
from itertools import accumulate

from tests.bench.scale.curve import STEPS, ceiling
from tests.bench.scale.events import BackOff, Events
from tests.bench.scale.layout import DAY, Lane, Layout, Load, facts

QUIET = 0.5
"""The rate of the quietest hours, on a mean of 1."""
SMOOTH = 60
"""Seconds over which the rate of jobs is taken to know how full the slots are."""


@dataclass
class Sharing:
    """What the deployments share, and what the day takes of it.

    All queues count as one fluid, which says whether jobs wait (then `submit` only queues, which is
    quick) and how busy the pollers are (measured, see `curve`). Lists are by second: operations on
    OSS, instances. The rest are sums: seconds of running, billed requests.
    """

    layout: Layout
    operations: list[float] = field(default_factory=list)
    instances: list[float] = field(default_factory=list)
    submit_seconds: float = 0.0
    poll_seconds: float = 0.0
    writes: float = 0.0
    reads: float = 0.0
    _waiting: float = 0.0
    _smooth: float = 0.0

    def __post_init__(self) -> None:
        self._points = self.layout.points()
        self._capacity = self.layout.deployments * sum(
            lane.measured().rate for lane in self.layout.lanes
        )
        self._now = self._points[0]

    def room(self) -> int:
        """Events there is room for in this second."""
        share = min(1.0, self._smooth / self._capacity)
        self._now = now = self._points[STEPS if self._waiting > 0 else round(STEPS * share)]
        many, each, oss = self.layout.deployments, max(1.0, now.submit_operations), facts()["oss"]
        by_account = (oss["account_qps"] - many * now.poll_qps) / each
        by_buckets = many * (oss["sequential_qps"] - now.poll_qps) / each
        by_instances = self.layout.free / max(0.05, now.submit_seconds)
        return max(0, int(min(by_account, by_buckets, by_instances)))

    def admit(self, admitted: int) -> None:
        """The second is over; so many events were let in."""
        now, many = self._now, self.layout.deployments
        self.operations.append(many * now.poll_qps + admitted * now.submit_operations)
        self.instances.append(many * now.poll_busy + admitted * now.submit_seconds)
        self.submit_seconds += admitted * now.submit_seconds
        self.poll_seconds += many * now.poll_busy
        self.writes += admitted * now.writes
        self.reads += admitted * now.reads
        self._waiting = max(0.0, self._waiting + admitted - self._capacity)
        self._smooth += (admitted - self._smooth) / SMOOTH


@dataclass
class Served:
    """What became of the queued jobs.

    `waits`: how many waited how many seconds for a slot; `busy`: seconds of tasks within the day;
    `images`: CNY.
    """

    started: int = 0
    left: int = 0
    busy: float = 0.0
    images: float = 0.0
    waits: Counter[int] = field(default_factory=Counter)

    def add(self, lane: Lane, came: Sequence[float], rng: random.Random) -> None:
        """One deployment's jobs of one model through its slots."""
        spread, chance = facts()["tasks"]["spread"], rng.random
        least, more = lane.seconds * (1 - spread), 2 * spread * lane.seconds
        before = self.started
        for moment, start, end in serve(
            came, lane.slots, lambda: least + more * chance(), 1 / ceiling(), float(DAY)
        ):
            self.started += 1
            self.waits[round(start - moment)] += 1
            self.busy += min(end, DAY) - start
        self.left += len(came) - (self.started - before)
        self.images += (self.started - before) * lane.image


@dataclass(frozen=True)
class Day:
    """What came of it, for one of the layout's accounts."""

    layout: Layout
    load: Load
    arrived: int
    taken: Events
    served: Served
    used: Sharing

    @property
    def left(self) -> int:
        """Jobs that wait in queues, or as events, when the day is over."""
        return self.served.left + self.taken.waiting

    @property
    def utilisation(self) -> float:
        """Of all slots, over the day."""
        slots = self.layout.deployments * sum(lane.slots for lane in self.layout.lanes)
        return self.served.busy / slots / DAY


def run(layout: Layout, load: Load, seed: int = 1) -> Day:
    """One day, from an empty system at midnight."""
    rng, known = random.Random(seed), facts()["function_compute"]
    arrivals = _arrivals(layout, load, rng)
    pauses = BackOff(known["first_pause"], known["longest_pause"], known["event_age"], load.jitter)
    used, taken = Sharing(layout), Events(pauses, rng)
    for new in arrivals:
        taken.second(new, used.room())
        used.admit(taken.admitted[-1])
    return Day(layout, load, sum(arrivals), taken, _served(layout, taken.admitted, rng), used)


def _arrivals(layout: Layout, load: Load, rng: random.Random) -> list[int]:
    mean = load.jobs / layout.accounts / DAY
    found = [poisson(rng, mean * rate) for rate in shape(load.peak)]
    if load.burst:
        length = int(facts()["load"]["burst_seconds"])
        for second in range(DAY // 2, DAY // 2 + length):
            found[second] += load.burst // layout.accounts // length
    return found


def poisson(rng: random.Random, mean: float) -> int:
    """How many events a second brings; a normal distribution where that is close enough."""
    if mean > 30:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    count, product, limit = 0, rng.random(), math.exp(-mean)
    while product > limit:
        count, product = count + 1, product * rng.random()
    return count


def shape(peak: float) -> list[float]:
    """How busy each second of the day is, on a mean of 1: `QUIET` at night, `peak` at most."""
    if peak <= 1:
        return [1.0] * DAY
    middle = facts()["load"]["peak_hour"] * 3600
    width = 3600 * (1 - QUIET) * 24 / ((peak - QUIET) * math.sqrt(2 * math.pi))
    bell = [math.exp(-(((second - middle) / width) ** 2) / 2) for second in range(DAY)]
    found = [QUIET + (peak - QUIET) * rate for rate in bell]
    mean = sum(found) / DAY
    return [rate / mean for rate in found]


def _served(layout: Layout, admitted: Sequence[int], rng: random.Random) -> Served:
    """Each deployment's share of the jobs, by lot, through its slots."""
    lanes = layout.lanes * layout.deployments
    queues = [array("d") for _ in lanes]
    odds = list(accumulate(lane.share for lane in lanes))
    for second, count in enumerate(admitted):
        moments = sorted(rng.random() for _ in range(count))
        chosen = rng.choices(queues, cum_weights=odds, k=count)
        for queue, moment in zip(chosen, moments, strict=True):
            queue.append(second + moment)
    served = Served()
    for lane, queue in zip(lanes, queues, strict=True):
        served.add(lane, queue, rng)
    return served


def serve(
    came: Iterable[float],
    slots: int,
    seconds: Callable[[], float],
    spacing: float = 0.0,
    until: float = math.inf,
) -> Iterator[tuple[float, float, float]]:
    """Jobs through slots in the order they came: when each came, started and ended.

    `seconds`: how long the next task takes. `spacing`: least seconds between two starts, because
    one poller starts them all. No job starts at `until` or later.
    """
    lanes, last = [0.0] * slots, -spacing
    for moment in came:
        start = max(moment, lanes[0], last + spacing)
        if start >= until:
            return
        last, end = start, start + seconds()
        heapreplace(lanes, end)
        yield moment, start, end
