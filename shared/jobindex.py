"""The jobs by time: one zero-byte object a job, newest first.

An index over the records: listing it costs one request a thousand jobs and reads no record. It
can be made again from the records at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared import keys
from shared.clock import from_iso
from shared.objects import ObjectStore
from shared.records import Record


@dataclass(frozen=True)
class Indexed:
    """A job and when it was made, in milliseconds since 1970."""

    created_ms: int
    job: str


@dataclass
class JobIndex:
    """All jobs of the bucket."""

    store: ObjectStore

    def add(self, first: Record) -> bool:
        """Index a job by its first record; False if it was indexed already. Raises StoreError."""
        created_ms = round(from_iso(first.at) * 1000)
        return self.store.create(keys.indexed(created_ms, first.job), b"").created

    def newest(self, until_ms: int | None = None, since_ms: int = 0) -> Iterator[Indexed]:
        """Jobs made from `since_ms` to `until_ms`, both included, newest first.

        Raises StoreError.
        """
        after = "" if until_ms is None else keys.jobs_until(until_ms)
        for entry in self.store.list(keys.JOBS, after=after):
            created_ms, job = keys.parse_indexed(entry.key)
            if created_ms < since_ms:
                return
            yield Indexed(created_ms, job)
