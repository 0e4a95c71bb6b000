"""The same work for many things, and works beside the caller: in turn, or several at once.

Which of the two is passed in, so that the simulation, where handlers take turns, stays in charge.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from queue import SimpleQueue

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

    own = [copy_context() for _ in things]  # the log of a thread names the caller's request
    with ThreadPoolExecutor(min(most, len(things))) as pool:
        return list(pool.map(lambda context, thing: context.run(work, thing), own, things))


class Room:
    """Room for things of different sizes at once; one that is larger than all of it has it alone.

    `patience`: seconds that a thing waits for its place, at most.
    """

    def __init__(self, size: int, patience: float) -> None:
        self._size, self._patience = size, patience
        self._taken = 0
        self._left = Condition()

    def take(self, size: int) -> bool:
        """Whether there was a place for it in time. It must be given back."""
        with self._left:
            fits = self._left.wait_for(lambda: self._fits(size), self._patience)
            self._taken += size if fits else 0
        return fits

    def give(self, size: int) -> None:
        """A place that was taken is free again."""
        with self._left:
            self._taken -= size
            self._left.notify_all()

    def _fits(self, size: int) -> bool:
        return not self._taken or self._taken + size <= self._size


@dataclass(frozen=True)
class Lane:
    """Works of one kind, and how many of them are done at once."""

    name: str
    size: int = 16


Outcome = Callable[[], R]
"""What became of a work: returns what it returned, or raises what it raised."""


class Workers(Protocol):
    """Works beside the caller's own.

    What a work leads to is done in the caller's own turn, so that nothing the caller keeps in
    memory is changed by two at once.
    """

    def busy(self, *lanes: Lane) -> bool:
        """Whether a work is under way, or what it led to is still to be done: in these lanes, or
        in any."""

    def start(self, lane: Lane, work: Callable[[], R], done: Callable[[Outcome[R]], None]) -> None:
        """Begin a work; `done` is called at the next `settle` after its end.

        The works of one lane never wait for those of another.
        """

    def settle(self) -> None:
        """Do what the works that have ended lead to."""

    def wait(self, seconds: float) -> None:
        """Let time pass, but not beyond the end of a work."""


class InTurn:
    """Each work is done at once, by the caller. `sleep` lets time pass."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.wait = sleep

    def busy(self, *lanes: Lane) -> bool:
        return False

    def start(self, lane: Lane, work: Callable[[], R], done: Callable[[Outcome[R]], None]) -> None:
        done(outcome_of(work))

    def settle(self) -> None:
        """Nothing is ever left to do."""


class InThreads:
    """Each work in a thread."""

    def __init__(self) -> None:
        from queue import SimpleQueue

        self._lanes: dict[Lane, Executor] = {}
        self._ended: SimpleQueue[tuple[Lane, Callable[[], None]]] = SimpleQueue()
        self._open: Counter[Lane] = Counter()

    def busy(self, *lanes: Lane) -> bool:
        return any(self._open[lane] for lane in lanes or list(self._open))

    def start(self, lane: Lane, work: Callable[[], R], done: Callable[[Outcome[R]], None]) -> None:
        from concurrent.futures import ThreadPoolExecutor

        first, context = iter((True,)), copy_context()

        def perform() -> None:
            if next(first, False):
                outcome: Outcome[R] = _ended_without
                try:
                    outcome = outcome_of(lambda: context.run(work))
                finally:
                    self._ended.put((lane, lambda: done(outcome)))

        self._open[lane] += 1
        if lane not in self._lanes:
            self._lanes[lane] = ThreadPoolExecutor(lane.size, f"{lane.name}-")
        try:
            self._lanes[lane].submit(perform)
        except RuntimeError:  # no thread can be started; another one may still come to it
            perform()

    def settle(self) -> None:
        while not self._ended.empty():
            lane, done = self._ended.get()
            self._open[lane] -= 1
            done()

    def wait(self, seconds: float) -> None:
        from queue import Empty

        try:
            first = self._ended.get(timeout=seconds)
        except Empty:
            return
        self._ended.put(first)


def _ended_without() -> NoReturn:
    raise RuntimeError("The work ended without an outcome.")


def outcome_of(work: Callable[[], R]) -> Outcome[R]:
    """Do a work now and keep what became of it."""
    try:
        made = work()
    except Exception as error:
        failure = error
    else:
        return lambda: made

    def fail() -> R:
        raise failure

    return fail


class Places:
    """Places that callers hold for a while: `each` for one of them, `together` for all."""

    def __init__(self, each: int, together: int) -> None:
        self._each, self._together = each, together
        self._held: Counter[str] = Counter()
        self._changing = threading.Lock()

    @contextmanager
    def place(self, caller: str) -> Iterator[bool]:
        """Whether the caller got a place; it is free again at the end of the block."""
        got = self._take(caller)
        try:
            yield got
        finally:
            if got:
                self._give_back(caller)

    @property
    def held(self) -> int:
        """Places that are taken."""
        return self._held.total()

    def _take(self, caller: str) -> bool:
        with self._changing:
            if self._held[caller] >= self._each or self._held.total() >= self._together:
                return False
            self._held[caller] += 1
            return True

    def _give_back(self, caller: str) -> None:
        with self._changing:
            self._held[caller] -= 1
            self._held += Counter()  # without callers that hold nothing
