"""The queue: markers whose key order is service order.

A marker is only an index. It is removed once the job has a task or is over. The instance that finds
a stale marker removes it; a missing one is made again from the records.

Of a job file the marker is made after record 000001: should the instance die in between, the file's
event comes again. A request does not, so its marker comes first: a record is then never without
one, and without a record it is stale. Such a promise is not empty, which listings show, and is left
alone while its record may still come.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice

from shared.ledger.record import Record
from shared.platform.clock import from_iso
from shared.storage import layout
from shared.storage.objects import Entry, ObjectStore, walk


def marker_of(record: Record) -> str:
    """The key of a queued job's marker."""
    place = (record.model, record.priority, record.tenant, record.queued_ms)
    return layout.marker(*place, record.job)


PAGE = 101
"""Keys in one listing of all queues: larger pages take longer to make and to read, and with smaller
ones a burst of jobs costs two listings a look. A hundred markers, and the object that says which
code is deployed."""


PROMISE = b"1"
KEPT = 300.0
"""Seconds, by the store's clock, for which a promise may be waiting for its record."""


def may_be_promise(entry: Entry) -> bool:
    """Whether the record of a marker may be about to be written."""
    return bool(entry.size) and entry.listed_at - entry.modified < KEPT


@dataclass
class Queue:
    """All models' queues.

    What is no marker of ours is passed over: a newer release, or a person, may have put it there.
    `deployed`: what says which code is deployed (`shared.ledger.deployed`), as the last listing of
    all queues showed it. `_promises`: the markers that may be waiting for their records, likewise.
    """

    store: ObjectStore
    deployed: Entry | None = field(default=None, init=False)
    _promises: set[str] = field(default_factory=set, init=False)

    def add(self, record: Record) -> bool:
        """Queue a job, and remember when it expires; False if its marker was there already."""
        return self._add(record, b"")

    def promise(self, draft: Record) -> None:
        """Queue a job whose first record is written next, within half of `KEPT`."""
        self._add(draft, PROMISE)

    def take_back(self, draft: Record, last: Record) -> None:
        """Undo a promise for a job that is there already, with the record `last`."""
        if marker_of(draft) != marker_of(last):
            self.remove(draft)

    def _add(self, record: Record, content: bytes) -> bool:
        if record.expires_at:
            expires_ms = int(from_iso(record.expires_at) * 1000)
            self.store.create(layout.reminder(expires_ms, record.job), b"")
        return self.store.create(marker_of(record), content).created

    def move(self, before: Record, now: Record) -> None:
        """Give a job its new place, and take it from the one before."""
        self._add(now, b"")
        if marker_of(before) != marker_of(now):
            self.remove(before)

    def remove(self, record: Record) -> None:
        """Take a job out of the queue; idempotent."""
        self.store.delete(marker_of(record))

    def is_promise(self, marker: str) -> bool:
        """Whether a marker, as it was listed last, may be waiting for its record."""
        return marker in self._promises

    def drop(self, marker: str, *, kept: bool = False) -> None:
        """Remove a stale marker by its key; `kept`: its job has been accepted, so nothing is
        promised any more. Else a marker that may be a promise is left to a later look."""
        if kept or marker not in self._promises:
            self.store.delete(marker)

    def head(self, model: str, limit: int) -> list[str]:
        """The markers that are served next, at most `limit`."""
        entries = self._head(model, limit)
        self._promises |= {entry.key for entry in entries if may_be_promise(entry)}
        return [entry.key for entry in entries]

    def _head(self, model: str, limit: int) -> list[Entry]:
        # What a console or a file manager leaves ("", ".DS_Store") comes before every digit.
        prefix = layout.queue_of(model)
        entries = walk(self.store, prefix, f"{prefix}/", limit)
        ours = (entry for entry in entries if layout.is_ours(entry.key, layout.QUEUE))
        return list(islice(ours, limit))

    def heads(self, each: int) -> dict[str, list[str]]:
        """The markers that are served next, of every model that has any: about `each` of them.

        One listing shows them all while few jobs wait; behind a long queue the next listing goes on
        at the next model.
        """
        found: dict[str, list[Entry]] = {}
        after, self.deployed = "", None
        while True:
            page = list(self.store.list(layout.QUEUE, after=after, limit=PAGE))
            for entry in page:
                if entry.key == layout.DEPLOYED:
                    self.deployed = entry
                elif layout.is_ours(entry.key, layout.QUEUE):
                    found.setdefault(layout.model_of_marker(entry.key), []).append(entry)
            if len(page) < PAGE:
                break
            cut = layout.model_of_marker(page[-1].key)
            if len(found.get(cut, ())) < each and (head := self._head(cut, each)):
                found[cut] = head
            after = f"{layout.queue_of(cut)}~"
        seen = (entry for entries in found.values() for entry in entries)
        self._promises = {entry.key for entry in seen if may_be_promise(entry)}
        return {name: [entry.key for entry in entries] for name, entries in found.items()}

    def due(self, now: float, most: int) -> tuple[list[str], float]:
        """The reminders of jobs that expired before `now`, the oldest `most` of them; and when the
        one after them expires, in seconds since 1970, infinite if there is none."""
        found: list[str] = []
        for entry in walk(self.store, layout.EXPIRY):
            if not layout.is_ours(entry.key, layout.EXPIRY):
                continue
            expires_ms = _expires_ms(entry.key)
            if expires_ms > now * 1000 or len(found) == most:
                return found, expires_ms / 1000
            found.append(entry.key)
        return found, math.inf

    def next_expiry(self, but: Collection[str] = ()) -> float | None:
        """When the first job expires, `but` these, in seconds since 1970; it may have expired."""
        for entry in walk(self.store, layout.EXPIRY, first=len(but) + 1):
            ours = layout.is_ours(entry.key, layout.EXPIRY)
            if ours and layout.job_of_reminder(entry.key) not in but:
                return _expires_ms(entry.key) / 1000
        return None

    def empty(self) -> bool:
        """Whether nothing waits for any model."""
        entries = walk(self.store, layout.QUEUE)
        return not any(layout.is_ours(entry.key, layout.QUEUE) for entry in entries)


def _expires_ms(reminder: str) -> int:
    return int(reminder[len(layout.EXPIRY) :].split("-", 1)[0])
