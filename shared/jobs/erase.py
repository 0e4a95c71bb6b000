"""Erasing a job: its pictures and texts go, everywhere they lie in the bucket.

The records are rewritten in place, which nothing else ever does: the job is over, and what stays of
each is what made it the truth: number, state, times, prices. The last record comes last of all. So
a run that was interrupted leaves a job that is not marked as erased, and the same call goes on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

from shared.jobfile import Unreadable, parse
from shared.jobfile.document import BATCH
from shared.jobfile.written import labels_of
from shared.jobs.batches import Batches
from shared.jobs.dead_letters import DEAD_BYTES
from shared.jobs.erased import erased_manifest, erased_record
from shared.jobs.file_jobs import FileJobs
from shared.jobs.intake import Source
from shared.jobs.picture_uses import PictureUses, UsesUnderWay, is_upload, pictures_of
from shared.jobs.retry import relatives
from shared.ledger.ledger import Ledger
from shared.ledger.manifest import Manifest
from shared.ledger.record import FINAL, NEEDS_ATTENTION, Record
from shared.platform.clock import from_iso, iso, nonce
from shared.platform.concurrency import MapFn, in_turn
from shared.platform.logs import about
from shared.storage import layout
from shared.storage.objects import ObjectDamaged, ObjectMissing, ObjectStore, ObjectTooLarge

log = logging.getLogger(__name__)

MOST_LOOKED_AT = 5000
"""Jobs whose pictures are looked at for a caller who waits; a person at a shell has more time."""
ANSWER_MAY_COME = 900.0
"""Seconds in which the answer to a call that was lost may still come (the longest call)."""
MOST_DEAD = 1000
MOST_NAMED = 3
"""Jobs that are named where others need a file."""
REMAINS = (
    "Log Service: lines with the job's id, and its prompt where LOG_PROMPTS is on, for as long as"
    " the log store keeps lines",
    "Model Studio: the task, its results and images uploaded for it, for 24 to 48 hours; the bill",
    "the job's id, labels, times, states and prices, and SHA-256 digests of its request",
    "what a CDN has in its cache (RESULT_BASE_URL): refresh it",
    "what was fetched, sent to a webhook or copied out of the bucket before",
)
"""What erasing does not reach, for people."""
AT_WORK = 1560.0
"""Seconds for which an instance may go on with a job that another one has ended: the time-out of
poll (s.yaml)."""
STILL_AT_WORK = (
    "an image that a function stores which still works on the job, as it ended less than"
    f" {AT_WORK / 60:.0f} minutes ago: erase the job again after that time, by its id"
)

TOO_MANY = (
    "The bucket has more than {most} jobs, any of which may use the job's pictures. Run"
    " `wanx erase` on the bucket, which looks at all of them, or erase all inputs (inputs=all)."
)


class NotErasable(Exception):
    """The job is unknown, under way, or its answer may still come; the message says what to do."""

    def __init__(self, message: str, last: Record | None) -> None:
        super().__init__(message)
        self.last = last


@dataclass
class Erased:
    """What was erased of a job, and at what time (RFC 3339 UTC).

    `kept`: by key, why an object with its prompt or pictures stays. `retries`: jobs of the same
    request, which are jobs of their own. `remains`: what erasing does not reach, in words.
    """

    job: str
    at: str
    removed: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    retries: list[str] = field(default_factory=list)
    remains: list[str] = field(default_factory=lambda: list(REMAINS))

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON (schemas/http/openapi.yaml)."""
        kept = [{"key": key, "why": why} for key, why in self.kept.items()]
        shown = {"job": self.job, "erased_at": self.at, "removed": self.removed, "kept": kept}
        return {**shown, "retries": self.retries, "remains": self.remains}


