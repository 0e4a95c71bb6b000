"""After a refusal the service is left alone for as long as the documents of this project say."""

from __future__ import annotations

import json
from collections.abc import Callable

from shared.ledger.record import QUEUED, SUBMITTING
from shared.platform.clock import from_iso
from shared.storage import layout
from tests.simulation.account import BLOCKS, KEY, THROTTLES
from tests.simulation.arrivals import Arrival
from tests.simulation.chains import Job
from tests.simulation.judges.facts import Judge, account_codes

BLOCKED_SPAN, BLOCKED_MOST = 250.0, 4
"""A breaker lets one attempt through after 300 s at the earliest. Requests that were on their way,
and instances that have not heard of it for 30 s, make some more."""
ON_THE_WAY = 0.25
"""Seconds before a request within which a refusal could not yet stop it."""
THROTTLED_SPAN, THROTTLED_MOST = 20.0, 8
"""Pauses double from one second on: 1, 2, 4, 8 s at the shortest."""

CLOCKS = 4.5
"""Seconds by which two instances' clocks may differ."""

KEY_ALONE = "the key is left alone"

Fits = Callable[[Arrival], bool]


class Pauses(Judge):
    """At each create request: not too many refusals just before it, with no task in between. At
    each attempt: the job's own pause is over. At the end: no breaker is open that has no cause."""

    def recorded(self, job: Job) -> None:
        if job.state != SUBMITTING or job.before != QUEUED:
            return
        until = job.records[-2].record.get("not_before")
        if until and self.facts.now < from_iso(until) - CLOCKS:
            self.violate("a job's own pause is kept", f"{job.name} waits until {until}")

    def ended(self) -> None:
        """What was accepted last in quiet weather has closed the model's breaker."""
        last = {one.model: one for one in self.facts.studio.log}
        for model, arrival in last.items():
            later = self._told_since(model, arrival.at)
            heard = not arrival.call or (arrival.answered is not None and not arrival.lost)
            if self.facts.quiet_for(arrival.at) > 0 and arrival.task and heard and not later:
                body = self.facts.bucket.body(layout.model_state(model)) or b"{}"
                if (json.loads(body).get("pause") or {}).get("blocked"):
                    self.violate("a breaker closes", f"that of {model} is open")

    def _told_since(self, model: str, at: float) -> bool:
        """Whether a task told of a trouble of the account after the last one was accepted, or the
        troubles went on then."""
        studio = self.facts.studio
        if studio.account.troubles and studio.log[-1].at <= studio.account.end():
            return True
        chains = (job.records for job in self.facts.jobs.values() if job.model == model)
        return any(one.at > at and account_codes(one.record) for links in chains for one in links)

    def arrived(self, arrival: Arrival) -> None:
        def key(one: Arrival) -> bool:
            return BLOCKS.get(one.code) == KEY

        def model(one: Arrival) -> bool:
            return one.model == arrival.model and BLOCKS.get(one.code, KEY) != KEY

        def throttled(one: Arrival) -> bool:
            return one.model == arrival.model and one.code in THROTTLES

        self._rate(KEY_ALONE, arrival, key, BLOCKED_SPAN, BLOCKED_MOST)
        self._rate("a blocked model is left alone", arrival, model, BLOCKED_SPAN, BLOCKED_MOST)
        self._rate("throttling is heeded", arrival, throttled, THROTTLED_SPAN, THROTTLED_MOST)

    def _rate(self, name: str, arrival: Arrival, fits: Fits, span: float, most: int) -> None:
        refused, since = 0, arrival.at - span
        if self.facts.resumed_at <= arrival.at:  # what came before was for that person to judge
            since = max(since, self.facts.resumed_at)
        for one in reversed(self.facts.studio.log):
            if one.at < since or (one.task and _closes(one, arrival, name)):
                return
            refused += one.at <= arrival.at - ON_THE_WAY and fits(one)
            if refused > most:
                what = f"{arrival.prompt} is sent after {refused} refusals within {span:.0f} s"
                self.violate(name, what)
                return


def _closes(accepted: Arrival, arrival: Arrival, name: str) -> bool:
    """Whether a task that was made has closed the breaker: the key's, or its own model's."""
    return name == KEY_ALONE or accepted.model == arrival.model
