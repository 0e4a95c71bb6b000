"""Threads of a simulated instance: each takes its turns like an instance of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from shared.app import Instance
from shared.platform.concurrency import Lane, Outcome, in_turn, outcome_of
from tests.simulation.kernel import Bell, Kernel

T = TypeVar("T")
R = TypeVar("R")


def threaded(kernel: Kernel) -> Instance:
    """What outlives an invocation of an instance that does several things at once."""
    return Instance(map_in_threads(kernel), workers=SimWorkers(kernel))


class SimWorkers:
    """`shared.platform.concurrency.Workers` on simulated time."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._waiting: dict[Lane, deque[Callable[[], None]]] = {}
        self._running: dict[Lane, int] = {}
        self._ended: deque[Callable[[], None]] = deque()
        self._open = 0
        self._bell = Bell()

    @property
    def busy(self) -> bool:
        return self._open > 0

    def start(self, lane: Lane, work: Callable[[], R], done: Callable[[Outcome[R]], None]) -> None:
        def perform() -> None:
            outcome = outcome_of(work)
            self._running[lane] -= 1
            self._ended.append(lambda: done(outcome))
            self._next(lane)
            self.kernel.ring(self._bell)

        self._open += 1
        self._waiting.setdefault(lane, deque()).append(perform)
        self._next(lane)

    def settle(self) -> None:
        while self._ended:
            self._open -= 1
            self._ended.popleft()()

    def wait(self, seconds: float) -> None:
        if not self._ended:
            self._bell = Bell()
            self.kernel.wait(seconds, self._bell)

    def _next(self, lane: Lane) -> None:
        waiting = self._waiting[lane]
        if waiting and self._running.get(lane, 0) < lane.size:
            self._running[lane] = self._running.get(lane, 0) + 1
            self.kernel.thread(waiting.popleft())


def map_in_threads(kernel: Kernel) -> Any:
    """`shared.platform.concurrency.MapFn` on simulated time."""

    def map_fn(work: Callable[[T], R], things: Sequence[T]) -> list[R]:
        if len(things) < 2:
            return in_turn(work, things)
        outcomes: dict[int, Outcome[R]] = {}
        bell = Bell()

        def perform(number: int, thing: T) -> None:
            outcomes[number] = outcome_of(lambda: work(thing))
            if len(outcomes) == len(things):
                kernel.ring(bell)

        for number, thing in enumerate(things):
            kernel.thread(lambda number=number, thing=thing: perform(number, thing))  # type: ignore[misc]
        while len(outcomes) < len(things):
            kernel.wait(FOR_EVER, bell)
        return [outcomes[number]() for number in range(len(things))]

    return map_fn


FOR_EVER = 1e6
"""Seconds; a work always ends before that."""
