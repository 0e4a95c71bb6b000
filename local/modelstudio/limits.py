"""Counting in sliding windows: for the limits, and for the report of what they let pass."""

from __future__ import annotations

from collections import deque


class SlidingWindow:
    """Events of the last `seconds`. `peak` is the largest number ever seen in any such window."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._moments: deque[float] = deque()
        self.peak = 0

    def count(self, now: float) -> int:
        """How many events lie in the window that ends at `now` (monotonic seconds)."""
        while self._moments and self._moments[0] <= now - self._seconds:
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
