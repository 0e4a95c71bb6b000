"""Priority first, then first in, first out: nobody who could go is overtaken."""

from __future__ import annotations

from shared.ledger.record import QUEUED
from shared.storage import layout
from tests.simulation.arrivals import Arrival
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Facts, Judge

LOOKS = 45.0
"""Seconds that a job must have been ready for before it counts as overtaken. A poller whose model
is full looks at the queue every 30 s, and refills from what that look found."""
STORM = 150.0
"""The same where calls fail and instances freeze."""
SETTLED = 60.0
PASSED = 2.5
"""Seconds by which an instance's clock may differ from the one that wrote `not_before`."""


class Order(Judge):
    """At each create request: no better job of the same model has been ready for long."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._marked: dict[str, float] = {}
        facts.bucket.watchers.append(self._marker)

    def arrived(self, arrival: Arrival) -> None:
        sent = self.facts.sender(arrival)
        if sent is None:
            return
        decided = sent.records[-1].at
        settled = self.facts.quiet_for(decided) > SETTLED and not arrival.held
        since = decided - (LOOKS if settled else STORM + arrival.held)
        for job in self.facts.jobs.values():
            better = job.state == QUEUED and job.model == sent.model and job.place < sent.place
            if better and self._ready_since(job) < since:
                what = f"{sent.name} {sent.place} overtakes {job.name} {job.place}"
                self.violate("the order of the queue is kept", what)

    def _ready_since(self, job: Job) -> float:
        marked = self._marked.get(job.name, float("inf"))
        return max(marked, job.records[-1].at, (job.moment("not_before") or 0.0) + PASSED)

    def _marker(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if not key.startswith(layout.QUEUE):
            return
        name = layout.job_of_marker(key)
        if after is None:
            self._marked.pop(name, None)
        elif before is None:
            self._marked[name] = self.facts.now
