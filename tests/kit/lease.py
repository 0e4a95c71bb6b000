"""Instances that want the lease, over one bucket, each with clocks of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.models import Limits
from shared.ledger.lease import POLLER, Lease
from shared.ledger.permits import Permits
from shared.storage import layout
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import InstanceClock, Kernel


@dataclass
class WrongClock(InstanceClock):
    """An instance's clocks; `stood_still`: seconds that its monotonic clock has missed."""

    stood_still: float = 0.0

    def monotonic(self) -> float:
        return super().monotonic() - self.stood_still


@dataclass
class Contest:
    """A bucket, and any number of instances that want its lease; `skew`: of the bucket's clock."""

    timeline: Kernel = field(default_factory=Kernel)
    skew: float = 0.0
    bucket: Bucket = field(init=False)

    def __post_init__(self) -> None:
        self.bucket = Bucket(self.timeline, self.skew)

    def lease(
        self, owner: str, skew: float = 0.0, delay: Callable[[], float] | None = None
    ) -> Lease:
        """An instance's lease; `skew`: of its wall clock, `delay`: before each request."""
        clock = WrongClock(self.timeline, skew)
        return Lease(Store(self.bucket, owner, delay), clock, owner, Permits(clock))

    def held(self, owner: str, kind: str = POLLER) -> Lease:
        """The lease of an instance that has taken it."""
        lease = self.lease(owner)
        assert lease.take(kind)
        return lease

    def epochs(self) -> list[int]:
        return sorted(layout.epoch_of(key) for key in self.bucket.keys(layout.LEASE))

    def newest(self) -> dict[str, Any]:
        """What the newest epoch says."""
        said: dict[str, Any] = json.loads(self.bucket.peek(self.bucket.keys(layout.LEASE)[0]))
        return said


def clock_of(lease: Lease) -> WrongClock:
    assert isinstance(lease.clock, WrongClock)
    return lease.clock


def store_of(lease: Lease) -> Store:
    """For its hooks."""
    assert isinstance(lease.store, Store)
    return lease.store


def at_once() -> float:
    """A delay that lets others have their turn."""
    return 0.0


@contextmanager
def spent(permits: Permits, model: str, limits: Limits) -> Iterator[None]:
    """The time of one request whose permit is free now."""
    permit = permits.line_up(model, limits)
    while not permits.spend(permit):
        wait, _ = permits.turn(permit)
        assert wait < 1e-6, f"the permit is not free for {wait} s"
        permits.clock.sleep(1e-6)
    try:
        yield
    finally:
        permits.give_back(permit)
