"""Counting in sliding seconds: for the limits, and for the report of what the limits let pass."""

from __future__ import annotations

from collections import deque


class SlidingSecond:
    """Events of the last second. `peak` is the largest number ever seen in any second."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque()
        self.peak = 0

    def count(self, now: float) -> int:
        """How many events lie in the second that ends at `now` (monotonic seconds)."""
        while self._moments and self._moments[0] <= now - 1.0:
            self._moments.popleft()
        return len(self._moments)

    def add(self, now: float) -> None:
        """Note an event."""
        self._moments.append(now)
        self.peak = max(self.peak, self.count(now))

    def admit(self, now: float, limit: int | None) -> bool:
        """Note the event if the limit allows it; None is no limit."""
        if limit is not None and self.count(now) >= limit:
            return False
        self.add(now)
        return True
