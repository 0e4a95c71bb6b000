"""Threads of a simulated instance: each takes its turns like an instance of its own."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from shared.instance import Instance
from shared.platform.concurrency import THREADS, Lane, Outcome, in_turn, outcome_of
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
        self._ended: deque[tuple[Lane, Callable[[], None]]] = deque()
        self._open: Counter[Lane] = Counter()
        self._bell = Bell()

    def busy(self, *lanes: Lane) -> bool:
        return any(self._open[lane] for lane in lanes or list(self._open))

    def start(self, lane: Lane, work: Callable[[], R], done: Callable[[Outcome[R]], None]) -> None:
        def perform() -> None:
            outcome = outcome_of(work)
            self._running[lane] -= 1
            self._ended.append((lane, lambda: done(outcome)))
            self._next(lane)
            self.kernel.ring(self._bell)

        self._open[lane] += 1
        self._waiting.setdefault(lane, deque()).append(perform)
        self._next(lane)

    def settle(self) -> None:
        while self._ended:
            lane, done = self._ended.popleft()
            self._open[lane] -= 1
            done()

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

    def map_fn(work: Callable[[T], R], things: Sequence[T], most: int = THREADS) -> list[R]:
        if len(things) < 2:
            return in_turn(work, things)
        outcomes: dict[int, Outcome[R]] = {}
        waiting, bell = deque(enumerate(things)), Bell()

        def perform() -> None:
            while waiting:
                number, thing = waiting.popleft()
                outcomes[number] = outcome_of(lambda thing=thing: work(thing))  # type: ignore[misc]
            if len(outcomes) == len(things):
                kernel.ring(bell)

        for _ in range(min(most, len(things))):
            kernel.thread(perform)
        while len(outcomes) < len(things):
            kernel.wait(FOR_EVER, bell)
        return [outcomes[number]() for number in range(len(things))]

    return map_fn


FOR_EVER = 1e6
"""Seconds; a work always ends before that."""
