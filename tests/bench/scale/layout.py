"""How jobs are spread: models, deployments, accounts, and what is asked of them.

Assumptions are in facts.yaml, limits of models in schemas/models/.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Model
from tests.bench.results import ROOT
from tests.bench.scale.curve import STEPS, Curve, Point, blend, ceiling, curve

FACTS = Path(__file__).with_name("facts.yaml")
DAY = 86400


def _figure(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) else value


@lru_cache(maxsize=1)
def facts() -> dict[str, dict[str, Any]]:
    """Figures by group and name; how old an event may get and how long `submit` runs: s.yaml."""
    document: dict[str, Any] = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    values = {
        group: {name: _figure(line["value"]) for name, line in lines.items()}
        for group, lines in document.items()
    }
    stack = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))
    submit = stack["resources"]["submit"]["props"]
    age = float(submit["asyncInvokeConfig"]["maxAsyncEventAgeInSeconds"])
    values["function_compute"] |= {"event_age": age, "submit_timeout": float(submit["timeout"])}
    return values


@dataclass(frozen=True)
class Lane:
    """One model in every deployment: its slots, its seconds a task, its share of the jobs, and
    CNY for one image; `submissions` a second."""

    name: str
    slots: int
    seconds: float
    share: float = 1.0
    image: float = 0.0
    submissions: int = 5

    def measured(self) -> Curve:
        """A deployment with this model alone, without slots that the poller cannot keep busy."""
        useful = math.ceil(1.1 * ceiling() * self.seconds)
        return curve(min(self.slots, useful), self.seconds)


@dataclass(frozen=True)
class Layout:
    """Deployments of one account and region (bucket and four functions each), and its quota.

    Each deployment has the API key of an account of its own. `accounts`: so many such hosting
    accounts share the jobs evenly. `reserved`: pollers of the account, if there are more than
    those that get jobs.
    """

    deployments: int
    lanes: tuple[Lane, ...]
    instances: int
    accounts: int = 1
    reserved: int = 0

    @property
    def pollers(self) -> int:
        """Instances that are reserved, one for each poller."""
        return max(self.deployments, self.reserved)

    @property
    def free(self) -> int:
        """Instances of the account that are not reserved for pollers."""
        return max(0, self.instances - self.pollers)

    @property
    def fits(self) -> bool:
        """Whether so many pollers may be reserved at all."""
        return bool(self.pollers <= facts()["function_compute"]["reservable"] * self.instances)

    @property
    def capacity(self) -> float:
        """Jobs a second that the slots of one account get done."""
        return self.deployments * sum(lane.slots / lane.seconds for lane in self.lanes)

    def points(self) -> list[Point]:
        """A deployment at each hundredth of its utilisation.

        With several models the poller's work adds up, and a job costs their mean by share.
        """
        curves, shares = (
            [each.measured() for each in self.lanes],
            [each.share for each in self.lanes],
        )
        found = []
        for points in zip(*(one.points for one in curves), strict=True):
            qps, most = sum(one.poll_qps for one in points), max(one.poll_busy for one in points)
            found.append(replace(blend(points, shares), poll_qps=qps, poll_busy=most))
        return found


@dataclass(frozen=True)
class Load:
    """Jobs of a day, over all accounts; `peak`: the busiest hour over the mean; `burst`: so many
    files besides from the middle of the day on. `jitter`: how far the pauses of events spread."""

    jobs: float
    peak: float
    burst: int = 0
    jitter: float = 0.0


def asked(times: float = 1.0) -> Load:
    """The day of the question, so many times over."""
    known = facts()["load"]
    return Load(times * known["jobs_a_day"], known["peak"])


def keys() -> int:
    """API keys of the question."""
    return int(facts()["load"]["keys"])


def quota(raised: bool = False) -> int:
    """Instances of an account in a region."""
    return int(facts()["function_compute"]["instances_raised" if raised else "instances"])


def models() -> list[Model]:
    """The models of the question, those that allow most first."""
    asked, known = facts()["load"]["models"], load_catalogue().models()
    return sorted((one for one in known if one.name in asked), key=lambda one: -rate_of(one))


def payable() -> list[Model]:
    """Those that can be used after the free images."""
    return [model for model in models() if model.price.payable]


def rate_of(model: Model) -> float:
    """Jobs a second that one account gets done."""
    return model.limits.lanes / model.typical_seconds


def lane_of(model: Model, share: float, slots: int) -> Lane:
    """A model of the catalogue as a lane."""
    limits, price = model.limits, model.price.per_image
    return Lane(model.name, slots, model.typical_seconds, share, price, limits.submissions)


def documented() -> tuple[Lane, ...]:
    """All models that can be paid for, each with its documented limits; jobs as these allow."""
    return tuple(lane_of(each, rate_of(each), each.limits.lanes) for each in payable())


def raised(load: Load) -> tuple[Lane, ...]:
    """The model that allows most, with as many slots as the question's keys need for a load."""
    model = payable()[0]
    busy = load.jobs / DAY * model.typical_seconds / facts()["load"]["utilisation"]
    return (lane_of(model, 1.0, math.ceil(busy / keys())),)


def carrying(load: Load, lanes: tuple[Lane, ...], over: float = 1.0) -> Layout:
    """The smallest layout of raised quota whose limits hold a load; `over`: how many times the
    day's mean the slots are for (1: what the busiest hour brings waits)."""
    one = min(ceiling(), sum(lane.slots / lane.seconds for lane in lanes))
    deployments = math.ceil(over * load.jobs / DAY / one / facts()["load"]["utilisation"])
    for accounts in range(1, deployments + 1):
        layout = Layout(math.ceil(deployments / accounts), lanes, quota(raised=True), accounts)
        if layout.fits and _has_room(layout, load):
            return layout
    raise ValueError(f"no layout carries {load.jobs:,.0f} jobs a day")


def _has_room(layout: Layout, load: Load) -> bool:
    """Whether instances are enough: for the busiest hour, and for full slots while none waits."""
    points = layout.points()
    peak = load.peak * load.jobs / DAY / layout.accounts
    calm = min(peak, layout.capacity)
    needed = max(peak * points[STEPS].submit_seconds, calm * points[STEPS // 2].submit_seconds)
    return needed <= layout.free
