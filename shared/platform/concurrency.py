"""The same work for many things: one after the other, or several at once.

Which of the two is passed in, so that the simulation, where handlers take turns, stays in charge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")
THREADS = 8
"""At most ten connections are kept for OSS (oss2.defaults.connection_pool_size)."""


class MapFn(Protocol):
    """Does `work` for each of the things and returns the outcomes in the order of the things.

    Raises what the work raised first, once none of it is under way any more.
    """

    def __call__(self, work: Callable[[T], R], things: Sequence[T]) -> list[R]: ...


def in_turn(work: Callable[[T], R], things: Sequence[T]) -> list[R]:
    """One after the other."""
    return [work(thing) for thing in things]


def in_threads(work: Callable[[T], R], things: Sequence[T]) -> list[R]:
    """Several at once: what takes long is waiting for answers."""
    if len(things) < 2:
        return in_turn(work, things)
    # Imported late: most files hold one job, and a cold instance need not load this for them.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(THREADS, len(things))) as pool:
        return list(pool.map(work, things))
