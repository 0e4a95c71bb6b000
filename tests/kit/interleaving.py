"""Several instances at once, switched only where they wait: every run can be repeated exactly.

An actor is a plain function in a thread of its own; one runs at a time, and hands over whenever it
waits on the stage (a fake clock's sleep, a memory store's request). Who goes on is chosen by a
function: the earliest (time passes as it would), or every choice in turn (`explore`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.kit.clock import START, Timeline

Chooser = Callable[[Sequence[float]], int]
"""Gets the moments at which the waiting actors want to go on; returns whose turn it is."""


class _Abandoned(BaseException):
    """Ends an actor's thread when another actor has failed."""


@dataclass
class _Actor:
    work: Callable[[], object]
    wakes_at: float
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    done: bool = False
    error: BaseException | None = None


def earliest(moments: Sequence[float]) -> int:
    """The order in which time passes; of equals the first."""
    return moments.index(min(moments))


class Stage(Timeline):
    """A timeline whose actors take turns."""

    def __init__(self, choose: Chooser = earliest, at: float = START) -> None:
        super().__init__(at)
        self._choose = choose
        self._actors: list[_Actor] = []
        self._here = threading.local()
        self._back = threading.Semaphore(0)
        self._abandoned = False

    def play(self, *works: Callable[[], object]) -> None:
        """Run all actors to their end. Raises what the first failing one raised."""
        self._actors = [_Actor(work, self.at) for work in works]
        for actor in self._actors:
            threading.Thread(target=self._perform, args=(actor,), daemon=True).start()
        try:
            for actor in self._actors:
                self._take_turn(actor)  # up to its first wait, where nothing has happened yet
            while waiting := [actor for actor in self._actors if not actor.done]:
                self._take_turn(waiting[self._choose([actor.wakes_at for actor in waiting])])
        finally:
            self._abandoned = True
            for actor in self._actors:
                actor.turn.release()

    def wait(self, seconds: float) -> None:
        """Hand over, and go on no earlier than `seconds` from now."""
        actor: _Actor | None = getattr(self._here, "actor", None)
        if actor is None:
            super().wait(seconds)
            return
        actor.wakes_at = self.at + max(0.0, seconds)
        self._back.release()
        actor.turn.acquire()
        if self._abandoned:
            raise _Abandoned

    def _take_turn(self, actor: _Actor) -> None:
        self.advance_to(actor.wakes_at)
        actor.turn.release()
        self._back.acquire()
        if actor.error is not None:
            raise actor.error

    def _perform(self, actor: _Actor) -> None:
        self._here.actor = actor
        actor.turn.acquire()
        try:
            if not self._abandoned:
                actor.work()
        except _Abandoned:
            pass
        except BaseException as error:
            actor.error = error
        finally:
            actor.done = True
            self._back.release()


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

    def choose(moments: Sequence[float]) -> int:
        nonlocal step
        if step == len(path):
            path.append((0, len(moments)))
        taken = path[step][0]
        step += 1
        return taken

    return choose
