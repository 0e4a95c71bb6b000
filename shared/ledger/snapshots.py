"""What an instance saw of queues and jobs, kept for a while for answers to people."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.ledger.queue import Queue, marker_of
from shared.ledger.record import Record
from shared.storage import layout


@dataclass(frozen=True)
class QueueSnapshot:
    """One listing at the instance's time `at`: each job's place from 1, and the last marker seen
    if there are more behind it."""

    at: float
    places: Mapping[str, int]
    last: str | None

    def covers(self, record: Record) -> bool:
        """Whether the job is in it, or is known to wait behind it."""
        far_behind = self.last is not None and marker_of(record) > self.last
        return record.job in self.places or far_behind


@dataclass(frozen=True)
class SnapshotTtl:
    """How many markers a snapshot takes in, and for how many seconds it may be reused."""

    markers: int
    seconds: float


SNAPSHOT_TTLS = (SnapshotTtl(50, 5.0), SnapshotTtl(1000, 60.0))
"""Near the head positions change fast and listing is cheap: short TTL. Far behind: long TTL."""
FRESH = 0.5
"""Seconds for which a look at a job serves others too: less than anybody pauses between two."""
MOST_SIGHTINGS = 2000
"""Jobs that are remembered: a number and a time each."""


@dataclass
class QueueSnapshots:
    """The last snapshot of each queue.

    Listing a long queue takes longer than everything else in an answer. `kept`: a snapshot may
    serve later answers of this instance too.
    """

    kept: bool = False
    _last: dict[tuple[str, SnapshotTtl], QueueSnapshot] = field(default_factory=dict, init=False)

    def recent(self, model: str, ttl: SnapshotTtl, now: float) -> QueueSnapshot | None:
        """The last snapshot of a queue, if it is not too old."""
        found = self._last.get((model, ttl))
        fresh = found is not None and self.kept and 0 <= now - found.at < ttl.seconds
        return found if fresh else None

    def take(self, queue: Queue, model: str, ttl: SnapshotTtl, now: float) -> QueueSnapshot:
        """List the queue. Raises StoreError."""
        markers = queue.head(model, ttl.markers)
        places = {layout.job_of_marker(key): place for place, key in enumerate(markers, 1)}
        made = QueueSnapshot(now, places, markers[-1] if len(markers) == ttl.markers else None)
        self._last[model, ttl] = made
        return made


@dataclass
class Sightings:
    """Many that wait for one job look at it once: by job, the last record's number, and when it
    was seen.

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
            if len(self._seen) > MOST_SIGHTINGS:
                self._seen.popitem(last=False)
