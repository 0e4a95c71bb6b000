"""The same work for many things: one after the other, or several at once.

Which of the two is passed in, so that the simulation, where handlers take turns, stays in charge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")
THREADS = 8
"""At once, where nothing else is said: what an invocation's share of a processor keeps busy."""


class MapFn(Protocol):
    """Does `work` for each of the things, for at most `most` of them at once; returns the outcomes
    in the order of the things.

    Raises what the work raised first, once none of it is under way any more.
    """

    def __call__(
        self, work: Callable[[T], R], things: Sequence[T], most: int = THREADS
    ) -> list[R]: ...


def in_turn(work: Callable[[T], R], things: Sequence[T], most: int = THREADS) -> list[R]:
    """One after the other."""
    return [work(thing) for thing in things]


def in_threads(work: Callable[[T], R], things: Sequence[T], most: int = THREADS) -> list[R]:
    """Several at once: what takes long is waiting for answers."""
    if len(things) < 2:
        return in_turn(work, things)
    # Imported late: most files hold one job, and a cold instance need not load this for them.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(most, len(things))) as pool:
        return list(pool.map(work, things))
