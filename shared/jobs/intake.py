"""Taking in job files: every document becomes a queued job or a rejection, exactly once."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from shared.catalogue.rules import Rules
from shared.jobfile import (
    Document,
    JobSpec,
    Place,
    Unreadable,
    Violation,
    canonical,
    check,
    most_each,
    parse,
)
from shared.jobfile.check import webhook_of
from shared.jobfile.document import is_batch_line
from shared.jobs.transitions import Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import QUEUED, REJECTED, Origin, Record
from shared.platform.clock import iso
from shared.platform.concurrency import MapFn, in_turn
from shared.platform.logs import about
from shared.platform.webhook_settings import WrongWebhook
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectTooLarge, StoreError

if TYPE_CHECKING:
    from shared.jobs.rejection import Rejection

SAFE = re.compile(r"[^A-Za-z0-9]+")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """Where a document came from: the object's key and ETag, or an HTTP request.

    Ids that follow from the source begin with `prefix`. `retried_from`: the job it repeats.
    `webhook`: who is told of jobs that do not say it themselves.
    """

    key: str
    etag: str
    documents: int = 1
    prefix: str = ""
    retried_from: str | None = None
    webhook: str | None = None

    def job_id(self, index: int) -> str:
        """The id of a document that names none: the same file is always the same job.

        A readable stem, then 48 bits of key and ETag, then the document's number if there are
        several.
        """
        stem = SAFE.sub("-", PurePosixPath(self.key).stem).strip("-")[:36] or "job"
        mark = hashlib.sha256(f"{self.key}\n{self.etag}".encode()).hexdigest()[:12]
        return f"{self.prefix}{stem}-{mark}" + (f"-{index + 1}" if self.documents > 1 else "")

    @property
    def comes_again(self) -> bool:
        """Whether it is a job file, whose event is delivered until its jobs are queued."""
        return self.key.startswith(layout.JOB_FILES)

    @property
    def batch(self) -> str:
        """The name of all its jobs together."""
        return replace(self, documents=1).job_id(0)

    def origin(self, index: int) -> Origin:
        """Where document `index` (from 0) of the source came from."""
        return Origin(self.key, self.etag, index + 1)


@dataclass(frozen=True)
class IntakeOutcome:
    """What became of a document. `record` is the job's last one; `new`: made just now."""

    job: str
    record: Record
    new: bool
    violations: tuple[Violation, ...] = ()


