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
SLOW = 30.0
"""Seconds before and after an attempt of ours in which a task may be taken for its own."""
MOST_OPEN = 2
"""Tasks of theirs at once, by model: they leave room for ours."""
KNOWN_FOR = 600.0
"""Seconds for which a task of theirs shows that they use the account. Their very first one, made
within seconds of an attempt whose answer is lost, looks like that attempt's own: the list shows
nothing that would tell them apart. So they keep away until they are known."""


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
        self._ours: dict[str, list[float]] = {}
        for model in models:
            self._plan(model)

    def recorded(self, job: Job) -> None:
        if job.state != SUBMITTING:
            return
        if not self._are_known(job.model):
            self._keep_away(job.model)
        elif self._rng.random() < BESIDE:
            self._kernel.after(self._rng.random(), lambda: self._make(job.model))

    def _keep_away(self, model: str) -> None:
        """What they made just now was made earlier, beside no attempt of ours."""
        ours = self._ours.setdefault(model, [])
        ours.append(self._kernel.now)
        for task in self.facts.studio.tasks.values():
            while task.foreign and task.model == model and self._is_beside(ours, task.created):
                task.created -= NEAR

    def _is_beside(self, ours: list[float], created: float) -> bool:
        return any(-NEAR < created - at < SLOW for at in ours)

    def _are_known(self, model: str) -> bool:
        """Whether the list shows that somebody else uses the account."""
        now, lag = self._kernel.now, self.facts.studio.task_list.lag
        return any(
            task.foreign and task.model == model and NEAR + lag <= now - task.created <= KNOWN_FOR
            for task in self.facts.studio.tasks.values()
        )

    def _plan(self, model: str) -> None:
        self._kernel.after(2 * EVERY * self._rng.random(), lambda: self._act(model))

    def _act(self, model: str) -> None:
        if self._kernel.now > self._until:
            return
        self._plan(model)
        away = not self._is_beside(self._ours.get(model, []), self._kernel.now)
        if away or self._are_known(model):
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
