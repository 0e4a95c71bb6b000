"""Priority first, then first in, first out: nobody who could go is overtaken, but who was refused:
then another one finds out whose fault it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.catalogue.errors import OURS
from shared.ledger.record import QUEUED, SUBMITTING
from shared.storage import layout
from tests.simulation.arrivals import Arrival
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Facts, Judge
from tests.simulation.judges.refusals import ACCOUNT

LOOKS = 45.0
"""Seconds that a job must have been ready for before it counts as overtaken. A poller whose model
is full looks at the queue every 30 s, and refills from what that look found."""
STORM = 150.0
"""The same where calls fail and instances freeze."""
SETTLED = 60.0


class Order(Judge):
    """At each create request: no better job of the same model has been ready for long. `_let_off`:
    when jobs ceased to be among the refused of their model."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self._let_off: dict[str, float] = {}
        facts.bucket.watchers.append(self._model_written)

    def _model_written(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if key.startswith(layout.MODELS):
            let_off = _refused_jobs(before) - _refused_jobs(after)
            self._let_off.update(dict.fromkeys(let_off, self.facts.now))

    def arrived(self, arrival: Arrival) -> None:
        sent = self.facts.sender(arrival)
        if sent is None:
            return
        decided = sent.records[-1].at
        settled = self.facts.quiet_for(decided) > SETTLED and not arrival.held
        since = decided - (LOOKS if settled else STORM + arrival.held)
        for job in self.facts.jobs.values():
            better = job.state == QUEUED and job.model == sent.model and job.place < sent.place
            ready = max(self.facts.ready_since(job), self._let_off.get(job.name, 0.0))
            if better and not self._was_refused(job) and ready < since:
                what = f"{sent.name} {sent.place} overtakes {job.name} {job.place}"
                self.violate("the order of the queue is kept", what)

    def _was_refused(self, job: Job) -> bool:
        """At any time: it goes last as long as none of its model was taken since. Who died after
        the refusal may have noted it for the model and not for the job."""
        links = zip([""] + [link.state for link in job.records], job.records, strict=False)
        if any(_refused(before, link.record.get("error") or {}) for before, link in links):
            return True
        return job.name in _refused_jobs(self.facts.bucket.body(layout.model_state(job.model)))


def _refused_jobs(state: bytes | None) -> set[str]:
    return set(json.loads(state or b"{}").get("refused", ()))


def _refused(before: str, why: Mapping[str, Any]) -> bool:
    if before == SUBMITTING:
        return why.get("class") not in (None, OURS)
    return why.get("code") in ACCOUNT
