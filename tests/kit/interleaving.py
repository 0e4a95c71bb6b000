"""Several instances at once, in any order of their requests: every run can be repeated exactly."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

from tests.simulation.kernel import Actor, Entry, Kernel

Chooser = Callable[[int], int]
"""Gets how many actors could go on now; returns whose turn it is."""


def longest_waiting(_options: int) -> int:
    return 0


class Stage(Kernel):
    """A kernel whose actors a test starts together.

    Of those that want to go on at the same moment `choose` picks the next one.
    """

    def __init__(self, choose: Chooser = longest_waiting) -> None:
        super().__init__()
        self.choose = choose
        self._chooses: Chooser = longest_waiting
        self._failures: list[BaseException] = []

    def play(self, *works: Callable[[], object]) -> None:
        """Run all actors to their end. Raises what the first failing one raised."""
        for number, work in enumerate(works):
            self.spawn(f"actor-{number}", work, math.inf, self._note_end)
        for _ in works:
            self.step()  # up to its first wait, where nothing has happened yet
        self._chooses = self.choose
        while self.actors and not self._failures:
            self.step()
        self.close()
        if self._failures:
            raise self._failures[0]

    def _next(self) -> Entry:
        due = [super()._next()]
        while self._agenda and self._agenda[0][0] == due[0][0]:
            due.append(super()._next())
        chosen = due.pop(self._chooses(len(due)))
        for entry in due:
            heapq.heappush(self._agenda, entry)
        return chosen

    def _note_end(self, _actor: Actor, failure: BaseException | None) -> None:
        if failure is not None:
            self._failures.append(failure)


def explore(play: Callable[[Chooser], None]) -> int:
    """Call `play` once for every possible order of turns; returns how many there were."""
    path: list[tuple[int, int]] = []
    runs = 0
    while True:
        play(_along(path))
        runs += 1
        while path and path[-1][0] == path[-1][1] - 1:
            path.pop()
        if not path:
            return runs
        taken, options = path.pop()
        path.append((taken + 1, options))


def _along(path: list[tuple[int, int]]) -> Chooser:
    """Follow the path, then always the first choice, which lengthens the path."""
    step = 0

    def choose(options: int) -> int:
        nonlocal step
        if step == len(path):
            path.append((0, options))
        taken = path[step][0]
        step += 1
        return taken

    return choose
