"""How many of what happened lie in a sliding window, and how many spans overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


def in_window(moments: Sequence[float], end: float, length: float) -> int:
    """How many of the sorted moments lie in the window that ends at `end`; its beginning is not
    part of it."""
    return bisect_right(moments, end) - bisect_right(moments, end - length)


def over(moments: Sequence[float], most: int, length: float) -> int:
    """How many of the sorted moments are one too many in the window that they end."""
    return sum(in_window(moments, at, length) > most for at in moments)


def most_at_once(spans: Sequence[tuple[float, float]]) -> int:
    """The most spans (start, end) that overlap."""
    events = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = now = 0
    for _, change in events:
        now += change
        most = max(most, now)
    return most
