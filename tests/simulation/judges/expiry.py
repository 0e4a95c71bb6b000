"""A job that may wait so long and no longer: it ends in time, never early, and is not sent late."""

from __future__ import annotations

from shared.ledger.record import EXPIRED, QUEUED, SUBMITTING
from tests.simulation.arrivals import Arrival
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Judge

CLOCKS = 4.5
"""Seconds by which two instances' clocks may differ."""
DECIDES, SENDS = 15.0, 25.0
"""Seconds from the look at the clock to the record SUBMITTING, and from there to the service: the
ticket is waited for, and a submission may take as long as its time-out."""
STORM = 60.0
"""More of both where calls fail."""
OVERDUE = 240.0
"""Seconds after which a job that has expired is over: pollers look every minute."""


class Expiry(Judge):
    """At each record and each create request."""

    def recorded(self, job: Job) -> None:
        if job.state == EXPIRED:
            self._in_time(job)
        elif job.state == SUBMITTING and job.before == QUEUED:
            self._not_late(job, DECIDES + self.facts.held(), "is being sent")

    def arrived(self, arrival: Arrival) -> None:
        job = self.facts.sender(arrival)
        if job is not None:
            self._not_late(job, DECIDES + SENDS + arrival.held, "is sent")

    def _in_time(self, job: Job) -> None:
        until, now = job.moment("expires_at"), self.facts.now
        if until is None or now < until - CLOCKS:
            self.violate("no job expires early", f"{job.name} at {now:.1f}, not {until}")
            return
        due = max(until, job.records[-2].at, self.facts.quiet_since, self.facts.marked_since(job))
        if now > due + OVERDUE:
            self.violate("jobs expire in time", f"{job.name} {now - due:.0f} s late")

    def _not_late(self, job: Job, slack: float, what: str) -> None:
        until = job.moment("expires_at")
        slack += CLOCKS + (0.0 if self.facts.quiet_for(self.facts.now) > STORM else STORM)
        if until is not None and self.facts.now > until + slack:
            late = self.facts.now - until
            self.violate("an expired job is not sent", f"{job.name} {what} {late:.0f} s late")
