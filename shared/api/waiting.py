"""Waiting for jobs within one request.

An instance looks at about `LOOKS` jobs a second, however many requests wait and however many jobs
each of them waits for: who waits alone looks at every job each second, the fiftieth at one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from shared.app import App
from shared.instance import WAITING
from shared.ledger.record import Record

LOOK_AGAIN = 1.0
"""Seconds between two looks, give or take half: callers that begin together part."""
LOOKS = WAITING[1]
"""Jobs that all who wait in an instance look at in `LOOK_AGAIN`: one for each that may wait."""


def record_when(app: App, last: Record, patience: float, ready: Callable[[Record], bool]) -> Record:
    """The job's last record as soon as it is `ready`, or what it is after `patience` seconds.

    Raises StoreError.
    """
    (now,) = records_when(app, [last], patience, ready)
    return now


def records_when(
    app: App,
    known: Iterable[Record],
    patience: float,
    ready: Callable[[Record], bool],
    news: Callable[[], bool] = lambda: False,
) -> list[Record]:
    """The jobs' last records as soon as one is `ready`, or what they are after `patience` seconds.

    `news`: is asked as well whether to go on waiting. Raises StoreError.
    """
    found = {record.job: record for record in known}
    turns = deque(found)
    for _ in _pauses(app, patience, lambda: any(map(ready, found.values())) or news()):
        for _ in range(min(len(turns), max(1, LOOKS // max(1, app.instance.waiting.held)))):
            found[turns[0]] = _look(app, found[turns[0]])
            turns.rotate(-1)
    return list(found.values())


def _pauses(app: App, patience: float, over: Callable[[], bool]) -> Iterator[None]:
    """After each pause, until it is over or patience is at its end."""
    clock = app.clock
    until = clock.monotonic() + patience
    while not over() and clock.monotonic() < until:
        pause = LOOK_AGAIN * (0.5 + app.rng.random())
        clock.sleep(min(pause, until - clock.monotonic()))
        yield


def _look(app: App, last: Record) -> Record:
    """The job's last record; no look where this instance has just seen that `last` is it."""
    sightings, now = app.instance.sightings, app.clock.monotonic()
    if sightings.is_last(last, now):
        return last
    found = app.ledger.records.last_from(last)
    sightings.note(found, now)
    return found
