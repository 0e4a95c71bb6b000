"""How a deployment behaves between idle and full: measured points, and straight lines between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from shared.catalogue.models import Limits
from tests.bench.scale.profile import Account, Profile, busy, idle

SHARES = (0.2, 0.5, 0.8)
STEPS = 100
LONG_JOBS = (40, 20.0, 700)
"""Slots, seconds a task and jobs with which the poller itself is what bounds."""
SUBMISSIONS = 5
QUEUE_AHEAD = 1


@dataclass(frozen=True)
class Point:
    """One deployment at one utilisation of its slots. `poll_qps`: its poller's operations on OSS a
    second; `poll_busy`: share of the time in which a poller runs; the rest is a job's."""

    utilisation: float
    poll_qps: float
    poll_busy: float
    submit_operations: float
    submit_seconds: float
    writes: float
    reads: float
    queries: float
    delay_p95: float


@dataclass(frozen=True)
class Curve:
    """`STEPS` + 1 points from idle to full; and how many jobs a second full slots get done."""

    points: tuple[Point, ...]
    rate: float


@lru_cache(maxsize=32)
def curve(slots: int, seconds: float) -> Curve:
    """Measure a deployment with one model of so many slots. Slow: some seconds."""
    account = Account(Limits(SUBMISSIONS, 1, slots, QUEUE_AHEAD), seconds)
    full = busy(account, 12 * slots + 60)
    capacity = min(slots / seconds, full.rate)
    found = []
    for share in SHARES:
        jobs = max(40, round(240 * capacity * share))
        found.append(_point(share, busy(account, jobs, 1 / (share * capacity))))
    return Curve(between([_resting(found[0]), *found, _point(1.0, full)]), capacity)


@lru_cache(maxsize=1)
def ceiling() -> float:
    """Jobs a second that one poller gets done, whatever the model allows."""
    slots, seconds, jobs = LONG_JOBS
    return busy(Account(Limits(SUBMISSIONS, 1, slots, QUEUE_AHEAD), seconds), jobs).rate


def between(points: Sequence[Point]) -> tuple[Point, ...]:
    """`STEPS` + 1 points from 0 to 1 on straight lines through those given, in order."""
    fine = []
    for share in (step / STEPS for step in range(STEPS + 1)):
        after = next(index for index, one in enumerate(points) if one.utilisation >= share - 1e-9)
        low, high = points[max(0, after - 1)], points[after]
        span = high.utilisation - low.utilisation
        part = (share - low.utilisation) / span if span else 1.0
        fine.append(blend([low, high], [1 - part, part]))
    return tuple(fine)


def blend(points: Sequence[Point], weights: Sequence[float]) -> Point:
    """The weighted mean of points."""
    pairs, total = list(zip(points, weights, strict=True)), sum(weights)
    return Point(
        *(sum(getattr(p, each.name) * w for p, w in pairs) / total for each in fields(Point))
    )


def _point(utilisation: float, seen: Profile) -> Point:
    return Point(
        utilisation=utilisation,
        poll_qps=seen.poll_operations / seen.elapsed,
        poll_busy=min(1.0, seen.poll_seconds / seen.elapsed),
        submit_operations=seen.submit_operations,
        submit_seconds=seen.submit_seconds,
        writes=seen.writes,
        reads=seen.reads,
        queries=seen.queries,
        delay_p95=seen.delay_p95,
    )


def _resting(lowest: Point) -> Point:
    """Without jobs: what the timer's ticks take; a job that comes fares as at the lowest point."""
    seen = idle(30)
    ticks = 1 / (60.0 * seen.poll_runs)
    return replace(
        lowest,
        utilisation=0.0,
        poll_qps=seen.poll_operations * ticks,
        poll_busy=seen.poll_seconds * ticks,
    )
