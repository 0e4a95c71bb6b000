"""What a listing of a queue showed, kept for a while for answers to people."""

from __future__ import annotations

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
