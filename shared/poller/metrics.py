"""Numbers for charts: log lines with event `metric`.

They log what a round of the poller knows anyway and cost no request of their own. A chart needs
one line a minute for each model at work; a breaker that opens is logged at once. An alarm listens
for the poller itself: a run says once a minute that it is at work.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.models import Catalogue
from shared.ledger.breaker import KEY
from shared.ledger.ledger import Ledger
from shared.platform.logs import about
from shared.storage.layout import queued_ms_of_marker

EVERY = 60.0
"""Seconds between two lines about a model that nothing special happens to."""
WHOLE_PAGE = 1000
"""Markers one listing holds at most: longer queues are reported as 1000."""

log = logging.getLogger(__name__)


@dataclass
class Gauge:
    """What is known of one model's queue. `queued`: None as long as only its head was looked at;
    `oldest_ms`: when the longest waiting job was queued."""

    told_at: float
    queued: int | None = None
    oldest_ms: int | None = None
    told: tuple[bool, bool] = (False, False)


@dataclass
class Gauges:
    """What one poller run sees; `rounds` counts how often it looked."""

    catalogue: Catalogue
    ledger: Ledger
    rounds: int = 0
    _run_told_at: float | None = None
    _in_flight: Counter[str] = field(default_factory=Counter)
    _gauges: dict[str, Gauge] = field(default_factory=dict)

    def is_due(self, model: str, *, paused: bool) -> bool:
        """Whether a line about a model is due, so that its queue is worth a whole listing.

        A run that finds a model paused ends before a minute is over, and the next one too: it
        counts at once, or nobody would hear how long jobs wait.
        """
        gauge = self._gauge(model)
        return self._due(gauge) or (paused and gauge.queued is None)

    def queue(self, model: str, markers: list[str], *, whole: bool) -> None:
        """The markers of the jobs that wait now; `whole`: these are all of them, not a few."""
        gauge = self._gauge(model)
        if whole:
            gauge.queued = len(markers)
            gauge.oldest_ms = min(map(queued_ms_of_marker, markers), default=None)

    def nothing_queued(self, models: Iterable[str]) -> None:
        """Models of which no job waits; one that was never at work is not charted for that."""
        for name in models:
            if name in self._gauges:
                self.queue(name, [], whole=True)

    def tell(self, in_flight: Iterable[str], *, last: bool = False) -> None:
        """Log what is due after a round; `in_flight` are the models of all tasks in flight.

        At a run's end (`last`) each model that was at work gets a line: charts go down to 0.
        """
        self.rounds += not last
        self._tell_of_the_run()
        self._in_flight = Counter(in_flight)
        for name in self._in_flight:
            self._gauge(name)
        for name, gauge in self._gauges.items():
            now = (bool(self._in_flight[name] or gauge.queued), self.ledger.breakers.is_open(name))
            if last or now != gauge.told or self._due(gauge):
                if any(now) or any(gauge.told):
                    self._log(name, gauge)
                gauge.told, gauge.told_at = now, self.ledger.clock.monotonic()

    def _tell_of_the_run(self) -> None:
        """Log once a minute that the poller is at work, whatever it knows of any model."""
        now = self.ledger.clock.monotonic()
        if self._run_told_at is None:
            self._run_told_at = now
        elif now - self._run_told_at >= EVERY:
            self._run_told_at = now
            log.info("poll: at work", extra=about("poll.working", rounds=self.rounds))

    def _log(self, name: str, gauge: Gauge) -> None:
        now, flying = self.ledger.clock.now(), self._in_flight[name]
        states = self.ledger.model_states
        state = states.known(name)
        oldest = 0.0 if gauge.oldest_ms is None else max(0.0, now - gauge.oldest_ms / 1000)
        paused = max(state.paused_for(now), states.known(KEY).paused_for(now))
        fields: dict[str, Any] = {
            "model": name,
            "queued": gauge.queued,
            "oldest_wait_s": None if gauge.queued is None else round(oldest, 1),
            "in_flight": flying,
            **self._limits(name, now),
            "breaker_open": int(self.ledger.breakers.is_open(name)),
            "paused_s": round(paused, 1),
        }
        since = f" for up to {oldest:.0f} s" if gauge.queued else ""
        count = "some" if gauge.queued is None else gauge.queued
        window = f" of {fields['window']}" if "window" in fields else ""
        figures = (name, count, since, flying, window)
        log.info("%s: %s queued%s, %d%s in flight", *figures, extra=about("metric", **fields))

    def _limits(self, name: str, now: float) -> dict[str, Any]:
        """What is known of a model in the catalogue alone. After a roll-back tasks of others are
        collected too."""
        model = self.catalogue.get(name)
        if model is None:
            return {}
        limits, state = model.limits, self.ledger.model_states.known(name)
        shared = sum(self._in_flight[mate] for mate in self.catalogue.mates(name))
        return {
            "window": state.window(limits.lanes, limits.queue_ahead, now),
            "concurrent": limits.lanes,
            "slot_use": round(min(1.0, shared / limits.lanes), 3),
        }

    def _gauge(self, model: str) -> Gauge:
        return self._gauges.setdefault(model, Gauge(self.ledger.clock.monotonic()))

    def _due(self, gauge: Gauge) -> bool:
        return self.ledger.clock.monotonic() - gauge.told_at >= EVERY
