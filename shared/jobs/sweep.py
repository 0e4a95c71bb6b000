"""Taking in job files whose event never came.

OSS delivers events at least once, but a trigger may have been missing, wrong or deleted when the
file was written. So somebody looks at the files themselves: poll when its timer is only a safety
net, and `wanx doctor --sweep`. A file is known if a job has the id that follows from its key and
ETag; one whose jobs name their own ids is read once more, which changes nothing.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field

from shared.jobfile import SUFFIXES
from shared.jobs.intake import Intake, Source
from shared.ledger.ledger import Ledger
from shared.ledger.record import QUEUED
from shared.ledger.wakeups import ACCEPTED
from shared.platform.clock import from_iso
from shared.platform.logs import about
from shared.storage import layout
from shared.storage.objects import Entry, ObjectMissing, ObjectTooLarge, StoreError

RECENT = 7 * 24 * 3600.0
"""Seconds: older files are left alone, because the records of their jobs may have been deleted."""
UNDER_WAY = 120.0
"""Seconds that an event is given. One that comes later finds a job that is known."""
STATE_BYTES = 4096
MOST_UNREAD = 20
MOST_NAMED = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far the sweeps have come: every file written before `until` was looked at, and of the
    pass that began at `began` (0: none is under way) every file up to the key `after`; `failed`:
    one of these could not be taken in. Times in seconds since 1970."""

    until: float = 0.0
    began: float = 0.0
    after: str = ""
    failed: bool = False

    def moved(self, swept: Swept) -> Progress:
        """After another sweep. A file that failed is looked at again by the next pass."""
        began, failed = self.began or swept.began, self.failed or bool(swept.failed)
        if not swept.whole:
            return Progress(self.until, began, swept.last, failed)
        return Progress(self.until if failed or not began else began - UNDER_WAY)


@dataclass
class Swept:
    """What a sweep did: keys of the files it took in, of those it could not, and of recent files
    whose suffix is not that of a job file (the first MOST_UNREAD). `queued`: a job of a file that
    was read waits, be it new or not. `began`: by the store's clock,
    0 if there is no file; `last`: the key it came to; `whole`: it saw all."""

    taken: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    queued: bool = False
    began: float = 0.0
    last: str = ""
    whole: bool = True


@dataclass
class Sweep:
    """Looks through the folder of job files; those younger than `under_way` seconds are left to
    their event."""

    ledger: Ledger
    intake: Intake
    under_way: float = UNDER_WAY

    def go_on(self, seconds: float) -> None:
        """Look at the files that no sweep has looked at, for `seconds` at most; the next call goes
        on from there. What goes wrong is logged, and looked at again."""
        try:
            known = self._progress()
            swept = self.run(seconds, known.until, known.after)
            self.ledger.store.put(layout.SWEEP, json.dumps(asdict(known.moved(swept))).encode())
        except StoreError as error:
            facts = about("round.trouble", step="sweep")
            log.warning("job files cannot be looked through: %s", error, extra=facts)

    def run(self, seconds: float, since: float = 0.0, after: str = "") -> Swept:
        """Take in the files written after `since` that no job came of, for `seconds` at most; the
        file begun then is finished. `after`: only keys behind this one. Raises StoreError."""
        swept, clock = Swept(last=after), self.ledger.clock
        end = clock.monotonic() + seconds
        for entry in self.ledger.store.list(layout.JOB_FILES, after):
            if clock.monotonic() >= end:
                swept.whole = False
                break
            swept.began, swept.last = swept.began or entry.listed_at, entry.key
            if self._is_due(entry, since):
                self._look(entry, swept)
        if swept.queued or self.ledger.outbox.news:
            self.ledger.wake.because(ACCEPTED)
        return swept

    def _is_due(self, entry: Entry, since: float) -> bool:
        """Whether a file is neither old nor just written; a console's folders are objects too."""
        oldest, newest = max(since, entry.listed_at - RECENT), entry.listed_at - self.under_way
        return oldest <= entry.modified < newest and not entry.key.endswith("/")

    def _look(self, entry: Entry, swept: Swept) -> None:
        """One file; what is wrong with it keeps no other one from being taken in."""
        if not entry.key.lower().endswith(SUFFIXES):
            if len(swept.unread) < MOST_UNREAD:
                swept.unread.append(entry.key)
            return
        try:
            if not self._is_known(entry):
                self._take(entry.key, swept)
        except StoreError as error:
            swept.failed.append(entry.key)
            facts = about("round.trouble", step=entry.key)
            log.warning("%s cannot be taken in: %s", entry.key, error, extra=facts)
        except Exception:
            swept.failed.append(entry.key)
            facts = about("round.failed", step=entry.key)
            log.exception("%s cannot be taken in", entry.key, extra=facts)

    def _is_known(self, entry: Entry) -> bool:
        """Whether a job has an id that follows from the file, be it its only document or not."""
        job = Source(entry.key, entry.etag).job_id(0)
        return any(True for _ in self.ledger.store.list(f"{layout.RECORDS}{job}", limit=1))

    def _take(self, key: str, swept: Swept) -> None:
        """Take in a file. What was there before may lack its place in the queue, which it gets."""
        now = self.ledger.clock.now()
        taken = self.intake.take_object(key)
        swept.queued |= any(one.record.state == QUEUED for one in taken)
        new = [one for one in taken if one.new or from_iso(one.record.at) >= now]
        if new:
            jobs = ", ".join(one.job for one in new[:MOST_NAMED])
            facts = about("jobfile.swept", source=key)
            log.warning("%s: its event never came; taken in as %s", key, jobs, extra=facts)
            swept.taken.append(key)

    def _progress(self) -> Progress:
        try:
            said = json.loads(self.ledger.store.read(layout.SWEEP, STATE_BYTES).body)
            begun = float(said["until"]), float(said["began"]), str(said["after"])
            return Progress(*begun, bool(said["failed"]))
        except (ObjectMissing, ObjectTooLarge, ValueError, TypeError, KeyError):
            return Progress()
