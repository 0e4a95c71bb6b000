"""Numbers for charts: log lines with event `metric`, and the numbers of a job's last line.

They tell what a round of the poller knows anyway and cost no request of their own. A line a minute
for a model that is at work is what a chart needs; a breaker that opens is told at once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.models import Catalogue, Model
from shared.ledger.model_state import KEY, ModelStates
from shared.platform.clock import Clock, from_iso
from shared.platform.logs import about
from shared.storage.layout import queued_ms_of_marker

EVERY = 60.0
"""Seconds between two lines on a model of which nothing special is known."""
WHOLE_PAGE = 1000
"""Markers one listing holds at most: a longer queue is told as this long."""

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
    states: ModelStates
    clock: Clock
    rounds: int = 0
    _in_flight: Counter[str] = field(default_factory=Counter)
    _gauges: dict[str, Gauge] = field(default_factory=dict)

    def look(self, model: str, useful: int) -> int:
        """How many markers to list: a whole page once a minute, when a line is due."""
        return max(useful, WHOLE_PAGE) if self._due(self._gauge(model)) else useful

    def queue(self, model: str, markers: list[str], *, whole: bool) -> None:
        """The markers of the jobs that wait now; `whole`: these are all of them, not a few."""
        gauge = self._gauge(model)
        if whole:
            gauge.queued = len(markers)
            gauge.oldest_ms = min(map(queued_ms_of_marker, markers), default=None)

    def nothing_queued(self) -> None:
        """No model has a job that waits."""
        for gauge in self._gauges.values():
            gauge.queued, gauge.oldest_ms = 0, None

    def tell(self, in_flight: Iterable[str], *, last: bool = False) -> None:
        """Log what is due after a round; `in_flight` are the models of all tasks in flight.

        At a run's end (`last`) all that was at work is told, so that charts go down to 0.
        """
        self.rounds += not last
        self._in_flight = Counter(in_flight)
        for name in self._in_flight:
            self._gauge(name)
        for name, gauge in self._gauges.items():
            model = self.catalogue.get(name)
            if model is None:
                continue
            now = (bool(self._in_flight[name] or gauge.queued), self._breaker_open(name))
            if last or now != gauge.told or self._due(gauge):
                if any(now) or any(gauge.told):
                    self._log(model, gauge)
                gauge.told, gauge.told_at = now, self.clock.monotonic()

    def _log(self, model: Model, gauge: Gauge) -> None:
        now, flying = self.clock.now(), self._in_flight[model.name]
        state, limits = self.states.known(model.name), model.limits
        window = state.window(limits.concurrent, limits.queue_ahead, now)
        oldest = 0.0 if gauge.oldest_ms is None else max(0.0, now - gauge.oldest_ms / 1000)
        paused = max(state.paused_for(now), self.states.known(KEY).paused_for(now))
        fields: dict[str, Any] = {
            "model": model.name,
            "queued": gauge.queued,
            "oldest_wait_s": None if gauge.queued is None else round(oldest, 1),
            "in_flight": flying,
            "window": window,
            "concurrent": limits.concurrent,
            "slot_use": round(min(1.0, flying / limits.concurrent), 3),
            "breaker_open": int(self._breaker_open(model.name)),
            "paused_s": round(paused, 1),
        }
        since = f" for up to {oldest:.0f} s" if gauge.queued else ""
        count = "some" if gauge.queued is None else gauge.queued
        figures = (model.name, count, since, flying, window)
        log.info("%s: %s queued%s, %d of %d in flight", *figures, extra=about("metric", **fields))

    def _breaker_open(self, name: str) -> bool:
        pauses = (self.states.known(name).pause, self.states.known(KEY).pause)
        return any(pause is not None and pause.blocked for pause in pauses)

    def _gauge(self, model: str) -> Gauge:
        return self._gauges.setdefault(model, Gauge(self.clock.monotonic()))

    def _due(self, gauge: Gauge) -> bool:
        return self.clock.monotonic() - gauge.told_at >= EVERY


def numbers_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What charts want to know of a job that ended; durations in seconds, None where unknown.

    `wait_s` is from the first record to the last submission, `task_s` from there, or from when
    the service says that it began, to the task's end, `total_s` from the first record to the last.
    """
    error, price = manifest.get("error") or {}, manifest.get("price") or {}
    task, spec = manifest.get("task") or {}, manifest.get("spec") or {}
    created, submitted = _moment(manifest, "created_at"), _moment(manifest, "submitted_at")
    finished = _moment(manifest, "finished_at")
    times = manifest.get("task_times") or {}
    start, end = times.get("scheduled_time", submitted), times.get("end_time", finished)
    labels = (spec.get("job") or {}).get("labels") or {}
    return {
        "state": manifest.get("state"),
        "code": error.get("code"),
        "class": error.get("class"),
        "wait_s": _seconds(created, submitted),
        "task_s": _seconds(start, end) if task else None,
        "total_s": _seconds(created, finished),
        "images": len(manifest.get("images") or ()),
        "images_failed": len(manifest.get("failed_images") or ()),
        "attempts": task.get("attempt", 0),
        "price_cny": price.get("total", 0.0) if price.get("currency", "CNY") == "CNY" else None,
        "labels": ",".join(f"{name}={labels[name]}" for name in sorted(labels)) or None,
    }


def _moment(manifest: Mapping[str, Any], name: str) -> float | None:
    text = manifest.get(name)
    return from_iso(text) if isinstance(text, str) else None


def _seconds(start: float | None, end: float | None) -> float | None:
    if start is None or end is None:
        return None
    return round(max(0.0, end - start), 3)
