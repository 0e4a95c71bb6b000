"""Waiting for a job within one request."""

from __future__ import annotations

from collections.abc import Callable

from shared.app import App
from shared.ledger.record import Record

LOOK_AGAIN = 1.0
"""Seconds between two looks, give or take half: callers that begin together part."""


def record_when(app: App, last: Record, patience: float, ready: Callable[[Record], bool]) -> Record:
    """The job's last record as soon as it is `ready`, or what it is after `patience` seconds.

    Raises StoreError.
    """
    clock, records = app.clock, app.ledger.records
    until, now = clock.monotonic() + patience, last
    while not ready(now) and clock.monotonic() < until:
        pause = LOOK_AGAIN * (0.5 + app.rng.random())
        clock.sleep(min(pause, until - clock.monotonic()))
        now = records.last_from(now)
    return now
