"""What is due is done in time although no timer fires: a poller has run since that moment."""

from __future__ import annotations

import json
from typing import Any

from shared.ledger import wakeups
from shared.ledger.record import QUEUED
from shared.storage import layout
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Facts, Judge

LATE = 150.0
"""Seconds within which a poller has started: an event may come again after a minute."""
RULE = "what is due is done in time"


class Wakes(Judge):
    """Every minute, in quiet weather."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._written: dict[str, float] = {}
        facts.bucket.watchers.append(self._model_written)

    def _model_written(self, key: str, _before: bytes | None, _after: bytes | None) -> None:
        if key.startswith(layout.MODELS):
            self._written[key] = self.facts.now

    def ticked(self) -> None:
        if self.facts.quiet_for(self.facts.now) < LATE:
            return
        for job in self.facts.jobs.values():
            if job.state == QUEUED and self.facts.marked_since(job) <= self.facts.now:
                self._judge(job, *max((at, kind) for kind, at in self._turns(job).items()))
                expires = job.moment("expires_at")
                if expires is not None:
                    self._judge(job, max(expires, job.records[-1].at), wakeups.EXPIRY)
        for key in self.facts.bucket.keys(layout.SLOTS):
            if not self.facts.polled_since(self.facts.now):
                self.violate(RULE, f"{key}: {wakeups.IN_FLIGHT}, and nobody is awake")

    def _turns(self, job: Job) -> dict[str, float]:
        """From when on a queued job could go, for each thing that may have kept it."""
        return {
            wakeups.ACCEPTED: max(self.facts.marked_since(job), job.records[-1].at),
            wakeups.NOT_BEFORE: job.moment("not_before") or 0.0,
            wakeups.BREAKER: self._pause(job.model),
            wakeups.KEY_PROBE: self._pause("~key"),
        }

    def _pause(self, name: str) -> float:
        """When a pause ends; of one that was ended by hand, when that was written."""
        key = layout.model_state(name)
        state: dict[str, Any] = json.loads(self.facts.bucket.body(key) or b"{}")
        pause = state.get("pause")
        return float(pause["until"]) if pause else self._written.get(key, 0.0)

    def _judge(self, job: Job, due: float, kind: str) -> None:
        due = max(due, self.facts.quiet_since)
        if self.facts.now > due + LATE and not self.facts.polled_since(due):
            self.violate(RULE, f"{job.name}: {kind}, due {self.facts.now - due:.0f} s ago")
