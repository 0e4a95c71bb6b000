"""Leaving alone what is in trouble by itself, longer each time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from shared.platform.clock import Clock

FIRST = 1.0
LONGEST = 300.0


@dataclass
class Backoff:
    """What is in trouble, by name, and when each is worth another try (monotonic)."""

    clock: Clock
    rng: random.Random
    _until: dict[str, float] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)

    def holds(self, name: str) -> bool:
        """Whether it is too early for another try."""
        return self.clock.monotonic() < self._until.get(name, 0.0)

    def held(self) -> set[str]:
        """The names of those for which it is too early."""
        return {name for name in self._until if self.holds(name)}

    def failed(self, name: str, longest: float = LONGEST) -> float:
        """It failed again; returns the seconds to wait: doubled each time, jittered, bounded."""
        count = self._failures[name] = self._failures.get(name, 0) + 1
        wait = min(longest, FIRST * 2.0 ** min(count - 1, 16)) * (0.5 + self.rng.random() / 2)
        self._until[name] = self.clock.monotonic() + wait
        return wait

    def succeeded(self, name: str) -> None:
        """It is out of trouble."""
        self._until.pop(name, None)
        self._failures.pop(name, None)

    def next_try(self) -> float | None:
        """Seconds until the first of them is worth another try; None if nothing is in trouble."""
        if not self._until:
            return None
        return min(self._until.values()) - self.clock.monotonic()

    def __len__(self) -> int:
        return len(self._failures)
