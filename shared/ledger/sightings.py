"""What an instance saw of jobs a moment ago: many that wait for one job look at it once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from shared.ledger.record import Record

FRESH = 0.5
"""Seconds for which a look serves others too: less than anybody pauses between two looks."""
MOST = 2000
"""Jobs that are remembered: a number and a time each."""


@dataclass
class Sightings:
    """By job, the number of the last record that was seen, and when.

    A number only grows, so that an old sighting misleads nobody: reading goes on from there.
    """

    _seen: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict, init=False)
    _changing: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def is_last(self, record: Record, now: float) -> bool:
        """Whether somebody saw a moment ago that no record follows; `now` is monotonic."""
        seq, at = self._seen.get(record.job, (0, 0.0))
        return seq == record.seq and 0 <= now - at < FRESH

    def number(self, job: str) -> int:
        """The highest number that was seen, 1 at least."""
        return self._seen.get(job, (1, 0.0))[0]

    def note(self, record: Record, now: float) -> None:
        """`record` was the last one at `now`, which is when the look began."""
        with self._changing:
            self._seen[record.job] = (record.seq, now)
            self._seen.move_to_end(record.job)
            if len(self._seen) > MOST:
                self._seen.popitem(last=False)
