"""Other code is deployed in the middle of a run: one function after the other, while old instances
live on for a while; sometimes it is rolled back.

Both codes do the same here. What they tell each other apart by is all that differs.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field

from tests.simulation.kernel import START

OLD, NEW = "1" * 64, "2" * 64
FUNCTIONS = ("submit", "api", "poll")
LINGER = 120.0
"""Seconds for which an old instance may take events after its function was deployed."""


@dataclass(frozen=True)
class Upgrade:
    """`moments`: for each function when its code changes from OLD to NEW, and maybe back. `warm`:
    the share of events that an old instance takes meanwhile."""

    moments: dict[str, tuple[float, ...]] = field(default_factory=dict)
    warm: float = 0.0

    def code(self, function: str, now: float) -> str:
        """The code that is deployed as a function; empty where there is no upgrade at all."""
        moments = self.moments.get(function, ())
        return (OLD, NEW)[bisect_right(moments, now) % 2] if moments else ""

    def changed(self, function: str, now: float) -> float:
        """When a function was deployed last; at the beginning if it never was."""
        return max((at for at in self.moments.get(function, ()) if at <= now), default=START)

    def instance(self, function: str, now: float, rng: random.Random) -> tuple[str, bool]:
        """The code of the instance that takes an event, and whether that has run before."""
        changed = self.changed(function, now)
        lingers = changed > START and now < changed + LINGER and rng.random() < self.warm
        return self.code(function, changed - 1 if lingers else now), lingers


NO_UPGRADE = Upgrade()


def upgrade_of(seed: int, often: bool = False) -> Upgrade:
    """The upgrade of a seed's world; most have none."""
    rng = random.Random(f"upgrade {seed}")
    if rng.randrange(8) > (3 if often else 0):
        return NO_UPGRADE
    times = [START + rng.choice((60.0, 400.0)) * rng.random()]
    if rng.random() < 0.4:
        times.append(times[0] + 60.0 + 300.0 * rng.random())
    moments: dict[str, list[float]] = {name: [] for name in FUNCTIONS}
    for at in times:
        for name in rng.sample(FUNCTIONS, len(FUNCTIONS)):
            moments[name].append(at)
            at += 20.0 * rng.random()
    warm = rng.choice((0.0, 0.3, 0.9))
    return Upgrade({name: tuple(those) for name, those in moments.items()}, warm)
