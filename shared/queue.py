"""The queue: zero-byte markers whose key order is service order.

A marker is only an index. It is made after record 000001 and removed once the job is on its way
or over; a marker too many is removed by whoever finds it, a marker too few is made again from
the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import keys
from shared.clock import from_iso
from shared.objects import ObjectStore


def marker_of(job: str, data: Mapping[str, Any]) -> str:
    """The marker's key, from a job's first record."""
    return keys.marker(data["model"], data["priority"], data["queued_ms"], job)


@dataclass
class Queue:
    """All models' queues."""

    store: ObjectStore

    def add(self, job: str, data: Mapping[str, Any]) -> bool:
        """Queue a job, and remember when it expires; False if its marker was there already."""
        expires_at = data.get("expires_at")
        if expires_at:
            self.store.create(keys.reminder(int(from_iso(expires_at) * 1000), job), b"")
        return self.store.create(marker_of(job, data), b"").created

    def remove(self, job: str, data: Mapping[str, Any]) -> None:
        """Take a job out; doing it twice is doing it once."""
        self.store.delete(marker_of(job, data))

    def drop(self, marker: str) -> None:
        """Remove a marker by its key."""
        self.store.delete(marker)

    def head(self, model: str, limit: int) -> list[str]:
        """The markers that are served next, at most `limit`."""
        return [entry.key for entry in self.store.list(keys.queue_of(model), limit=limit)]

    def due(self, now: float) -> list[str]:
        """The reminders of jobs that expired before `now`."""
        found = []
        for entry in self.store.list(keys.EXPIRY):
            if int(entry.key[len(keys.EXPIRY) :].split("-", 1)[0]) > now * 1000:
                break
            found.append(entry.key)
        return found

    def empty(self) -> bool:
        """Whether nothing waits for any model."""
        return not any(True for _ in self.store.list(keys.QUEUE, limit=1))
