"""When to ask for a task again: at the moments at which it is likely to be done.

With no experience, the wait grows with the time already waited, up to a second. With experience,
the first question comes when the quickest tasks would be done, and the next ones follow through
the spread of what was seen, so close that a result is seldom found more than `AT_MOST` late.
Questions cost nothing (task management page), and a result that waits makes a person wait.
"""

from __future__ import annotations

from collections.abc import Sequence

ENOUGH = 5
SHARE = 0.12
SHORTEST = 0.1
AT_MOST = 0.75
LONGEST = 5.0
LATE = 1.5
MARGIN = 0.01
EAGER = 0.015
"""Share of a task's usual time that a slot may be empty where nothing waits at the service."""


def first_question(durations: Sequence[float]) -> float:
    """Seconds after the start of a task at which to ask first."""
    if len(durations) < ENOUGH:
        return 1.0
    return max(SHORTEST, _earliest(durations))


def next_question(elapsed: float, durations: Sequence[float], eager: bool = False) -> float:
    """Seconds to wait when a task that started `elapsed` seconds ago was not done.

    `eager`: the model is idle until the end is seen, and another job waits for it.
    """
    if not is_known(elapsed, durations):
        share = 3 * EAGER if eager else SHARE
        return min(LONGEST, max(SHORTEST, min(share * elapsed, max(AT_MOST, elapsed / 24))))
    spread = _quantile(durations, 0.95) - _earliest(durations)
    most = min(AT_MOST, EAGER * _quantile(durations, 0.5)) if eager else AT_MOST
    return max(SHORTEST, min(most, spread / 8))


def is_known(elapsed: float, durations: Sequence[float]) -> bool:
    """Whether experience says when a task that started `elapsed` seconds ago will end."""
    return len(durations) >= ENOUGH and elapsed <= LATE * _quantile(durations, 0.95)


def _earliest(durations: Sequence[float]) -> float:
    """When the next task may be done at the earliest: a little before the quickest one seen, the
    more so the fewer were seen. Asking before the end is how the end is learned."""
    low, high = min(durations), _quantile(durations, 0.95)
    return low - max(MARGIN * low, (high - low) / len(durations))


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