@dataclass
class Intake:
    """Takes in job files of at most `limit` bytes; `map_fn` goes through the documents of a file.

    `bucket` is the one whose objects a job may name; `own_hosts`: endpoints that images may be
    fetched from though they are no public addresses; None if any may be.
    """

    ledger: Ledger
    rules: Rules
    transitions: Transitions
    bucket: str
    limit: int
    map_fn: MapFn = in_turn
    own_hosts: Collection[str] | None = ()

    def place(self) -> Place:
        """Where a job file is checked, and when."""
        store, now = self.ledger.store, self.ledger.clock.now()
        region, told = self.rules.region, self.ledger.webhooks
        return Place(store, self.bucket, self.own_hosts, now, region, webhooks=told)

    def take_object(self, key: str) -> list[IntakeOutcome]:
        """Take in the job file at `key`; no jobs if it has vanished. Raises StoreError."""
        try:
            read = self.ledger.store.read(key, self.limit)
        except ObjectMissing:
            log.warning(
                "%s does not exist any more; nothing to take in",
                key,
                extra=about("jobfile.vanished", source=key),
            )
            return []
        except ObjectTooLarge as error:
            found = self.ledger.store.read_range(key, 0, 1)
            source = Source(key, found.etag)
            message = f"The job file is too large: {error} Split it into several files."
            expected = f"at most {self.limit} bytes"
            violation = Violation("", None, expected, f"{found.size} bytes", message, "job file")
            return [self._reject(source, 0, None, (violation,))]
        return self.take(read.body, Source(key, read.etag))

    def take(self, body: bytes, source: Source) -> list[IntakeOutcome]:
        """Take in a job file's documents, each by itself. Raises StoreError."""
        try:
            documents = parse(body, source.key)
        except Unreadable as error:
            return [self._reject(source, 0, None, error.violations)]
        return self.take_documents(documents, source)

    def take_documents(self, documents: Sequence[Document], source: Source) -> list[IntakeOutcome]:
        """Take in the documents of one source that has been read already. Raises StoreError.

        Several at once, but those that ask for the same id one after the other: the first gets it.
        """
        source, place = replace(source, documents=len(documents)), self.place()
        if any(is_batch_line(one.value) for one in documents):
            self._begin_batch(documents, source)

        def take(same: Sequence[Document]) -> list[tuple[int, IntakeOutcome]]:
            return [(one.index, self._take_document(one, source, place)) for one in same]

        taken = dict(chain.from_iterable(self.map_fn(take, _by_id(documents))))
        return [taken[document.index] for document in documents]

    def _take_document(self, document: Document, source: Source, place: Place) -> IntakeOutcome:
        catalogue, most = self.rules.catalogue, most_each(source.documents)
        if is_batch_line(document.value):
            from shared.jobfile.openai_batch import read_line  # few files have this form

            document, wrong = read_line(document, source.batch, catalogue, place)
            if wrong is not None:
                return self._reject(source, document.index, document.value, (wrong,))
        checked = check(document, catalogue, place, most)
        if checked.spec is None or checked.violations:
            known = self._taken_already(document, source)
            if known is not None:
                return known
            return self._reject(source, document.index, document.value, checked.violations)
        draft = replace(
            self._draft(checked.spec, source, document, place.now),
            warnings=tuple(notice.to_dict() for notice in checked.notices),
        )
        made = self.transitions.begin(draft, promised=not source.comes_again)
        return self._met_before(draft, source, document) if made is None else _new(made, source)

    def _begin_batch(self, documents: Sequence[Document], source: Source) -> None:
        from shared.jobs.batches import Batches  # few files are one, so a start does without

        jobs = [source.job_id(one.index) for one in documents if is_batch_line(one.value)]
        Batches(self.ledger.store, self.ledger.records).begin(source.batch, jobs)

    def _taken_already(self, document: Document, source: Source) -> IntakeOutcome | None:
        """The job this very document became before, unless it was rejected: that may have changed.

        Asked before anything is rejected: an image may have been deleted since, and must not turn
        a job that is under way into a rejection.
        """
        job = id_of(document, source)
        last = self.ledger.records.last(job)
        if last is None or last.state == REJECTED or last.written != digest_of(document):
            return None
        return self.known(last)

    def known(self, last: Record) -> IntakeOutcome:
        """A job that was taken in before; completes what an instance that died left undone."""
        self._index_again(last)
        if last.state == QUEUED:
            self.ledger.queue.add(last)
        elif last.is_final:
            self.transitions.complete(last)
            if last.model:
                self.transitions.free_left_over(last.model, last.job)
        return IntakeOutcome(last.job, last, False)

    def _draft(self, spec: JobSpec, source: Source, document: Document, now: float) -> Record:
        """The first record. The jobs of a file queue up in the order of the file, a millisecond
        apart, whichever of them is written down first."""
        return Record(
            job=spec.id or source.job_id(document.index),
            seq=1,
            state=QUEUED,
            model=spec.model,
            priority=spec.priority,
            tenant=layout.NO_TENANT,
            queued_ms=int(now * 1000) + document.index,
            digest=digest(canonical(spec)),
            written=digest_of(document),
            webhook=spec.webhook or source.webhook or None,
            expires_at=None if spec.expires_after is None else iso(now + spec.expires_after),
            spec=spec,
            source=source.origin(document.index),
            retried_from=source.retried_from,
        )

    def _met_before(self, draft: Record, source: Source, document: Document) -> IntakeOutcome:
        """The id is taken: the same job again, a rejected one that is right now, or a clash."""
        records = self.ledger.records
        last = records.last(draft.job)
        if last is None:
            raise LookupError(f"record 1 of job {draft.job} exists but cannot be read")
        if last.state == REJECTED:
            self.transitions.tell(last)  # of the rejection, which is about to be history
            made = records.append(replace(draft, seq=last.seq + 1, spec_seq=last.seq + 1))
            if made is not None:
                self.ledger.queue.add(made)
                return _new(made, source)
            last = records.last_from(last)
        if not source.comes_again:
            self.ledger.queue.take_back(draft, last)
        from shared.jobs.clashes import differing_options, other_options  # few ids are met again

        if last.digest != draft.digest:
            clash = _id_taken(draft.job, document)
        elif differing := differing_options(draft, records.with_spec(last)):
            clash = other_options(draft.job, document, differing)
        else:
            return self.known(last)
        return self._reject(source, document.index, document.value, (clash,))

    def _reject(
        self, source: Source, index: int, value: Any, violations: Sequence[Violation]
    ) -> IntakeOutcome:
        """Record what was wrong, under an id that no accepted job has.

        The id is the job's own, the one derived from the file, or that one with a mark of the
        violations: the first that is free or already holds this very rejection.
        """
        from shared.jobs.rejection import Rejection  # few jobs are rejected

        found, derived = tuple(violations), source.job_id(index)
        written = "" if value is None else digest_of(Document(index, value))
        rejected = Rejection(source.origin(index), value, written, found)
        own = _own_id(value, violations)
        for job in filter(None, (own, derived, f"{derived}-{rejected.mark}")):
            last = self.ledger.records.last(job)
            if last is None:
                last = self._rejected(job, source, rejected)
            if last is not None and rejected.is_of(last):
                _log_rejection(last, source, index, found)
                self._index_again(last)
                self.transitions.tell(last)
                return IntakeOutcome(job, last, False, found)
        raise StoreError(f"{source.key}, document {index + 1}: the ids {derived}… are taken.")

    def _rejected(self, job: str, source: Source, rejected: Rejection) -> Record | None:
        """The first record, or the last one if another instance was faster."""
        at, webhook = iso(self.ledger.clock.now()), self._webhook_of(rejected.value, source)
        draft = rejected.record(job, at, self.bucket, webhook)
        return self.ledger.records.append(draft) or self.ledger.records.last(job)

    def _webhook_of(self, value: Any, source: Source) -> str | None:
        """Who is told of a rejection: whom the job names, if that is in order."""
        webhook = webhook_of(value)
        try:
            self.ledger.webhooks.check(webhook or "")
        except WrongWebhook:
            return source.webhook or None
        return webhook

    def _index_again(self, last: Record) -> None:
        """Add the index entry again: an instance may have died right after the first record."""
        first = last if last.seq == 1 else self.ledger.records.get(last.job, 1)
        if first is not None:
            self.ledger.index.add(first.job, first.at)


