"""Another program that uses the same account: its tasks run, are listed, and keep models busy."""

from __future__ import annotations

import random
from collections.abc import Iterable

from shared.ledger.record import SUBMITTING
from tests.simulation.chains import Job
from tests.simulation.judges import Facts, Judge
from tests.simulation.studio import FOREIGN

EVERY = 30.0
BESIDE = 0.25
"""Share of our own attempts beside which a foreign task is made within a second."""
NEAR = 10.0
MOST_OPEN = 2
"""Tasks of theirs at once, by model: they leave room for ours."""
FOREIGN_BESIDE_OURS = False
"""A foreign task made within seconds of an attempt whose answer is lost is adopted, if it is the
only one: the list shows nothing that would tell them apart."""


class Strangers(Judge):
    """They make a task of each model about every 30 s until `until` (seconds since 1970).

    A judge only to see our attempts, beside which they act or which they keep away from.
    """

    def __init__(
        self, facts: Facts, models: Iterable[str], rng: random.Random, until: float
    ) -> None:
        super().__init__(facts)
        self._rng = rng
        self._until = until
        self._kernel = facts.studio.kernel
        self._ours: dict[str, float] = {}
        for model in models:
            self._plan(model)

    def recorded(self, job: Job) -> None:
        if job.state != SUBMITTING:
            return
        if FOREIGN_BESIDE_OURS and self._rng.random() < BESIDE:
            self._kernel.after(self._rng.random(), lambda: self._make(job.model))
        elif not FOREIGN_BESIDE_OURS:
            self._keep_away(job.model)

    def _keep_away(self, model: str) -> None:
        """What they made just now was made some seconds earlier."""
        self._ours[model] = self._kernel.now
        for task in self.facts.studio.tasks.values():
            if task.foreign and task.model == model and task.created > self._kernel.now - NEAR:
                task.created -= NEAR

    def _plan(self, model: str) -> None:
        self._kernel.after(2 * EVERY * self._rng.random(), lambda: self._act(model))

    def _act(self, model: str) -> None:
        if self._kernel.now > self._until:
            return
        self._plan(model)
        if FOREIGN_BESIDE_OURS or self._kernel.now > self._ours.get(model, 0.0) + NEAR:
            self._make(model)

    def _make(self, model: str) -> None:
        if self._open_tasks(model) >= MOST_OPEN:
            return
        number = len(self.facts.studio.tasks)
        body = {"model": model, "input": {"prompt": f"{FOREIGN}-{number}"}, "parameters": {"n": 1}}
        self.facts.studio.create_task(body)

    def _open_tasks(self, model: str) -> int:
        tasks, now = self.facts.studio.tasks.values(), self._kernel.now
        return sum(task.foreign and task.model == model and now < task.end for task in tasks)
