"""One day of an account that hosts many deployments.

Second by second for what they share (instances, OSS), job by job for what each has alone (slots).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.bench.scale.curve import ceiling
from tests.bench.scale.facts import DAY, facts
from tests.bench.scale.intake import BackOff, IntakeOutcome, take
from tests.bench.scale.lanes import Served, serve
from tests.bench.scale.layout import Layout, Load
from tests.bench.scale.sharing import Sharing, Used

Series = NDArray[np.float64]


@dataclass(frozen=True)
class Day:
    """What came of it, for one of the layout's accounts. Series are by second."""

    layout: Layout
    load: Load
    arrived: int
    taken: IntakeOutcome
    served: tuple[Served, ...]
    used: Used
    in_flight: Series

    @property
    def started(self) -> int:
        return sum(len(one.start) for one in self.served)

    @property
    def left(self) -> int:
        """Jobs that wait in queues, or as events, when the day is over."""
        return sum(one.left for one in self.served) + self.taken.waiting

    @property
    def utilisation(self) -> float:
        """Of all slots, over the day."""
        slots = self.layout.deployments * sum(lane.slots for lane in self.layout.lanes)
        return float(self.in_flight.mean()) / slots

    def waits(self, share: float) -> float:
        """Seconds that `share` of the jobs that started waited in their queue."""
        waits = np.concatenate([one.waits for one in self.served])
        return float(np.quantile(waits, share)) if len(waits) else 0.0

    def waiting(self) -> Series:
        """Jobs in queues, by second."""
        came = np.cumsum(np.array(self.taken.admitted, dtype=float))
        started = _by_second([one.start for one in self.served])
        found: Series = came - np.cumsum(started)
        return found


def run(layout: Layout, load: Load, seed: int = 1) -> Day:
    """One day, from an empty system at midnight."""
    rng = np.random.default_rng(seed)
    arrivals = rng.poisson(shape(load.peak) * load.jobs / layout.accounts / DAY)
    if load.burst:
        length = int(facts().of("load", "burst_seconds"))
        arrivals[DAY // 2 : DAY // 2 + length] += load.burst // layout.accounts // length
    sharing = Sharing(layout)
    taken = take(arrivals.tolist(), sharing.room, back_off(load.jitter), seed)
    served = tuple(_served(layout, np.array(taken.admitted), rng))
    used = sharing.finish(taken.admitted[-1])
    return Day(layout, load, int(arrivals.sum()), taken, served, used, _flying(served))


def shape(peak: float) -> Series:
    """How busy each second of the day is, on a mean of 1: half of it at night, `peak` at most."""
    hours = np.arange(DAY) / 3600
    quiet, hour = 0.5, facts().of("load", "peak_hour")
    if peak <= 1:
        return np.ones(DAY)
    width = (1 - quiet) * 24 / ((peak - quiet) * math.sqrt(2 * math.pi))
    bell = np.exp(-(((hours - hour) / width) ** 2) / 2)
    found: Series = quiet + (peak - quiet) * bell
    return found / float(found.mean())


def back_off(jitter: float) -> BackOff:
    """Function Compute's, with the age that s.yaml sets."""
    known = facts().values["function_compute"]
    return BackOff(known["first_pause"], known["longest_pause"], known["event_age"], jitter)


def _flying(served: tuple[Served, ...]) -> Series:
    """Tasks in flight, by second."""
    change = _by_second([one.start for one in served]) - _by_second([one.end for one in served])
    found: Series = np.cumsum(change)
    return found


def _by_second(moments: list[Series]) -> Series:
    """How many moments lie in each second of the day."""
    seconds = np.concatenate(moments).astype(int)
    return np.bincount(seconds[seconds < DAY], minlength=DAY).astype(float)


def _served(layout: Layout, admitted: NDArray[np.int64], rng: np.random.Generator) -> list[Served]:
    """Each deployment's share of the jobs, by lot, through its slots."""
    moments = np.repeat(np.arange(len(admitted)), admitted) + rng.random(int(admitted.sum()))
    moments.sort()
    shares = np.array([lane.share for lane in layout.lanes])
    odds = np.tile(shares / shares.sum() / layout.deployments, layout.deployments)
    whose = np.searchsorted(np.cumsum(odds), rng.random(len(moments)) * (1 - 1e-12))
    order = np.argsort(whose, kind="stable")
    parts = np.split(moments[order], np.searchsorted(whose[order], np.arange(1, len(odds))))
    spread, found = facts().of("tasks", "spread"), []
    for number, came in enumerate(parts):
        lane = layout.lanes[number % len(layout.lanes)]
        seconds = lane.seconds * (1 - spread + 2 * spread * rng.random(len(came)))
        found.append(serve(came, lane.slots, seconds, 1 / ceiling(), float(DAY)))
    return found