def _new(made: Record, source: Source) -> IntakeOutcome:
    """A job that was not there before. Its prompt is logged only where LOG_PROMPTS says so."""
    prompt = made.spec.input.get("prompt") if made.spec else None
    facts = {"source": source.key, "priority": made.priority, "prompt": prompt}
    extra = about("job.queued", made, **facts)
    log.info("job %s: queued for %s", made.job, made.model, extra=extra)
    return IntakeOutcome(made.job, made, True)


def _log_rejection(last: Record, source: Source, index: int, found: Sequence[Violation]) -> None:
    """Where the first violation is and what was expected; what was found may be the prompt."""
    first = found[0]
    log.warning(
        "job %s: rejected: %s, document %d, %s: expected %s (%d violations in all)",
        last.job,
        source.key,
        index + 1,
        first.pointer or "the whole document",
        first.expected,
        len(found),
        extra=about(
            "job.rejected",
            last,
            source=source.key,
            violations=len(found),
            pointer=first.pointer,
        ),
    )


def _own_id(value: Any, violations: Sequence[Violation]) -> str | None:
    """The id that the document asks for, if that id is valid."""
    job = value.get("job") if isinstance(value, dict) else None
    wanted = job.get("id") if isinstance(job, dict) else None
    wrong = any(violation.pointer.startswith(("/job/id",)) for violation in violations)
    return wanted if isinstance(wanted, str) and not wrong and layout.is_job_id(wanted) else None


def _by_id(documents: Sequence[Document]) -> list[list[Document]]:
    """The documents of a file, those that ask for the same id together."""
    groups: dict[str | int, list[Document]] = {}
    for document in documents:
        groups.setdefault(_own_id(document.value, ()) or document.index, []).append(document)
    return list(groups.values())


def digest(canonical_bytes: bytes) -> str:
    """SHA-256 of the canonical request: two jobs with the same digest ask for the same."""
    return hashlib.sha256(canonical_bytes).hexdigest()


def id_of(document: Document, source: Source) -> str:
    """The id of the job that a document becomes if it is accepted."""
    return _own_id(document.value, ()) or source.job_id(document.index)


def digest_of(document: Document) -> str:
    """SHA-256 of a document as it was written, whatever is in it."""
    text = json.dumps(document.value, sort_keys=True, ensure_ascii=False, default=str)
    return digest(text.encode("utf-8", "surrogatepass"))


def _id_taken(job: str, document: Document) -> Violation:
    return Violation(
        pointer="/job/id",
        line=document.line("/job/id"),
        expected="an id that no other job has",
        found=job,
        message=f"The id {job} belongs to another job with another request (its result lies at"
        f" {layout.result(job)}); choose another id.",
        source="job file",
    )
