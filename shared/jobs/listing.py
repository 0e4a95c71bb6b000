"""The list of jobs, newest first, one page at a time.

A page costs listings of the index, a thousand jobs each, and one small object for each job that is
looked at: its manifest, or its records while it has none. A filter looks at a bounded number of
jobs and then says how to go on. A job whose objects were spoiled by hand is left out and logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.jobfile.written import folded, labels_of, prompt_of, searched_text
from shared.jobs.view import error_of, violations_of, written_of
from shared.ledger.job_index import Cursor, IndexEntry
from shared.ledger.ledger import Ledger
from shared.ledger.manifest import Manifest, read_manifest
from shared.ledger.record import FINAL, NEEDS_ATTENTION, REJECTED, Record
from shared.platform.clock import iso
from shared.platform.concurrency import MapFn, in_turn
from shared.platform.logs import about
from shared.storage import layout
from shared.storage.objects import FULL_PAGE, ObjectDamaged, ObjectTooLarge

MOST_READ = 300
"""Jobs that are looked at for one page."""
MOST_LISTED = 50_000
"""Entries of the index that are walked for one page; only other callers' jobs are so many."""
READERS = 8
"""Jobs read at once."""
PROMPT = 80
SPOILED = (ObjectDamaged, ObjectTooLarge, AttributeError, KeyError, TypeError, ValueError)
"""Raised by reading what was changed by hand."""

log = logging.getLogger(__name__)

