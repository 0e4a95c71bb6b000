"""The queue: zero-byte markers whose key order is service order.

A marker is only an index. It is made after record 000001 and removed once the job is on its way
or over; a marker too many is removed by whoever finds it, a marker too few is made again from
the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.platform.clock import from_iso
from shared.storage import layout
from shared.storage.objects import ObjectStore, walk


def marker_of(job: str, data: Mapping[str, Any]) -> str:
    """The marker's key, from a job's first record."""
    return layout.marker(data["model"], data["priority"], data["queued_ms"], job)


@dataclass
class Queue:
    """All models' queues."""

    store: ObjectStore

    def add(self, job: str, data: Mapping[str, Any]) -> bool:
        """Queue a job, and remember when it expires; False if its marker was there already."""
        expires_at = data.get("expires_at")
        if expires_at:
            self.store.create(layout.reminder(int(from_iso(expires_at) * 1000), job), b"")
        return self.store.create(marker_of(job, data), b"").created

    def remove(self, job: str, data: Mapping[str, Any]) -> None:
        """Take a job out; doing it twice is doing it once."""
        self.store.delete(marker_of(job, data))

    def drop(self, marker: str) -> None:
        """Remove a marker by its key."""
        self.store.delete(marker)

    def head(self, model: str, limit: int) -> list[str]:
        """The markers that are served next, at most `limit`."""
        return [entry.key for entry in self.store.list(layout.queue_of(model), limit=limit)]

    def due(self, now: float) -> list[str]:
        """The reminders of jobs that expired before `now`."""
        found = []
        for entry in walk(self.store, layout.EXPIRY):
            if int(entry.key[len(layout.EXPIRY) :].split("-", 1)[0]) > now * 1000:
                break
            found.append(entry.key)
        return found

    def empty(self) -> bool:
        """Whether nothing waits for any model."""
        return not any(True for _ in self.store.list(layout.QUEUE, limit=1))


@dataclass(frozen=True)
class QueueSnapshot:
    """What one listing of a queue showed, at the instance's time `at`: each job's place from 1,
    and the last marker that was seen if there are more behind it."""

    at: float
    places: Mapping[str, int]
    last: str | None

    def tells_of(self, job: str, data: Mapping[str, Any]) -> bool:
        """Whether the job is in it, or is known to stand behind it."""
        far_behind = self.last is not None and marker_of(job, data) > self.last
        return job in self.places or far_behind


@dataclass(frozen=True)
class SnapshotTtl:
    """How many markers a look takes in, and for how many seconds it may be told again."""

    markers: int
    seconds: float


SNAPSHOT_TTLS = (SnapshotTtl(50, 5.0), SnapshotTtl(1000, 60.0))
"""Near the head a place is soon another one, and listing is cheap; far behind it is neither."""


@dataclass
class QueueSnapshots:
    """The last looks at each queue, for who only tells people about it.

    Listing a long queue takes longer than all else in an answer. `kept`: a look may serve for
    later answers of this instance too.
    """

    kept: bool = False
    _last: dict[tuple[str, SnapshotTtl], QueueSnapshot] = field(default_factory=dict, init=False)

    def recent(self, model: str, span: SnapshotTtl, now: float) -> QueueSnapshot | None:
        """The last look at a queue, if it is not too old."""
        found = self._last.get((model, span))
        fresh = found is not None and self.kept and 0 <= now - found.at < span.seconds
        return found if fresh else None

    def look(self, queue: Queue, model: str, span: SnapshotTtl, now: float) -> QueueSnapshot:
        """Look again. Raises StoreError."""
        markers = queue.head(model, span.markers)
        places = {layout.job_of_marker(key): place for place, key in enumerate(markers, 1)}
        made = QueueSnapshot(now, places, markers[-1] if len(markers) == span.markers else None)
        self._last[model, span] = made
        return made
