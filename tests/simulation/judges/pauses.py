"""After a refusal the service is left alone for as long as the documents of this project say."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.account import BLOCKS, KEY, THROTTLES
from tests.simulation.arrivals import Arrival
from tests.simulation.judges.facts import Judge

BLOCKED_SPAN, BLOCKED_MOST = 250.0, 4
"""A breaker lets one attempt through after 300 s at the earliest. Requests that were on their way,
and instances that have not heard of it for 30 s, make some more."""
THROTTLED_SPAN, THROTTLED_MOST = 20.0, 8
"""Pauses double from one second on: 1, 2, 4, 8 s at the shortest."""

Fits = Callable[[Arrival], bool]


class Pauses(Judge):
    """At each create request: not too many refusals just before it, with no task in between."""

    def arrived(self, arrival: Arrival) -> None:
        def key(one: Arrival) -> bool:
            return BLOCKS.get(one.code) == KEY

        def model(one: Arrival) -> bool:
            return one.model == arrival.model and BLOCKS.get(one.code, KEY) != KEY

        def throttled(one: Arrival) -> bool:
            return one.model == arrival.model and one.code in THROTTLES

        self._rate("the key is left alone", arrival, key, BLOCKED_SPAN, BLOCKED_MOST)
        self._rate("a blocked model is left alone", arrival, model, BLOCKED_SPAN, BLOCKED_MOST)
        self._rate("throttling is heeded", arrival, throttled, THROTTLED_SPAN, THROTTLED_MOST)

    def _rate(self, name: str, arrival: Arrival, fits: Fits, span: float, most: int) -> None:
        refused = 0
        for one in reversed(self.facts.studio.log):
            if one.at < arrival.at - span or (one.task and one.model == arrival.model):
                return
            refused += one is not arrival and fits(one)
            if refused > most:
                what = f"{arrival.prompt} is sent after {refused} refusals within {span:.0f} s"
                self.violate(name, what)
                return
