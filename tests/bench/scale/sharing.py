"""What the deployments of an account share: instances of functions, and OSS's rate."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.bench.scale.curve import STEPS
from tests.bench.scale.facts import facts
from tests.bench.scale.layout import Layout, mixed

SMOOTH = 60
"""Seconds over which the rate of jobs is taken to tell how full the slots are."""


@dataclass
class Used:
    """What a day took. Lists are by second: operations on OSS, instances. The rest are sums:
    seconds of running, calls of poll, billed requests."""

    operations: list[float] = field(default_factory=list)
    instances: list[float] = field(default_factory=list)
    submit_seconds: float = 0.0
    poll_seconds: float = 0.0
    writes: float = 0.0
    reads: float = 0.0


class Sharing:
    """Says how many events there is room for in each second.

    It follows all queues as one fluid, to know whether jobs wait (then `submit` only queues, which
    is quick) and how busy the pollers are (measured, see `curve`).
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        curves = [lane.measured() for lane in layout.lanes]
        shares = [lane.share for lane in layout.lanes]
        self.points = [
            mixed([one.points[step] for one in curves], shares) for step in range(STEPS + 1)
        ]
        self.capacity = layout.deployments * sum(one.rate for one in curves)
        self.waiting = self.smooth = 0.0
        self.used = Used()
        self._now = self.points[0]

    def room(self, second: int, before: int) -> int:
        """Events there is room for; `before`: events let in during the second before."""
        if second:
            self._note(before)
        self._now = now = self.points[self._step()]
        many, each = self.layout.deployments, max(1.0, now.submit_operations)
        by_account = (facts().of("oss", "account_qps") - many * now.poll_qps) / each
        by_buckets = many * (facts().of("oss", "sequential_qps") - now.poll_qps) / each
        by_instances = self.layout.free / max(0.05, now.submit_seconds)
        return max(0, int(min(by_account, by_buckets, by_instances)))

    def finish(self, last: int) -> Used:
        """What the whole day took; `last`: events let in during its last second."""
        self._note(last)
        return self.used

    def _note(self, admitted: int) -> None:
        """A second is over."""
        now, used, many = self._now, self.used, self.layout.deployments
        used.operations.append(many * now.poll_qps + admitted * now.submit_operations)
        used.instances.append(many * now.poll_busy + admitted * now.submit_seconds)
        used.submit_seconds += admitted * now.submit_seconds
        used.poll_seconds += many * now.poll_busy
        used.writes += admitted * now.writes
        used.reads += admitted * now.reads
        self.waiting = max(0.0, self.waiting + admitted - self.capacity)
        self.smooth += (admitted - self.smooth) / SMOOTH

    def _step(self) -> int:
        """How full the slots are, in hundredths."""
        if self.waiting > 0:
            return STEPS
        return round(STEPS * min(1.0, self.smooth / self.capacity))
