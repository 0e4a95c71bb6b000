"""Simulated time, and actors that take turns: one thread, one order, repeatable exactly.

An actor is a plain function in a greenlet of its own. It runs until it waits (for the network, for
its clock); the actor that wants to go on first goes on next, and chance decides between equals.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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
    """One invocation, with all its threads. `deadline`: when the platform ends it; `held`: seconds
    it was frozen, `thaws`: when it goes on; `dead`: it was killed, and what its code still does on
    the way out does not happen."""

    name: str
    deadline: float
    ended: Ended
    held: float = 0.0
    thaws: float = 0.0
    dead: bool = False


@dataclass
class Bell:
    """Ends a wait early. `sleeper` wakes the one who waits for it."""

    rung: bool = False
    sleeper: Action | None = None


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
        self._begin(actor, lambda: self._perform(actor, work))

    def thread(self, work: Action) -> None:
        """Start a thread of the actor that runs now. What it raises is lost but for Killed."""
        actor = self.actors.get(getcurrent(), NOBODY)
        self._begin(actor, lambda: self._perform_thread(work))

    def wait(self, seconds: float, bell: Bell | None = None, travels: bool = False) -> None:
        """Let time pass, until the bell is rung at most. Raises Killed when the time of the calling
        actor is up meanwhile, or another of its threads was killed.

        `travels`: it is the time of a request on its way, which arrives even if its sender freezes.
        """
        me = getcurrent()
        actor = self.actors.get(me)
        if actor is None:
            self._advance(self.now + max(0.0, seconds), bell)
            return
        self._sleep(me, min(max(0.0, seconds), actor.deadline - self.now), bell)
        while actor.thaws > self.now and not (actor.dead or travels):
            self._sleep(me, min(actor.thaws, actor.deadline) - self.now)
            if self.now >= actor.deadline:
                break
        if actor.dead:
            raise Killed("dead already")
        if self.now >= actor.deadline:
            self.kill("its function's timeout")

    def ring(self, bell: Bell) -> None:
        """Wake whoever waits for the bell."""
        bell.rung = True
        if bell.sleeper is not None:
            self.after(0.0, bell.sleeper)

    def freeze(self, seconds: float) -> None:
        """The actor that runs now stands still, with all its threads."""
        actor = self.here()
        actor.held += seconds
        actor.thaws = max(actor.thaws, self.now + seconds)
        self.wait(0.0)

    def kill(self, why: str) -> NoReturn:
        """End the actor that runs now. Raises Killed."""
        self.here().dead = True
        raise Killed(why)

    def here(self) -> Actor:
        """The actor that runs now."""
        return self.actors[getcurrent()]

    def close(self) -> None:
        """End all actors."""
        for stack, actor in list(self.actors.items()):
            actor.ended = _nobody_asks
            stack.throw(Killed)

    def _next(self) -> Entry:
        return heapq.heappop(self._agenda)

    def _begin(self, actor: Actor, work: Action) -> None:
        stack = greenlet(work, self._hub)
        self.actors[stack] = actor
        self.after(0.0, stack.switch)

    def _sleep(self, me: greenlet, seconds: float, bell: Bell | None = None) -> None:
        """Stand still until the time is over or the bell is rung, whichever comes first."""
        awake = [False]

        def wake() -> None:
            if not awake[0]:
                awake[0] = True
                me.switch()

        if bell is not None:
            bell.sleeper = wake
        self.after(seconds, wake)
        self._hub.switch()

    def _advance(self, moment: float, bell: Bell | None = None) -> None:
        """For a caller that is no actor: what is planned until then happens meanwhile."""
        while self._agenda and self._agenda[0][0] <= moment:
            self.step()
            if bell is not None and bell.rung:
                return
        self.now = max(self.now, moment)

    def _perform(self, actor: Actor, work: Action) -> None:
        failure: BaseException | None = None
        try:
            work()
        except (Exception, Killed) as error:
            failure = error
        del self.actors[getcurrent()]
        actor.ended(actor, failure)

    def _perform_thread(self, work: Action) -> None:
        with suppress(Killed):
            work()
        del self.actors[getcurrent()]


def current() -> object:
    """The actor that runs now, to tell it from others."""
    return getcurrent()


def _nobody_asks(_actor: Actor, _failure: BaseException | None) -> None:
    """The run is over."""


NOBODY = Actor("", math.inf, _nobody_asks)
"""Whose threads those are that a test starts itself."""


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
