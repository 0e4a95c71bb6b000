"""How jobs are spread: models, deployments, accounts, and what is asked of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.catalogue.models import Model
from shared.ledger.tickets import tick_length
from tests.bench.scale.curve import Curve, Point, ceiling, curve
from tests.bench.scale.facts import facts


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

    @property
    def tick(self) -> int:
        """Seconds between two submissions (shared/ledger/tickets.py)."""
        return tick_length(self.submissions, 1.0)

    def measured(self) -> Curve:
        """A deployment with this model alone; slots the poller cannot keep busy are left out."""
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
        return self.pollers <= facts().of("function_compute", "reservable") * self.instances

    @property
    def capacity(self) -> float:
        """Jobs a second that the slots of all accounts get done."""
        one = sum(lane.slots / lane.seconds for lane in self.lanes)
        return one * self.deployments * self.accounts


@dataclass(frozen=True)
class Load:
    """Jobs of a day, over all accounts; `peak`: the busiest hour over the mean; `burst`: so many
    files besides from the middle of the day on. `jitter`: how far the pauses of events spread."""

    jobs: float
    peak: float
    burst: int = 0
    jitter: float = 0.0


def lane_of(model: Model, share: float = 1.0, slots: int | None = None) -> Lane:
    """A model of the catalogue as a lane; `slots` instead of the documented ones."""
    many = model.limits.concurrent if slots is None else slots
    limits, price = model.limits, model.price.per_image
    return Lane(model.name, many, model.typical_seconds, share, price, limits.submissions)


def mixed(points: Sequence[Point], shares: Sequence[float]) -> Point:
    """A deployment with several models: the poller's work adds up (at most), what is a job's is
    their mean by share."""
    total = sum(shares)
    found = {
        name: sum(getattr(one, name) * share for one, share in zip(points, shares, strict=True))
        / total
        for name in Point.__dataclass_fields__
    }
    found["poll_qps"] = sum(one.poll_qps for one in points)
    found["poll_busy"] = max(one.poll_busy for one in points)
    return Point(**found)
