"""When to ask for a task again: at the moments at which it is likely to be done.

With no experience, the wait grows with the time already waited, so that the delay is at most a
fixed share of the task. With experience, the first question comes when the quickest tenth of
tasks would be done, and the next ones follow through the spread of what was seen.
"""

from __future__ import annotations

from collections.abc import Sequence

ENOUGH = 5
SHARE = 0.12
SHORTEST = 0.3
LONGEST = 5.0
LATE = 1.5


def first_question(durations: Sequence[float]) -> float:
    """Seconds after the start of a task at which to ask first."""
    if len(durations) < ENOUGH:
        return 1.0
    return max(SHORTEST, _quantile(durations, 0.1))


def next_question(elapsed: float, durations: Sequence[float]) -> float:
    """Seconds to wait when a task that started `elapsed` seconds ago was not done."""
    if len(durations) < ENOUGH or elapsed > LATE * _quantile(durations, 0.95):
        return min(LONGEST, max(SHORTEST, SHARE * elapsed))
    spread = _quantile(durations, 0.95) - _quantile(durations, 0.1)
    return min(LONGEST, max(SHORTEST, spread / 8))


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
