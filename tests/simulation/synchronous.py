"""Worlds with synchronous models: which they are, how fast they may be called, how long they take,
and which jobs want a call whose answer was lost to be sent again.

They are drawn apart from everything else: worlds without such models stay as they are.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace

from shared.catalogue.models import Limits
from tests.simulation.scenario import Scenario, Upload

OFTEN = 3
"""One world in so many has synchronous models."""
TOO_LONG = 700.0
"""Seconds that a call takes now and then: longer than anybody waits."""


SHORT = (60.0, 400.0)
"""Seconds for a call and for poll, which then sends for 200 s, and calls for 160 s of them."""
USUAL = Limits(2, 1.0, None, 0)


@dataclass(frozen=True)
class Synchronous:
    """`pace` in seconds; `endless`: the share of calls that take too long; `resend`: of jobs that
    want a lost call to be made again. `timeout`: seconds that a call may take; `poll`: that poll
    may run, which hands over in half of them."""

    models: frozenset[str] = frozenset()
    limits: Limits = USUAL
    pace: float = 0.0
    endless: float = 0.0
    resend: float = 0.0
    timeout: float = 600.0
    poll: float = 1560.0

    def duration(self, rng: random.Random) -> float:
        """Seconds that the next call takes."""
        if rng.random() < self.endless:
            return TOO_LONG
        return self.pace * (0.5 + rng.random())

    def plan(self, plan: Scenario, seed: int) -> None:
        """Make a plan one for such models."""
        models = self.models & set(plan.limits)
        for name in models:
            plan.limits[name] = self.limits
        plan.uploads[:] = [replace(one, body=self._wanting(one, seed)) for one in plan.uploads]

    def _wanting(self, upload: Upload, seed: int) -> bytes:
        read = json.loads(upload.body)
        for document in read if isinstance(read, list) else [read]:
            chance = random.Random(f"{seed} {document['input']['prompt']}").random()
            if document["model"] in self.models and chance < self.resend:
                document["job"]["on_unknown"] = "resend"
        return json.dumps(read).encode()


NONE = Synchronous()


def synchronous_of(seed: int, models: tuple[str, ...]) -> Synchronous:
    """Those of a seed's world; most have none."""
    rng = random.Random(f"synchronous {seed}")
    if rng.randrange(OFTEN):
        return NONE
    short = rng.random() < 0.5
    return Synchronous(
        frozenset(rng.choice((models, models[:1], models[1:]))),
        Limits(rng.choice((1, 2, 2)), rng.choice((1.0, 1.0, 60.0)), None, 0),
        rng.choice((3.0, 20.0, 40.0) if short else (20.0, 80.0, 130.0, 200.0)),
        rng.choice((0.0, 0.0, 0.1)),
        rng.choice((0.0, 0.0, 0.4)),
        *(SHORT if short else ()),
    )
