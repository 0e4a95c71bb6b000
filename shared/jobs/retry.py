"""Running a job again that brought nothing: a new job with the same request.

Retries are named `<job>-retry-<n>`, and a retry of a retry counts on. A retry that is under way or
has succeeded is never doubled, whoever asks and however often: each would be paid for.
"""

from __future__ import annotations

import re
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
_ENDING = re.compile(r"-retry-[0-9]+\Z")


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
        same `key` before, however that one ended. Raises NotRetryable, KeyReused, StoreError.
        """
        first = self.ledger.records.with_spec(last)
        if last.state not in RETRYABLE or first.spec is None:
            raise NotRetryable(
                f"The job is {last.state}; a job can be retried if it is {', '.join(RETRYABLE)}."
            )
        name, existing = self._next(last, is_retry=first.retried_from is not None)
        if key is not None:
            bound = IdempotencyKeys(self.ledger.store).claim(key, _request(last.job), name)
            if bound != name:
                name, existing = bound, self.ledger.records.last(bound)
        if existing is not None:
            return IntakeOutcome(existing.job, existing, False)
        return self._make(last.job, first.spec, name, prefix)

    def _next(self, last: Record, is_retry: bool) -> tuple[str, Record | None]:
        """The name of the next retry, or that of one that may not be doubled, and its record."""
        for name in retry_names(last.job, is_retry):
            existing = self.ledger.records.last(name)
            if existing is None or existing.state == REJECTED:
                return name, None
            if existing.state not in RETRYABLE and self._repeats(existing, last):
                return name, existing
        raise NotRetryable(f"The job was retried {MOST_RETRIES} times; submit it under another id.")

    def _repeats(self, existing: Record, last: Record) -> bool:
        """Whether a job is a retry with the same request, not one that merely has such a name."""
        made = self.ledger.records.with_spec(existing)
        return existing.digest == last.digest and made.retried_from is not None

    def _make(self, job: str, spec: JobSpec, name: str, prefix: str) -> IntakeOutcome:
        value = job_file_of(spec)
        value["job"] = {**value.get("job", {}), "id": name}
        source = Source("http/retry.json", name, prefix=prefix, retried_from=job)
        return self.acceptance.value(value, source)


def retry_names(job: str, is_retry: bool) -> Iterator[str]:
    """The names that retries of `job` have, in order.

    `is_retry`: the job was itself made by a retry. A name that merely looks like one is its
    owner's choice and is kept.
    """
    stem = _ENDING.sub("", job) if is_retry else job
    for number in range(1, MOST_RETRIES + 1):
        ending = f"-retry-{number}"
        yield stem[: LONGEST_ID - len(ending)] + ending


def _request(job: str) -> bytes:
    return f"retry\n{job}".encode()
