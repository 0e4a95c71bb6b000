"""The jobs as listings show them: what is known of a job before anything of it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from shared.storage import layout
from shared.storage.objects import ObjectStore


@dataclass(frozen=True)
class ListedJob:
    """A job with the number of its last record, and the ETag of its manifest if it has one.

    The ETag of an object that was put is the MD5 digest of its content in hex (PutObject page).
    """

    job: str
    seq: int
    manifest_etag: str | None


def listed_jobs(store: ObjectStore, after: str = "") -> Iterator[ListedJob]:
    """All jobs after the job `after`, in byte order of `<job>/`: two listings side by side.

    A job whose first record is gone is forgotten, as everywhere. Raises StoreError.
    """
    place = layout.result(after) if after else ""
    manifests = store.list(layout.RESULTS, place)
    found = next(manifests, None)
    for job, seq in _chains(store, after):
        wanted = layout.result(job)
        while found is not None and found.key < wanted:
            found = next(manifests, None)
        here = found is not None and found.key == wanted
        yield ListedJob(job, seq, found.etag if found is not None and here else None)


def _chains(store: ObjectStore, after: str) -> Iterator[tuple[str, int]]:
    """Each job with the number up to which its chain has no gap."""
    entries = store.list(layout.RECORDS, layout.last_of(after) if after else "")
    keys = (one.key for one in entries if layout.is_ours(one.key, layout.RECORDS))
    for job, records in groupby(map(layout.parse_record, keys), lambda one: one[0]):
        seq = 0
        for _, number in records:
            seq += number == seq + 1
        if seq:
            yield job, seq
