"""Running a job again that brought nothing: a new job with the same request.

The retries of a job and the retries of its retries are one family: `<job>-retry-<n>`, counted on,
each of which says what it was retried from. A retry that is under way or has succeeded is never
doubled, whoever asks and however often: each would be paid for. Records of any of them may be gone:
a retry's own name tells its family, and a list tells which of the family there are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from shared.jobfile import JobSpec
from shared.jobfile.written import job_file_of
from shared.jobs.accept import Acceptance
from shared.jobs.idempotency import IdempotencyKey, IdempotencyKeys
from shared.jobs.intake import IntakeOutcome, Source
from shared.ledger.ledger import Ledger
from shared.ledger.record import REJECTED, RETRYABLE, Record
from shared.storage import layout
from shared.storage.objects import ObjectStore, walk

LONGEST_ID = 64
"""Characters of a job id (schemas/job.schema.yaml)."""
MOST_RETRIES = 999
MOST_LISTED = 20_000
"""Records whose names begin like a retry's; with more, nobody looks through them."""
MOST_PARENTS = 20
"""Jobs, each retried from the next, that are asked for the name of the first one."""
MARK = 8
"""Hex digits of a hash that keep shortened names of different jobs apart."""
ENDING = re.compile(r"-retry-([1-9][0-9]{0,2})\Z")
SHORTENED = re.compile(rf"(.+)-([0-9a-f]{{{MARK}}})-retry-[1-9][0-9]{{0,2}}")


class NotRetryable(Exception):
    """The job is under way, has succeeded, was rejected, or was retried too often already."""


@dataclass(frozen=True)
class Family:
    """The names of a job's retries. `root` is the job's name, or as much of it as a shortened
    name of a retry holds; then `mark` is the hash in that name."""

    root: str
    mark: str = ""

    def name(self, number: int) -> str:
        """The name of a retry, which is shortened where it would be too long."""
        ending = f"-retry-{number}"
        if not self.mark and len(self.root + ending) <= LONGEST_ID:
            return self.root + ending
        mark = self.mark or hashlib.sha256(self.root.encode()).hexdigest()[:MARK]
        return f"{self.root[: LONGEST_ID - len(ending) - MARK - 1]}-{mark}{ending}"

    def number(self, job: str) -> int | None:
        """Which retry a job is by its name; None if it is none."""
        found = ENDING.search(job)
        if found is None:
            return None
        number = int(found[1])
        if self.name(number) == job:
            return number
        other = _cut(job) if self.mark else None
        return number if other and other.is_of(self) else None

    def is_of(self, other: Family) -> bool:
        """Whether two families that are known by shortened names are one."""
        return (self._beginning, self.mark) == (other._beginning, other.mark)

    @property
    def prefixes(self) -> list[str]:
        """What the names begin with, those of 1, 2 and 3 digits."""
        if self.mark:
            return [self._beginning]
        return list(dict.fromkeys(ENDING.sub("-retry-", self.name(n)) for n in (1, 10, 100)))

    @property
    def _beginning(self) -> str:
        """What is left of the root in the name of the retry that is shortened most."""
        return self.root[: LONGEST_ID - len(f"-retry-{MOST_RETRIES}") - MARK - 1]


