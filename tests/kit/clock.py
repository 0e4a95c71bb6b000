"""Time that passes only when somebody waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

START = 1_790_000_000.0
"""A moment in September 2026, in seconds since 1970."""


class Timeline:
    """True time of a simulated world, in seconds since 1970; shared by all its clocks."""

    def __init__(self, at: float = START) -> None:
        self.at = at
        self._planned: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()

    def wait(self, seconds: float) -> None:
        """Let time pass; what was planned for meanwhile happens at its moment."""
        self.advance_to(self.at + max(0.0, seconds))

    def advance_to(self, moment: float) -> None:
        """Move on to a moment; one that lies in the past changes nothing."""
        while self._planned and self._planned[0][0] <= moment:
            due, _, action = heapq.heappop(self._planned)
            self.at = max(self.at, due)
            action()
        self.at = max(self.at, moment)

    def plan(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen `seconds` from now, as soon as somebody waits that long."""
        heapq.heappush(self._planned, (self.at + seconds, next(self._order), action))


class FakeClock:
    """One instance's `shared.platform.clock.Clock`; its wall clock is off by `skew` seconds."""

    def __init__(self, timeline: Timeline, skew: float = 0.0) -> None:
        self.timeline = timeline
        self.skew = skew
        self.slept: list[float] = []
        self._boot = timeline.at - 1000.0

    def now(self) -> float:
        return self.timeline.at + self.skew

    def monotonic(self) -> float:
        return self.timeline.at - self._boot

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.timeline.wait(seconds)
