"""Pollers that are killed or frozen now and then, at any of their requests."""

from __future__ import annotations

import random

from tests.simulation.chaos import INSTANCE, SITES, Chaos
from tests.simulation.kernel import Kernel

EVERY = 120.0
"""Mean seconds between two of them."""


class Kills(Chaos):
    """No fault but these. `counts`: how often each struck.

    An instance is never frozen between its last look at the clock and the POST (see there).
    """

    def __init__(self, kernel: Kernel, rng: random.Random) -> None:
        super().__init__(rng, lambda: kernel.now)
        self.calm = True
        self._kernel = kernel
        self._rng = rng
        self._next = kernel.now + self._pause()

    def strike(self, site: str) -> str:
        kinds = [kind for kind in SITES.get(site, ()) if kind in INSTANCE]
        poller = bool(kinds) and self._kernel.here().name.startswith("poll")
        if not poller or self._kernel.now < self._next:
            return ""
        self._next = self._kernel.now + self._pause()
        kind = self._rng.choice(kinds)
        self.counts[kind] += 1
        return kind

    def _pause(self) -> float:
        return self._rng.expovariate(1 / EVERY)
