"""Simulated time, and actors that take turns: one thread, one order, repeatable exactly.

An actor is a plain function in a greenlet of its own. It runs until it waits (for the network, for
its clock); the actor that wants to go on first goes on next, and chance decides between equals.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import NoReturn

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

START = 1_790_000_000.0
"""A moment in September 2026, in seconds since 1970."""

Action = Callable[[], object]
Ended = Callable[["Actor", "BaseException | None"], object]
Entry = tuple[float, float, int, Action]
"""When, which of those at the same moment, in which order it was planned, and what happens."""


class Killed(BaseException):
    """The instance is gone: nothing catches this, nothing is cleaned up."""


@dataclass(eq=False)
class Actor:
    """One invocation. `deadline`: when the platform ends it; `held`: seconds it was frozen; `dead`:
    it was killed, and what its code still does on the way out does not happen."""

    name: str
    deadline: float
    ended: Ended
    held: float = 0.0
    dead: bool = False
    stack: greenlet = field(init=False)


class Kernel:
    """The one clock and the one order of everything. `now` in seconds since 1970.

    Without `rng`, of two things planned for the same moment the one planned first happens first.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self.now = START
        self.actors: dict[greenlet, Actor] = {}
        self._rng = rng.random if rng else float
        self._agenda: list[Entry] = []
        self._order = count()
        self._hub = getcurrent()

    def after(self, seconds: float, action: Action) -> None:
        """Let something happen `seconds` from now."""
        entry = (self.now + seconds, self._rng(), next(self._order), action)
        heapq.heappush(self._agenda, entry)

    def step(self) -> bool:
        """Let the next thing happen. False: nothing is planned."""
        if not self._agenda:
            return False
        moment, _, _, action = self._next()
        self.now = max(self.now, moment)
        action()
        return True

    def spawn(self, name: str, work: Action, limit: float, ended: Ended) -> None:
        """Start an actor that is killed after `limit` seconds; `ended` gets what it raised."""
        actor = Actor(name, self.now + limit, ended)
        actor.stack = greenlet(lambda: self._perform(actor, work), self._hub)
        self.actors[actor.stack] = actor
        self.after(0.0, actor.stack.switch)

    def wait(self, seconds: float) -> None:
        """Let time pass. Raises Killed when the time of the calling actor is up meanwhile."""
        actor = self.actors.get(getcurrent())
        if actor is None:
            self._advance(self.now + max(0.0, seconds))
            return
        self.after(min(max(0.0, seconds), actor.deadline - self.now), actor.stack.switch)
        self._hub.switch()
        if self.now >= actor.deadline:
            self.kill("its function's timeout")

    def kill(self, why: str) -> NoReturn:
        """End the actor that runs now. Raises Killed."""
        self.here().dead = True
        raise Killed(why)

    def here(self) -> Actor:
        """The actor that runs now."""
        return self.actors[getcurrent()]

    def close(self) -> None:
        """End all actors."""
        for actor in list(self.actors.values()):
            actor.ended = _nobody_asks
            actor.stack.throw(Killed)

    def _next(self) -> Entry:
        return heapq.heappop(self._agenda)

    def _advance(self, moment: float) -> None:
        """For a caller that is no actor: what is planned until then happens meanwhile."""
        while self._agenda and self._agenda[0][0] <= moment:
            self.step()
        self.now = max(self.now, moment)

    def _perform(self, actor: Actor, work: Action) -> None:
        failure: BaseException | None = None
        try:
            work()
        except (Exception, Killed) as error:
            failure = error
        del self.actors[actor.stack]
        actor.ended(actor, failure)


def current() -> object:
    """The actor that runs now, to tell it from others."""
    return getcurrent()


def _nobody_asks(_actor: Actor, _failure: BaseException | None) -> None:
    """The run is over."""


@dataclass
class InstanceClock:
    """`shared.platform.clock.Clock` of one instance; its wall clock is off by `skew` seconds."""

    kernel: Kernel
    skew: float = 0.0

    def now(self) -> float:
        return self.kernel.now + self.skew

    def monotonic(self) -> float:
        return self.kernel.now - START + 1000.0

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.kernel.wait(seconds)
