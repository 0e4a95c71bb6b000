"""The jobs by time: one zero-byte object a job, newest first.

An index over the records: listing it costs one request a thousand jobs and reads no record. It
can be made again from the records at any time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.platform.clock import from_iso
from shared.storage import layout
from shared.storage.objects import FULL_PAGE, ObjectStore, walk

if TYPE_CHECKING:
    from shared.ledger.many import Many

PLACE = re.compile(r"([0-9]{13})-(.*)")


@dataclass(frozen=True)
class IndexEntry:
    """A job and when it was made, in milliseconds since 1970."""

    created_ms: int
    job: str


@dataclass(frozen=True)
class Cursor:
    """Between two jobs of the index: right after `job`, or before all made at `created_ms`."""

    created_ms: int
    job: str = ""

    def __str__(self) -> str:
        return f"{self.created_ms:013d}-{self.job}"

    @staticmethod
    def of(text: str) -> Cursor | None:
        """The inverse of `str`; None if malformed, so that no untrusted text gets into a key."""
        found = PLACE.fullmatch(text)
        if found is None or (found[2] and not layout.is_job_id(found[2])):
            return None
        return Cursor(int(found[1]), found[2])

    @property
    def key(self) -> str:
        """The key that comes right before what follows."""
        if self.job:
            return layout.indexed(self.created_ms, self.job)
        return layout.jobs_until(self.created_ms)


@dataclass
class JobIndex:
    """All jobs of the bucket."""

    store: ObjectStore

    def add(self, job: str, created_at: str) -> bool:
        """Index a job by the time of its first record; False if it was indexed already.

        Raises StoreError.
        """
        created_ms = round(from_iso(created_at) * 1000)
        return self.store.create(layout.indexed(created_ms, job), b"").created

    def jobs(self) -> Many:
        """Which jobs are indexed now. Raises StoreError."""
        from shared.ledger.many import Many  # only a rebuild asks: a start does without

        found = Many()
        for entry in self.newest():
            found.add(entry.job)
        return found

    def newest(self, until_ms: int | None = None, since_ms: int = 0) -> Iterator[IndexEntry]:
        """Jobs made from `since_ms` to `until_ms`, both included, newest first.

        Raises StoreError.
        """
        return self.after(None if until_ms is None else Cursor(until_ms), since_ms)

    def after(
        self, place: Cursor | None, since_ms: int = 0, first: int = FULL_PAGE
    ) -> Iterator[IndexEntry]:
        """Jobs older than `place`, made at `since_ms` or later, newest first. Raises StoreError.

        `first`: how many are likely to be wanted.
        """
        for entry in walk(self.store, layout.JOBS, place.key if place else "", first):
            if not layout.is_ours(entry.key, layout.JOBS):
                continue
            created_ms, job = layout.parse_indexed(entry.key)
            if created_ms < since_ms:
                return
            yield IndexEntry(created_ms, job)
