"""Layouts: those of the question, and those that carry a load."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.bench.scale.curve import STEPS, ceiling
from tests.bench.scale.facts import DAY, facts, payable, rate_of
from tests.bench.scale.layout import Lane, Layout, Load, lane_of
from tests.bench.scale.sharing import Sharing


def asked(times: float = 1.0) -> Load:
    """The day of the question, so many times over."""
    known = facts()
    return Load(times * known.of("load", "jobs_a_day"), known.of("load", "peak"))


def quota(raised: bool = False) -> int:
    """Instances of an account in a region."""
    return int(facts().of("function_compute", "instances_raised" if raised else "instances"))


def documented() -> tuple[Lane, ...]:
    """All models that can be paid for, each with its documented limits; jobs as these allow."""
    return tuple(lane_of(model, rate_of(model)) for model in payable())


def raised(load: Load, keys: int) -> tuple[Lane, ...]:
    """The model that allows most, with as many slots as so many keys need for a load."""
    model = payable()[0]
    slots = load.jobs / DAY * model.typical_seconds / facts().of("load", "utilisation") / keys
    return (lane_of(model, 1.0, math.ceil(slots)),)


def carrying(load: Load, lanes: tuple[Lane, ...], over: float = 1.0) -> Layout:
    """The smallest layout of raised quota whose limits hold a load; `over`: how many times the
    day's mean the slots are for (1: what the busiest hour brings waits)."""
    full = facts().of("load", "utilisation")
    one = min(ceiling(), sum(lane.slots / lane.seconds for lane in lanes))
    deployments = math.ceil(over * load.jobs / DAY / one / full)
    for accounts in range(1, deployments + 1):
        layout = Layout(math.ceil(deployments / accounts), lanes, quota(raised=True), accounts)
        if layout.fits and _has_room(layout, load):
            return layout
    raise ValueError(f"no layout carries {load.jobs:,.0f} jobs a day")


def _has_room(layout: Layout, load: Load) -> bool:
    """Whether instances are enough: for the busiest hour, and for full slots while none waits."""
    points = Sharing(layout).points
    peak = load.peak * load.jobs / DAY / layout.accounts
    calm = min(peak, layout.capacity / layout.accounts)
    needed = max(peak * points[STEPS].submit_seconds, calm * points[STEPS // 2].submit_seconds)
    return needed <= layout.free


def with_quota(layout: Layout, instances: int) -> Layout:
    """The same with another quota of instances."""
    return replace(layout, instances=instances)
