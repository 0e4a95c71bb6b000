"""Nobody waits for nothing, and none for another's trouble: what could be sent is sent."""

from __future__ import annotations

from shared.ledger.record import IN_FLIGHT, QUEUED
from shared.storage import layout
from tests.simulation.account import BLOCKS, KEY
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Facts, Judge, account_codes

SETTLED = 180.0
PATIENCE = 150.0
"""Seconds that a job may wait for an idle model: the timer fires every minute."""
THAWED = 30.0
"""Seconds of frost after which an instance counts as late."""
LONGEST_PAUSE = 700.0
"""Seconds for which a refusal may keep a model idle."""


class Idle(Judge):
    """Every minute, in quiet weather."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._moved: dict[str, float] = {}
        self._told: dict[str, float] = {}
        facts.bucket.watchers.append(self._written)

    def recorded(self, job: Job) -> None:
        """A model with which something happens is not idle."""
        self._moved[job.model] = self.facts.now
        for code in account_codes(job.last):
            # A task may tell of a trouble that is over, long after it ended.
            self._told[KEY if BLOCKS[code] == KEY else job.model] = self.facts.now

    def _written(self, key: str, _before: bytes | None, _after: bytes | None) -> None:
        """An instance that thaws may repeat a pause for what it learned before it was frozen."""
        if key.startswith(layout.MODELS) and self.facts.held() > THAWED:
            model = key.removeprefix(layout.MODELS).removesuffix(".json")
            self._told[KEY if model.startswith("~") else model] = self.facts.now

    def ticked(self) -> None:
        facts, now = self.facts, self.facts.now
        if facts.quiet_for(now) < SETTLED:
            return
        busy = {job.model for job in facts.jobs.values() if job.state in IN_FLIGHT}
        for job in facts.jobs.values():
            if job.state != QUEUED or job.model in busy:
                continue
            idle_since = max(facts.ready_since(job), self._moved[job.model])
            if idle_since < now - PATIENCE and not self._refused(job.model):
                self.violate("nobody waits for nothing", f"{job.name} waits for {job.model}")

    def _refused(self, model: str) -> bool:
        """Whether the service refused the model, or everything, not long ago."""
        since = self.facts.now - LONGEST_PAUSE
        if max(self._told.get(KEY, 0.0), self._told.get(model, 0.0)) > since:
            return True
        troubles = self.facts.studio.account.troubles
        if any(one.start < self.facts.now and one.end > since for one in troubles if one.on(model)):
            return True
        return any(
            one.at > since and one.code and (one.model == model or BLOCKS.get(one.code) == KEY)
            for one in self.facts.studio.log
        )