@dataclass
class Erasure:
    """Erases jobs of `bucket` whose files have at most `limit` bytes. Every method may raise
    StoreError.

    `most_jobs`: how many jobs are looked at for others that use a picture, None for all of them.
    """

    ledger: Ledger
    bucket: str
    limit: int
    map_fn: MapFn = in_turn
    most_jobs: int | None = None

    def erase(self, job: str, all_inputs: bool = False) -> Erased:
        """Erase a job that is over; done again it goes on, or finds nothing left.

        Input pictures go that were uploaded and that no other job uses, with `all_inputs` every one
        in `inputs/` and `uploads/`. Raises NotErasable.
        """
        chain = self.ledger.records.chain(job) if layout.is_job_id(job) else []
        last = self._checked(chain)
        now = self.ledger.clock.now()
        done = Erased(job, last.erased or iso(now))
        if last.task_id is not None or last.call:
            done.remains += [STILL_AT_WORK] if now - from_iso(last.at) < AT_WORK else []
        pictures = [*self._inputs(chain, all_inputs, done), *self._images(job, done)]
        for key in pictures:
            self._remove(key, done)
        self._job_file(chain, done)
        self._manifest(last, done)
        self._records(chain, done)
        if last.manifest is not None:  # an instance that is late may have written its own again
            self._note(self._put_manifest(last.manifest, done))
        log.info("job %s: erased", job, extra=about("job.erased", last))
        family = relatives(self.ledger.store, chain[0])
        done.retries = [one for one in family if not self._is_erased(one)]
        return done

    def _checked(self, chain: list[Record]) -> Record:
        if not chain:
            raise NotErasable("There is no such job.", None)
        last = chain[-1]
        if last.state not in FINAL:
            raise NotErasable(
                f"The job is {last.state}: cancel it, or wait until it is over; then erase it.",
                last,
            )
        age = self.ledger.clock.now() - from_iso(last.at)
        if last.state == NEEDS_ATTENTION and last.call and age < ANSWER_MAY_COME:
            raise NotErasable(
                "The answer to the job's call was lost and may still come: erase it in"
                f" {ANSWER_MAY_COME / 60:.0f} minutes.",
                last,
            )
        return last

    def _inputs(self, chain: list[Record], all_inputs: bool, done: Erased) -> list[str]:
        """The input pictures that may go."""
        named = sorted(pictures_of(chain, self.bucket))
        return self._may_go({key: self._why_kept(key, done.job, all_inputs) for key in named}, done)

    def _images(self, job: str, done: Erased) -> list[str]:
        """The images that may go."""
        listed = self.ledger.store.list(f"{layout.RESULTS}{job}/")
        keys = [entry.key for entry in listed if entry.key != layout.result(job)]
        needed = self._needed(keys)
        return self._may_go({key: needed.get(key) for key in keys}, done)

    def _may_go(self, why_kept: Mapping[str, str | None], done: Erased) -> list[str]:
        done.kept.update((key, why) for key, why in why_kept.items() if why is not None)
        return [key for key, why in why_kept.items() if why is None]

    def _why_kept(self, key: str, job: str, all_inputs: bool) -> str | None:
        if key.startswith(layout.RESULTS) and self._is_erased(key.split("/")[1]):
            return self._needed([key]).get(key)  # it was kept for this job's sake
        if not key.startswith((layout.INPUTS, layout.UPLOADS)):
            return "it belongs to another job, or was put there for others"
        if all_inputs:
            return None
        if not is_upload(key):
            return "it was put into the bucket by hand, for any job"
        others = self._uses.of(key, job)
        if not others and not self._uses.is_whole:
            raise NotErasable(TOO_MANY.format(most=self.most_jobs), None)  # nothing has gone yet
        return f"{', '.join(others)} uses it" if others else None

    def _needed(self, keys: Collection[str]) -> dict[str, str]:
        """Why images stay, by key: jobs that are not over may read them yet."""
        users = self._under_way.of(keys)
        if not self._under_way.is_whole:
            raise NotErasable(
                f"More than {self.most_jobs} jobs wait, any of which may use the job's images. Run"
                " `wanx erase` on the bucket, which looks at all of them, or erase it when fewer"
                " wait.",
                None,
            )
        return {key: f"{', '.join(jobs[:MOST_NAMED])} uses it" for key, jobs in users.items()}

    @cached_property
    def _uses(self) -> PictureUses:
        return PictureUses(self.ledger, self.bucket, self.map_fn, self.most_jobs)

    @cached_property
    def _under_way(self) -> UsesUnderWay:
        return UsesUnderWay(self.ledger, self.map_fn, self.most_jobs)

    def _job_file(self, chain: list[Record], done: Erased) -> None:
        for source in {one.source for one in chain if one.source is not None}:
            if not source.key.startswith(layout.JOB_FILES):
                continue  # it came over HTTP, or from the command line: no object holds it
            try:
                read = self.ledger.store.read(source.key, self.limit)
            except ObjectMissing:
                self._dead_letters(source.key, done)
                continue
            except ObjectTooLarge as error:
                done.kept[source.key] = str(error)
                continue
            mine = source.document if read.etag == source.etag else None
            others = self._others(Source(source.key, read.etag), read.body, done.job, mine)
            if others:
                said = ", ".join(others[:MOST_NAMED]) + (" …" if others[MOST_NAMED:] else "")
                done.kept[source.key] = f"it also holds jobs that are not erased: {said}"
                continue
            self._remove(source.key, done)
            self._dead_letters(source.key, done)

    def _others(self, source: Source, body: bytes, job: str, mine: int | None) -> list[str]:
        """The jobs of a file, as it is now, that are neither erased nor document `mine` of it."""
        try:
            documents = parse(body, source.key)
        except Unreadable:
            return [] if mine is not None else ["what cannot be read"]
        jobs = FileJobs(self.ledger, replace(source, documents=len(documents)), mine is not None)
        became = (jobs.of(one) for one in documents if one.index + 1 != mine)
        left = (name for name, last in became if last is None or last.erased is None)
        return list(islice((name for name in left if name != job), MOST_NAMED + 1))

    def _is_erased(self, job: str) -> bool:
        last = self.ledger.records.last(job)
        return last is not None and last.erased is not None

    def _dead_letters(self, key: str, done: Erased) -> None:
        """Remove dead events that are about a job file which is gone, and about no other."""
        for entry in self.ledger.store.list(layout.DEAD, limit=MOST_DEAD):
            if _job_files(self.ledger.store, entry.key) == [key]:
                self._remove(entry.key, done)

    def _manifest(self, last: Record, done: Erased) -> None:
        if last.manifest is None:
            return
        manifest = self._put_manifest(last.manifest, done)
        batch = labels_of(manifest.spec).get(BATCH, "")
        if layout.is_job_id(batch):
            self.ledger.store.delete(layout.batch_output(batch))
        self._note(manifest)

    def _note(self, manifest: Manifest) -> None:
        """Let the results of the job's batch say no more of it than its manifest does."""
        if BATCH in labels_of(manifest.spec):
            Batches(self.ledger.store, self.ledger.records, self.map_fn).note(manifest)

    def _put_manifest(self, manifest: Manifest, done: Erased) -> Manifest:
        made = erased_manifest(manifest, done.at)
        self.ledger.store.put(layout.result(done.job), made.encoded())
        return made

    def _records(self, chain: list[Record], done: Erased) -> None:
        for record in chain:
            if record.erased is None:
                mark = nonce(self.ledger.rng)
                self.ledger.records.rewrite(erased_record(record, done.at, mark))

    def _remove(self, key: str, done: Erased) -> None:
        self.ledger.store.delete(key)
        done.removed.append(key)


def _job_files(store: ObjectStore, key: str) -> list[Any]:
    try:
        document = json.loads(store.read(key, DEAD_BYTES).body)
    except (ObjectMissing, ObjectTooLarge, ObjectDamaged, ValueError):
        return []
    files = document.get("job_files") if isinstance(document, Mapping) else None
    return list(files) if isinstance(files, list) else []
