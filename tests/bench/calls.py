"""The share of the documented rate that calls of a synchronous model use while jobs wait.

A permit returns when a call was written, not when it is answered, so that late answers cost no
rate. What bounds it beside the rate is how many calls may be open at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from shared.catalogue.models import Limits
from tests.bench.rate import Rate, Seen, used
from tests.bench.results import Line, Measure
from tests.bench.seeds import SEEDS, seeded, with_seeds
from tests.bench.windows import over
from tests.bench.world import calm_world


@dataclass(frozen=True)
class Calls:
    """A documented rate, seconds that a call takes, and percent of the rate to be used at least."""

    rate: Rate
    seconds: float
    goal: float

    @property
    def limits(self) -> Limits:
        return Limits(self.rate.submissions, self.rate.per_seconds, None, 0)


CALLS = (
    Calls(Rate("2/s", 2, 1, 160), 4.0, 45.0),
    Calls(Rate("2/min", 2, 60, 30), 120.0, 95.0),
)


def measures(brief: bool = False) -> list[Measure]:
    """For each rate the share of it, and the worst seed's."""
    works = {calls: partial(_run, calls) for calls in (CALLS[:1] if brief else CALLS)}
    return [compared(with_seeds(works, brief, SEEDS[:5]))]


def compared(seen: Mapping[Calls, list[Seen]]) -> Measure:
    """The measure of what was seen with each rate."""
    lines, told, worst = list[Line](), list[str](), 1e9
    for calls, many in seen.items():
        shares = [one.share for one in many]
        name = f"{calls.rate.name}, calls of about {calls.seconds:.0f} s"
        lines.append(seeded(f"{name}, used", shares, "% of the rate"))
        told.append(f"{min(shares):.3g} % of {calls.rate.name}")
        worst = min(worst, min(shares) / calls.goal)
    every = [one for many in seen.values() for one in many]
    number, beyond = sum(one.calls for one in every), sum(one.over for one in every)
    lines.append(Line("calls over the limit", beyond, f"of {number}", ours=True))
    goals = " and ".join(f"{calls.goal:g} % of {calls.rate.name}" for calls in CALLS)
    goal = f"≥ {goals} in each seed, 0 calls over the limit"
    result = f"{' and '.join(told)} at worst, {beyond} over in {number:,}"
    return Measure("rate-calls", goal, worst >= 1 and beyond == 0, lines, result)


def _run(calls: Calls, seed: int) -> Seen:
    rate = calls.rate
    with calm_world(
        lambda _: calls.seconds, calls.limits, seed=seed, called=calls.seconds
    ) as world:
        world.put_jobs(rate.jobs)
        world.run(lambda: len(world.studio.log) == rate.jobs)
        moments = sorted(one.at for one in world.studio.log)
    beyond = over(moments, rate.submissions, rate.per_seconds)
    return Seen(used(moments, rate), len(moments), beyond)