Row = dict[str, Any]


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are wanted: of these `states` (empty: any), made from `since_ms` to `until_ms`,
    both included, with all of the `words` somewhere; the hidden ones, or all others."""

    states: tuple[str, ...] = ()
    model: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    since_ms: int = 0
    after: Cursor | None = None
    until_ms: int | None = None
    words: tuple[str, ...] = ()
    hidden: bool = False

    def fits(self, job: Listed) -> bool:
        """Whether a job is wanted."""
        row = job.row
        return (
            (not self.states or row["state"] in self.states)
            and self.model in (None, row["model"])
            and all(row["labels"].get(name) == value for name, value in self.labels)
            and (not self.words or job.has(self.words))
        )

    @property
    def begin(self) -> Cursor | None:
        """Where to look on: `after`, unless `until_ms` is before that."""
        if self.until_ms is None:
            return self.after
        latest = Cursor(self.until_ms)
        return latest if self.after is None else max(latest, self.after, key=Cursor.key)


@dataclass(frozen=True)
class Listed:
    """A job as lists show it, and the job file it was made of."""

    row: Row
    written: Any

    def has(self, words: Sequence[str]) -> bool:
        """Whether each of the words is in its texts, its labels, its id or its model's name."""
        labels = (text for pair in self.row["labels"].items() for text in pair)
        names = folded("\n".join((self.row["job"], self.row["model"] or "", *labels)))
        text = f"{names}\n{searched_text(self.written)}"
        return all(folded(word) in text for word in words)


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of what follows, None at the end; `searched` jobs were looked at."""

    rows: list[Row]
    next: str | None
    searched: int


def _can_go_on(manifest: Manifest) -> bool:
    """Whether a job may leave its final state: with a corrected file, or with an adopted task."""
    in_doubt = (manifest.error or {}).get("code") == "CanceledInDoubt"
    return manifest.state in (REJECTED, NEEDS_ATTENTION) or in_doubt


@dataclass
class JobListing:
    """Lists jobs. `sees` says which a caller may see; `map_fn` reads several at once.

    `link` makes a URL of an image's key.
    """

    ledger: Ledger
    link: Callable[[str], str]
    sees: Callable[[str], bool] = lambda _job: True
    map_fn: MapFn = in_turn

    def page(self, wanted: JobFilter, size: int, most_read: int = MOST_READ) -> Page:
        """Up to `size` jobs that fit, newest first. Raises StoreError."""
        rows: list[Row] = []
        searched = 0
        folder = layout.HIDDEN if wanted.hidden else layout.JOBS
        begin, first = wanted.begin, min(size + 1, FULL_PAGE)
        entries = self.ledger.index.after(begin, wanted.since_ms, first, folder)
        walk = _Walk(entries, self.sees, begin)
        while not walk.stopped:
            batch = walk.batch(min(READERS, size - len(rows), most_read - searched))
            searched += len(batch)
            read = self.map_fn(self._row, batch)
            rows += [job.row for job in read if job is not None and wanted.fits(job)]
        following = walk.place if walk.has_more else None
        return Page(rows, str(following) if following else None, searched)

    def _row(self, entry: IndexEntry) -> Listed | None:
        """None for a job that nothing can be said of: it must not hide the others."""
        try:
            return self._read(entry)
        except SPOILED as error:
            why = f"{type(error).__name__}: {error}"
            extra = about("job.unreadable", job=entry.job, error=why)
            log.warning("job %s: left out of the list: %s", entry.job, why, extra=extra)
            return None

    def _read(self, entry: IndexEntry) -> Listed | None:
        """The manifest says everything about a job that is over, unless it can still go on."""
        manifest = read_manifest(self.ledger.store, entry.job)
        if manifest is None or manifest.state not in FINAL or _can_go_on(manifest):
            last = self.ledger.records.last(entry.job)
            return None if last is None else self._of_records(last)
        created = manifest.text("created_at") or iso(entry.created_ms / 1000)
        head = {"job": entry.job, "state": manifest.state, "model": manifest.text("model")}
        tail = self._results(manifest.images, manifest.error)
        tail |= _erased(manifest.text("erased_at"))
        return _listed(head | {"created_at": created}, manifest.spec, tail)

    def _of_records(self, last: Record) -> Listed:
        first = self.ledger.records.with_spec(last)
        head = {"job": last.job, "state": last.state, "model": last.model or None}
        images = last.manifest.images if last.manifest else []
        tail = self._results(images, error_of(last) or _rejection(last))
        tail |= _erased(last.erased)
        return _listed(head | {"created_at": first.at}, written_of(last, first), tail)

    def _results(
        self, images: Sequence[Mapping[str, Any]], error: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        return {
            "images": [self._image(image) for image in images],
            "error": {name: error.get(name) for name in ("code", "message")} if error else None,
        }

    def _image(self, image: Mapping[str, Any]) -> dict[str, Any]:
        size = {name: image.get(name) for name in ("width", "height")}
        return {"key": image["key"], "url": self.link(image["key"]), **size}


class _Walk:
    """Walks the index and remembers its place, without naming jobs the caller may not see."""

    def __init__(
        self, entries: Iterator[IndexEntry], sees: Callable[[str], bool], after: Cursor | None
    ) -> None:
        self._entries, self._sees, self._after = entries, sees, after
        self._walked = 0
        self.place = after
        self.stopped = False
        self.has_more = False

    def batch(self, most: int) -> list[IndexEntry]:
        """The next entries that may be seen, `most` at most; stops before what is too much."""
        found: list[IndexEntry] = []
        for entry in self._entries:
            tired = self._walked >= MOST_LISTED and self.place != self._after
            if most <= 0 or tired:
                self.stopped = self.has_more = True
                return found
            self._walked += 1
            self.place = self._behind(entry)
            if self._sees(entry.job):
                found.append(entry)
            if len(found) == most:
                return found
        self.stopped = True
        return found

    def _behind(self, entry: IndexEntry) -> Cursor:
        if self._sees(entry.job):
            return Cursor(entry.created_ms, entry.job)
        same = self.place is not None and self.place.created_ms == entry.created_ms
        return self.place if same and self.place is not None else Cursor(entry.created_ms)


def _listed(head: Row, written: Any, tail: Row) -> Listed:
    prompt = prompt_of(written) or ""
    told = {"labels": labels_of(written), "prompt": prompt[:PROMPT]}
    return Listed({**head, **told, **tail}, written)


def _erased(at: str | None) -> dict[str, str]:
    return {} if at is None else {"erased_at": at}


def _rejection(last: Record) -> dict[str, Any] | None:
    found = violations_of(last)
    if not found:
        return None
    message = "; ".join(str(one["message"]) for one in found)[:1000]
    return {"code": REJECTED, "message": message}
