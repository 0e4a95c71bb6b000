"""Which jobs use a picture of the bucket.

No index says it, because nothing else asks: the first record of every job is read, once for all
pictures of one run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from shared.jobfile.references import key_named
from shared.jobfile.written import texts_in
from shared.ledger.job_index import IndexEntry
from shared.ledger.ledger import Ledger
from shared.ledger.record import Record
from shared.platform.concurrency import MapFn, in_turn
from shared.storage import layout
from shared.storage.objects import ObjectDamaged, ObjectTooLarge

AT_ONCE = 64
"""As a rebuild: a request takes about 1 ms of the processor."""
BATCH = 1000
MOST_NAMED = 1000
"""Pictures of a rejected document that are kept in mind: nothing bounds how many it names."""
UPLOADED = re.compile(rf"{layout.INPUTS}[0-9a-f]{{32}}/.+|{layout.UPLOADS}.+")
"""Keys that an upload gets (shared.api.jobs_api.uploads, and the uploads of the other wires)."""


def is_upload(key: str) -> bool:
    """Whether a picture was uploaded for a job, and not put where any job may use it."""
    return UPLOADED.fullmatch(key) is not None


def pictures_named(written: Any, bucket: str) -> tuple[str, ...]:
    """The keys of our bucket that a document names which was not accepted, or a part of it."""
    keys = (key_named(text, bucket) for text in texts_in(written))
    return tuple(islice(dict.fromkeys(key for key in keys if key), MOST_NAMED))


def pictures_of(chain: Iterable[Record], bucket: str) -> set[str]:
    """The keys of the pictures that a job names, also one that was rejected.

    Records of older releases have the manifest's excerpt alone.
    """
    found: set[str] = set()
    for record in chain:
        if record.spec is not None:
            found.update(use.key for use in record.spec.images if use.key)
        elif record.manifest is not None:
            found.update(record.pictures, pictures_named(record.manifest.spec, bucket))
    return found


@dataclass
class PictureUses:
    """The pictures of all jobs of `bucket`, as far as they were looked at. May raise StoreError.

    `most`: how many jobs are looked at, None for all; `is_whole`: there were no more.
    """

    ledger: Ledger
    bucket: str
    map_fn: MapFn = in_turn
    most: int | None = None
    is_whole: bool = True
    _jobs: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _looked: set[str] = field(default_factory=set)
    _newest_ms: int = 0

    def of(self, key: str, job: str, most: int = 3) -> list[str]:
        """Up to `most` jobs beside `job` that use a picture and are not erased."""
        self._look()
        others = sorted(self._jobs[key] - {job})
        return list(islice((one for one in others if key in self._pictures(one)), most))

    def _look(self) -> None:
        """Read the jobs that were not looked at yet: those that were made since."""
        batch: list[str] = []
        newest = self._newest_ms
        for entry in self._entries(newest):
            newest = max(newest, entry.created_ms)
            if entry.job not in self._looked:
                batch.append(entry.job)
            if self.most is not None and len(self._looked) + len(batch) > self.most:
                self.is_whole = False
                return
            if len(batch) == BATCH:
                self._read(batch)
                batch = []
        self._read(batch)
        self._newest_ms = newest

    def _entries(self, since_ms: int) -> Iterator[IndexEntry]:
        """Of all jobs; a hidden one needs its pictures as well."""
        for folder in (layout.JOBS, layout.HIDDEN):
            yield from self.ledger.index.after(None, since_ms, folder=folder)

    def _read(self, jobs: list[str]) -> None:
        for job, keys in zip(jobs, self.map_fn(self._pictures, jobs, AT_ONCE), strict=True):
            self._looked.add(job)
            for key in keys:
                self._jobs[key].add(job)

    def _pictures(self, job: str) -> set[str]:
        """Of the first record, or of the last one where a file was corrected."""
        records = self.ledger.records
        try:
            first = records.get(job, 1)
            if first is not None and first.spec is None:
                last = records.last_from(first)
                return pictures_of([first, records.with_spec(last)], self.bucket)
            return pictures_of([first] if first else [], self.bucket)
        except (ObjectDamaged, ObjectTooLarge):
            return set()


@dataclass
class UsesUnderWay:
    """The pictures of the jobs that are not over: those that wait, and those that hold a slot.

    `most`: how many of them are looked at, None for all; `is_whole`: there were no more at the last
    look. May raise StoreError.
    """

    ledger: Ledger
    map_fn: MapFn = in_turn
    most: int | None = None
    is_whole: bool = True
    _pictures: dict[str, frozenset[str]] = field(default_factory=dict)

    def of(self, keys: Collection[str]) -> dict[str, list[str]]:
        """The jobs that are not over and use a picture, by its key; a picture without any is left
        out."""
        jobs = self._jobs() if keys else []
        self.is_whole = self.most is None or len(jobs) <= self.most
        if not self.is_whole:
            return {}
        new = [job for job in jobs if job not in self._pictures]
        self._pictures.update(zip(new, self.map_fn(self._read, new, AT_ONCE), strict=True))
        users = {key: [job for job in jobs if self._uses(job, key)] for key in keys}
        return {key: found for key, found in users.items() if found}

    def _jobs(self) -> list[str]:
        """A job goes from the queue to a slot and back; each has both for a moment."""
        held = [one.slot.job for one in self.ledger.slots.held()]
        waiting = self.ledger.store.list(layout.QUEUE)
        ours = (one.key for one in waiting if layout.is_ours(one.key, layout.QUEUE))
        waits = set(map(layout.job_of_marker, ours))
        return sorted(waits.union(held, (one.slot.job for one in self.ledger.slots.held())))

    def _uses(self, job: str, key: str) -> bool:
        if key not in self._pictures[job]:
            return False
        last = self.ledger.records.last(job)
        return last is not None and not last.is_final

    def _read(self, job: str) -> frozenset[str]:
        """Of the record that holds the spec, which never changes while the job is not over."""
        try:
            last = self.ledger.records.last(job)
            spec = None if last is None else self.ledger.records.with_spec(last).spec
        except (ObjectDamaged, ObjectTooLarge):
            return frozenset()
        return frozenset(use.key for use in spec.images if use.key) if spec else frozenset()
