"""Running a job again that brought nothing: a new job with the same request.

The retries of a job and the retries of its retries are one family: `<job>-retry-<n>`, counted on,
each of which says what it was retried from. A retry that is under way or has succeeded is never
doubled, whoever asks and however often: each would be paid for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from shared.jobfile import JobSpec
from shared.jobfile.written import job_file_of
from shared.jobs.accept import Acceptance
from shared.jobs.idempotency import IdempotencyKey, IdempotencyKeys
from shared.jobs.intake import IntakeOutcome, Source
from shared.ledger.ledger import Ledger
from shared.ledger.record import REJECTED, RETRYABLE, Record

LONGEST_ID = 64
"""Characters of a job id (schemas/job.schema.yaml)."""
MOST_RETRIES = 999
MARK = 8
"""Hex digits of a hash that keep shortened names of different jobs apart."""


class NotRetryable(Exception):
    """The job is under way, has succeeded, was rejected, or was retried too often already."""


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
        first = self.ledger.records.with_spec(last)
        if last.state not in RETRYABLE or first.spec is None:
            raise NotRetryable(
                f"The job is {last.state}; a job can be retried if it is {', '.join(RETRYABLE)}."
            )
        root = self._root(first)
        name, existing = self._next(root)
        if key is not None:
            bound = IdempotencyKeys(self.ledger.store).claim(key, _request(last.job), name)
            if bound != name:
                name, existing = self._bound(root, bound, name, existing)
        if existing is not None:
            return self.acceptance.known(existing)
        return self._make(last.job, first.spec, name, prefix)

    def _root(self, first: Record) -> str:
        """The job that a family of retries began with. `first` holds the spec of one of them."""
        seen = {first.job}
        while first.retried_from is not None and first.retried_from not in seen:
            seen.add(first.retried_from)
            parent = self.ledger.records.last(first.retried_from)
            if parent is None:
                return first.retried_from
            first = self.ledger.records.with_spec(parent)
        return first.job

    def _next(self, root: str) -> tuple[str, Record | None]:
        """The name of the next retry, or that of one that may not be doubled, and its record."""
        family = {root}
        for name in retry_names(root):
            existing = self.ledger.records.last(name)
            if existing is None or existing.state == REJECTED:
                return name, None
            if self.ledger.records.with_spec(existing).retried_from in family:
                family.add(name)
                if existing.state not in RETRYABLE:
                    return name, existing
        raise NotRetryable(f"The job was retried {MOST_RETRIES} times; submit it under another id.")

    def _bound(
        self, root: str, bound: str, name: str, existing: Record | None
    ) -> tuple[str, Record | None]:
        """The retry that a key was bound to, unless another job has taken that name since."""
        found = self.ledger.records.last(bound)
        if found is None:
            return (bound, None) if existing is None else (name, existing)
        holder = self.ledger.records.with_spec(found)
        if holder.retried_from is not None and self._root(holder) == root:
            return bound, found
        return name, existing

    def _make(self, job: str, spec: JobSpec, name: str, prefix: str) -> IntakeOutcome:
        value = job_file_of(spec)
        value["job"] = {**value.get("job", {}), "id": name}
        source = Source("http/retry.json", name, prefix=prefix, retried_from=job)
        return self.acceptance.value(value, source)


def retry_names(root: str) -> Iterator[str]:
    """The names of the retries of the family that began with the job `root`, in order."""
    mark = hashlib.sha256(root.encode()).hexdigest()[:MARK]
    for number in range(1, MOST_RETRIES + 1):
        ending = f"-retry-{number}"
        whole = root + ending
        shortened = f"{root[: LONGEST_ID - len(ending) - MARK - 1]}-{mark}{ending}"
        yield whole if len(whole) <= LONGEST_ID else shortened


def _request(job: str) -> bytes:
    return f"retry\n{job}".encode()
