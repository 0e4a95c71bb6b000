"""The share of the documented submission rate that is used while jobs wait, by round trip.

Whoever must never send more than `submissions` in a window of `per_seconds`, and does not know when
a call arrives at the service, sends the next one a window after an answer. So the bound is
window / (window + round trip) of the documented rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from shared.catalogue.models import Limits
from tests.bench.results import Line, Measure
from tests.bench.seeds import seeded, with_seeds
from tests.bench.windows import over
from tests.bench.world import calm_world

TASK_SECONDS = 5.0
ROUND_TRIPS = (0.040, 0.150, 0.400)
"""Seconds of a create call, there and back."""
GOAL = 0.98
"""Of the bound."""
SLOTS = 300
"""Enough that no limit but the rate's is met."""


@dataclass(frozen=True)
class Rate:
    """A documented rate, and how many jobs show it: some whole windows, or the share is wrong."""

    name: str
    submissions: int
    per_seconds: int
    jobs: int

    @property
    def limits(self) -> Limits:
        return Limits(
            submissions=self.submissions,
            per_seconds=self.per_seconds,
            concurrent=SLOTS,
            queue_ahead=1,
        )


RATES = (
    Rate("2/s", 2, 1, 80),
    Rate("5/s", 5, 1, 150),
    Rate("10/s", 10, 1, 200),
    Rate("5/min", 5, 60, 50),
    Rate("120/min", 120, 60, 240),
)


@dataclass(frozen=True)
class Seen:
    """Of one seed: percent of the rate used, create calls that arrived, those over the limit."""

    share: float
    calls: int
    over: int


def measures(brief: bool = False) -> list[Measure]:
    """For each rate and round trip the share of the rate, beside the bound."""
    rates, trips = (RATES[:1], ROUND_TRIPS[:1]) if brief else (RATES, ROUND_TRIPS)
    works = {(rate, trip): partial(_run, rate, trip) for rate in rates for trip in trips}
    return [compared(with_seeds(works, brief))]


def compared(seen: Mapping[tuple[Rate, float], list[Seen]]) -> Measure:
    """The measure of what was seen with each rate and round trip (seconds)."""
    lines, worst = list[Line](), 1e9
    for (rate, trip), many in seen.items():
        bound, name = bound_of(rate, trip), f"{rate.name}, round trip {1000 * trip:.0f} ms"
        lines.append(seeded(f"{name}, used", [one.share for one in many], "% of the rate"))
        lines.append(Line(f"{name}, bound", round(bound, 2), "% of the rate"))
        worst = min(worst, median(one.share for one in many) / bound)
    every = [one for many in seen.values() for one in many]
    calls, beyond = sum(one.calls for one in every), sum(one.over for one in every)
    lines.append(Line("create calls over the limit", beyond, f"of {calls}", ours=True))
    goal = f"median ≥ {GOAL:g} × the bound, 0 calls over the limit"
    result = f"{worst:.3g} × the bound at worst, {beyond} over in {calls:,}"
    return Measure("rate", goal, worst >= GOAL and beyond == 0, lines, result)


def bound_of(rate: Rate, trip: float) -> float:
    """Percent of the documented rate that can be used without a risk."""
    return 100 * rate.per_seconds / (rate.per_seconds + trip)


def used(moments: Sequence[float], rate: Rate) -> float:
    """Percent of the rate that was used between the first burst and the last call."""
    first = rate.submissions - 1
    seconds = moments[-1] - moments[first]
    return 100 * (len(moments) - 1 - first) / seconds * rate.per_seconds / rate.submissions


def _run(rate: Rate, trip: float, seed: int) -> Seen:
    with calm_world(lambda _rng: TASK_SECONDS, rate.limits, seed=seed) as world:
        world.network.create_leg = trip / 2
        world.put_jobs(rate.jobs)
        world.run(lambda: len(world.done) == rate.jobs)
        moments = sorted(one.at for one in world.studio.log)
    beyond = over(moments, rate.submissions, rate.per_seconds)
    return Seen(used(moments, rate), len(moments), beyond)
