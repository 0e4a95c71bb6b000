"""The jobs by time: one zero-byte object a job, newest first.

An index over the records: listing it costs one request a thousand jobs and reads no record. It
can be made again from the records at any time. The entry of a hidden job lies in a folder behind
all others: listing the rest costs no more for it, and a rebuild sees that the job has its entry.
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

    def key(self, folder: str = layout.JOBS) -> str:
        """The key that comes right before what follows."""
        if self.job:
            return layout.indexed(self.created_ms, self.job, folder)
        return layout.jobs_until(self.created_ms, folder)


@dataclass
class JobIndex:
    """All jobs of the bucket."""

    store: ObjectStore

    def add(self, job: str, created_at: str) -> bool:
        """Index a job by the time of its first record; False if it was indexed already.

        Raises StoreError.
        """
        return self.store.create(_key(job, created_at), b"").created

    def hide(self, job: str, created_at: str) -> None:
        """Move a job's entry to the hidden ones; safe to repeat. Raises StoreError.

        It is never in neither place for longer than this takes, whoever shows it meanwhile: the
        one that comes last sees what the other one did.
        """
        hidden, shown = _key(job, created_at, layout.HIDDEN), _key(job, created_at)
        self.store.create(hidden, b"")
        self.store.delete(shown)
        if not any(entry.key == hidden for entry in self.store.list(hidden, limit=1)):
            self.store.create(shown, b"")

    def show(self, job: str, created_at: str) -> None:
        """Undo `hide`; safe to repeat. Raises StoreError."""
        shown = _key(job, created_at)
        self.store.create(shown, b"")
        self.store.delete(_key(job, created_at, layout.HIDDEN))
        self.store.create(shown, b"")

    def jobs(self) -> Many:
        """Which jobs are indexed now, the hidden ones as well. Raises StoreError."""
        from shared.ledger.many import Many  # only a rebuild asks: a start does without

        found = Many()
        for entry in self.store.list(layout.JOBS):
            if any(layout.is_ours(entry.key, folder) for folder in (layout.JOBS, layout.HIDDEN)):
                found.add(layout.parse_indexed(entry.key)[1])
        return found

    def newest(self, until_ms: int | None = None, since_ms: int = 0) -> Iterator[IndexEntry]:
        """Jobs made from `since_ms` to `until_ms`, both included, newest first.

        Raises StoreError.
        """
        return self.after(None if until_ms is None else Cursor(until_ms), since_ms)

    def after(
        self,
        place: Cursor | None,
        since_ms: int = 0,
        first: int = FULL_PAGE,
        folder: str = layout.JOBS,
    ) -> Iterator[IndexEntry]:
        """Jobs older than `place`, made at `since_ms` or later, newest first. Raises StoreError.

        `first`: how many are likely to be wanted. `folder`: `layout.HIDDEN` for the hidden ones.
        """
        for entry in walk(self.store, folder, place.key(folder) if place else "", first):
            if folder == layout.JOBS and entry.key.startswith(layout.HIDDEN):
                return
            if not layout.is_ours(entry.key, folder):
                continue
            created_ms, job = layout.parse_indexed(entry.key)
            if created_ms < since_ms:
                return
            yield IndexEntry(created_ms, job)


def _key(job: str, created_at: str, folder: str = layout.JOBS) -> str:
    return layout.indexed(round(from_iso(created_at) * 1000), job, folder)
