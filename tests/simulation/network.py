"""What every call to store or service has in common: time passes, and instances die or freeze."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol, TypeVar

from tests.simulation.chaos import Chaos
from tests.simulation.kernel import Kernel, Killed
from tests.simulation.story import Story

T = TypeVar("T")
MOST_CALLS = 60_000


class Transport(Protocol):
    """What the simulated store and service need of the network that a request came over."""

    kernel: Kernel

    def call(self, what: str, site: str, effect: Callable[[str], T], most: float = 9.0) -> T:
        """One request: there, its effect, and back. `effect` gets the fault's kind, to act on.

        `most` bounds the seconds on the way there.
        """

    def caller(self) -> str:
        """The name of the instance that sends the request."""

    def tell(self, who: str, what: str) -> None:
        """Note what happens at the other end."""

    def violate(self, name: str, what: str) -> None:
        """Note that an invariant is broken."""


class Network:
    """The way from an instance to a server and back, with the faults of `chaos`.

    `thaws`: when the last instance that was frozen goes on.
    """

    def __init__(self, kernel: Kernel, chaos: Chaos, story: Story, rng: random.Random) -> None:
        self.kernel = kernel
        self.chaos = chaos
        self.story = story
        self.calls = 0
        self.thaws = 0.0
        self.broken: str | None = None
        self._random = rng.random
        self._slow = rng.choice((0.0, 0.01, 0.05, 0.2))

    def call(self, what: str, site: str, effect: Callable[[str], T], most: float = 9.0) -> T:
        """See Transport. Raises Killed where the instance dies on the way."""
        kernel = self.kernel
        if kernel.here().dead:
            raise Killed("dead already")
        fault = self.chaos.strike(site)
        self.story.tell(self.caller(), what, fault)
        self._count()
        kernel.wait(min(most, self._latency()), travels=True)
        if fault == "kill_before":
            kernel.kill(fault)
        if fault == "freeze_before":
            self._freeze()
        result = effect(fault)
        if fault == "kill_after":
            kernel.kill(fault)
        if fault == "freeze_after":
            self._freeze()
        kernel.wait(self._latency())
        return result

    def caller(self) -> str:
        return self.kernel.here().name

    def tell(self, who: str, what: str) -> None:
        self.story.tell(who, what)

    def _latency(self) -> float:
        """Seconds one way: a few milliseconds, now and then far more."""
        draw = self._random()
        if draw < self._slow and not self.chaos.calm:
            return 0.2 + 4.0 * self._random()
        return 0.002 + 0.04 * draw * draw

    def _freeze(self) -> None:
        seconds = (4.0, 15.0, 60.0, 300.0)[int(4 * self._random())] * (0.5 + self._random())
        self.thaws = max(self.thaws, self.kernel.now + seconds)
        self.kernel.freeze(seconds)

    def _count(self) -> None:
        self.calls += 1
        if self.calls > MOST_CALLS:
            self.violate("nothing loops for ever", f"more than {MOST_CALLS} calls")

    def violate(self, name: str, what: str) -> None:
        """Note that an invariant is broken; the run stops at the next step."""
        if self.broken is None:
            self.broken = f"{name}: {what}"
            self.story.tell("invariant", self.broken)
