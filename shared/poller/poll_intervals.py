"""When to ask for a task again: at the moments at which it is likely to be done.

With no experience, the wait grows with the time already waited. With experience, the questions
follow each other through the span in which tasks of the model end. The gap is the lateness that is
allowed; the few tasks that may be later are those that end first, because every task pays for a
question that comes before its end. A question costs no money, but all of an account share 20 a
second (task management page).
"""

from __future__ import annotations

from collections.abc import Sequence

ENOUGH = 5
SHARE = 0.12
SHORTEST = 0.1
GAP = 0.88
"""Seconds between two questions while a task may end: with the time to fetch its images, a person
waits a second at most."""
GAP_SHARE = 0.018
"""The same as a share of the usual time, for tasks that take longer than a minute."""
LONGEST = 5.0
LATE = 1.5
STRETCH = 2.0
"""Of so many times the usual duration an end is expected at most."""
LATER = 0.02
"""Share of the span at its beginning in which an end may be found later than a gap."""
EAGER = 0.015
"""Share of a task's usual time that a slot may be empty where nothing waits at the service."""
EARLIER = 0.95


def first_question(durations: Sequence[float], early: bool = False) -> float:
    """Seconds after the start of a task at which to ask first.

    `early`: before tasks are likely to end, so that one that takes less time than any before is
    noticed.
    """
    if len(durations) < ENOUGH:
        return 1.0
    low, high = _span(durations)
    if early:
        return max(SHORTEST, EARLIER * low)
    first = low + LATER * (high - low) + gap_between(durations)
    return max(SHORTEST, min(first, max(durations)))


def earliest(durations: Sequence[float]) -> float:
    """Seconds for which a task is certain to run, as far as experience says; 0 without any."""
    return _span(durations)[0] if len(durations) >= ENOUGH else 0.0


def second_question(elapsed: float, durations: Sequence[float]) -> float:
    """Seconds to wait after an early question."""
    return max(gap_between(durations), first_question(durations) - elapsed)


def next_question(elapsed: float, durations: Sequence[float], eager: bool = False) -> float:
    """Seconds to wait when a task that started `elapsed` seconds ago was not done."""
    if not is_known(elapsed, durations):
        share = 3 * EAGER if eager else SHARE
        least = SHORTEST if len(durations) < ENOUGH or eager else gap_between(durations)
        return min(LONGEST, max(least, min(share * elapsed, max(GAP, elapsed / 24))))
    if eager:
        return max(SHORTEST, min(GAP, EAGER * _quantile(durations, 0.5)))
    return gap_between(durations)


def while_waiting(waited: float, durations: Sequence[float]) -> float:
    """Seconds to wait when a task that was sent `waited` seconds ago has not begun."""
    wait = min(LONGEST, max(GAP, SHARE * waited))
    return min(wait, first_question(durations)) if len(durations) >= ENOUGH else wait


def is_known(elapsed: float, durations: Sequence[float]) -> bool:
    """Whether experience says when a task that started `elapsed` seconds ago will end."""
    if len(durations) < ENOUGH:
        return False
    # One that took very long among a few is no experience of how long they take.
    longest = min(_quantile(durations, 0.95), STRETCH * _quantile(durations, 0.5))
    return elapsed <= LATE * longest


def gap_between(durations: Sequence[float]) -> float:
    """Seconds between two questions while a task may end."""
    usual = _quantile(durations, 0.5) if durations else 0.0
    return max(GAP, GAP_SHARE * usual)


def _span(durations: Sequence[float]) -> tuple[float, float]:
    """When the next task will end, at the earliest and as a rule at the latest: a little before
    the quickest one that was seen, the more so the fewer were seen."""
    ordered = sorted(durations)
    low, high = ordered[0], _quantile(durations, 0.95)
    return low - (high - low) / len(ordered), high


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
