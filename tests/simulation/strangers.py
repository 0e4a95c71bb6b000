"""Another program that uses the same account: its tasks run, are listed, and keep models busy."""

from __future__ import annotations

import random
from collections.abc import Iterable

from tests.simulation.studio import FOREIGN, SimStudio
from tests.simulation.worlds import FOREIGN_BESIDE_OURS

EVERY = 30.0
BESIDE = 0.25
"""Share of our own tasks beside which a foreign one is made within a second."""


class Strangers:
    """They make a task of each model about every 30 s until `until` (seconds since 1970)."""

    def __init__(
        self, studio: SimStudio, models: Iterable[str], rng: random.Random, until: float
    ) -> None:
        self._studio = studio
        self._rng = rng
        self._until = until
        for model in models:
            self._plan(model)

    def beside(self, model: str) -> None:
        """A task of ours was made: sometimes a foreign one follows at once."""
        if FOREIGN_BESIDE_OURS and self._rng.random() < BESIDE:
            self._studio.kernel.after(2 * self._rng.random() - 1, lambda: self._make(model))

    def _plan(self, model: str) -> None:
        self._studio.kernel.after(2 * EVERY * self._rng.random(), lambda: self._act(model))

    def _act(self, model: str) -> None:
        if self._studio.kernel.now < self._until:
            self._make(model)
            self._plan(model)

    def _make(self, model: str) -> None:
        number = len(self._studio.tasks)
        body = {"model": model, "input": {"prompt": f"{FOREIGN}-{number}"}, "parameters": {"n": 1}}
        self._studio.create_task(body)