@dataclass
class Retries:
    """Makes retries."""

    ledger: Ledger
    acceptance: Acceptance

    def retry(
        self, last: Record, prefix: str = "", key: IdempotencyKey | None = None
    ) -> IntakeOutcome:
        """The retry of a job, whose last record is `last`: a new one, or the one there is.

        The outcome is not `new` where a retry is under way, has succeeded, or was made under the
        same `key` before, however that one ended. What an instance that died left undone for it
        is done then. Raises NotRetryable, KeyReused, StoreError.
        """
        if last.erased is not None:
            raise NotRetryable(
                "The job was erased: nobody knows any more what it asked for. Submit a new job."
            )
        first = self.ledger.records.with_spec(last)
        name, existing = self._next(self._family(first))
        # A late answer may have ended the job well after it was retried: the same request again.
        is_known = existing is not None and self._is_retry(existing, last)
        if (last.state not in RETRYABLE and not is_known) or first.spec is None:
            raise NotRetryable(
                f"The job is {last.state}; a job can be retried if it is {', '.join(RETRYABLE)}."
            )
        if key is not None:
            bound = IdempotencyKeys(self.ledger.store).claim(key, _request(last.job), name)
            if bound != name:
                name, existing = self._bound(bound, name, existing)
        if existing is not None:
            return self.acceptance.known(existing)
        return self._make(last, first.spec, name, prefix)

    def _is_retry(self, existing: Record, of: Record) -> bool:
        return self.ledger.records.with_spec(existing).retried_from == of.job

    def _family(self, first: Record) -> Family:
        """The family of a job, whose record with the spec is `first`.

        The name of a retry ends with its number, and before that stands the job that the family
        began with; only of a shortened name it may take the jobs it was retried from to tell.
        """
        ending = ENDING.search(first.job)
        if first.retried_from is None or ending is None:
            return Family(first.job)
        cut = _cut(first.job)
        if cut is None:
            return Family(first.job[: ending.start()])
        known = (Family(parent) for parent in islice(self._parents(first), MOST_PARENTS))
        return next((one for one in known if one.number(first.job) is not None), cut)

    def _parents(self, first: Record) -> Iterator[str]:
        """The names of the jobs that a job was retried from, as far as records tell."""
        seen = {first.job}
        while first.retried_from is not None and first.retried_from not in seen:
            seen.add(first.retried_from)
            yield first.retried_from
            parent = self.ledger.records.last(first.retried_from)
            if parent is None:
                return
            first = self.ledger.records.with_spec(parent)

    def _next(self, family: Family) -> tuple[str, Record | None]:
        """The name of the next retry, or that of one that may not be doubled, and its record."""
        taken = self._taken(family)
        newest = 0
        for number in sorted(taken, reverse=True):
            last = self.ledger.records.get(taken[number][0], taken[number][1])
            if last is None or last.state == REJECTED:
                del taken[number]
            elif self.ledger.records.with_spec(last).retried_from is not None:
                newest = max(newest, number)
                if last.state not in RETRYABLE:
                    return last.job, last
        for number in range(newest + 1, MOST_RETRIES + 1):
            if number not in taken:
                return family.name(number), None
        raise NotRetryable(f"The job was retried {MOST_RETRIES} times; submit it under another id.")

    def _taken(self, family: Family) -> dict[int, tuple[str, int]]:
        """The jobs with a name of the family, by number: the name, and the last record's number."""
        taken: dict[int, tuple[str, int]] = {}
        for job, seq in self._listed(family):
            number = family.number(job)
            if number is not None:
                taken[number] = (job, seq)
        return taken

    def _listed(self, family: Family) -> Iterator[tuple[str, int]]:
        """Job and number of each record whose job's name begins as those of the family do."""
        listed = 0
        for prefix in family.prefixes:
            for entry in walk(self.ledger.store, f"{layout.RECORDS}{prefix}"):
                listed += 1
                if listed > MOST_LISTED:
                    raise NotRetryable(
                        f"More than {MOST_LISTED} records of jobs begin with {prefix}, so that it"
                        " cannot be told which retries there are; submit it under another id."
                    )
                if layout.is_ours(entry.key, layout.RECORDS):
                    job, _, number = entry.key[len(layout.RECORDS) :].partition("/")
                    yield job, int(number.partition(".")[0])

    def _bound(self, bound: str, name: str, existing: Record | None) -> tuple[str, Record | None]:
        """The retry that a key was bound to, unless another job has taken that name since."""
        found = self.ledger.records.last(bound)
        if found is None:
            return (bound, None) if existing is None else (name, existing)
        if self.ledger.records.with_spec(found).retried_from is not None:
            return bound, found
        return name, existing

    def _make(self, last: Record, spec: JobSpec, name: str, prefix: str) -> IntakeOutcome:
        value = job_file_of(spec)
        value["job"] = {**value.get("job", {}), "id": name}
        asked = ("http/retry.json", name)
        source = Source(*asked, prefix=prefix, retried_from=last.job, webhook=last.webhook)
        return self.acceptance.value(value, source)


def relatives(store: ObjectStore, first: Record) -> list[str]:
    """The jobs of the same request, by their names: what a job was retried from, and the retries.

    `first` is a record that says what the job was retried from. Raises StoreError.
    """
    root = first.job if first.retried_from is None else ENDING.sub("", first.job)
    family = (first.retried_from and _cut(first.job)) or Family(root)
    found = {first.retried_from} if first.retried_from else set[str]()
    for prefix in family.prefixes:
        for entry in store.list(f"{layout.RECORDS}{prefix}", limit=MOST_LISTED):
            if layout.is_ours(entry.key, layout.RECORDS):
                job = layout.parse_record(entry.key)[0]
                found.update({job} if family.number(job) is not None else ())
    return sorted(found - {first.job})


def retry_names(root: str) -> Iterator[str]:
    """The names of the retries of the family that began with the job `root`, in order."""
    return map(Family(root).name, range(1, MOST_RETRIES + 1))


def _cut(job: str) -> Family | None:
    """The family of a retry by its shortened name alone; None if the name is not shortened."""
    found = SHORTENED.fullmatch(job) if len(job) == LONGEST_ID else None
    return Family(found[1], found[2]) if found else None


def _request(job: str) -> bytes:
    return f"retry\n{job}".encode()
