"""Records: the truth about every job.

A job is a chain of numbered, immutable records. A state change is the creation of the next
number; whoever creates it owns the change, whoever finds it taken reads on and decides anew. The
last record is the current state, all of them together are the audit log.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.platform.clock import Clock, iso, nonce
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore, StoreError

QUEUED = "QUEUED"
SUBMITTING = "SUBMITTING"
PENDING = "PENDING"
RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
CANCELED = "CANCELED"
REJECTED = "REJECTED"
EXPIRED = "EXPIRED"
NEEDS_ATTENTION = "NEEDS_ATTENTION"

STATES = (
    QUEUED,
    SUBMITTING,
    PENDING,
    RUNNING,
    SUCCEEDED,
    FAILED,
    CANCELED,
    REJECTED,
    EXPIRED,
    NEEDS_ATTENTION,
)
IN_FLIGHT = frozenset({SUBMITTING, PENDING, RUNNING})
RETRYABLE = (FAILED, EXPIRED, CANCELED, NEEDS_ATTENTION)
"""What a person may run again, as a new job."""
FINAL = frozenset({SUCCEEDED, FAILED, CANCELED, REJECTED, EXPIRED, NEEDS_ATTENTION})

RECORD_BYTES = 64 * 1024 * 1024
WALK = 4


@dataclass(frozen=True)
class Record:
    """One link of a job's chain. `at` is RFC 3339 UTC; `data` what this state adds."""

    job: str
    seq: int
    state: str
    at: str
    nonce: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The stored form: compact JSON, UTF-8."""
        head = {"job": self.job, "seq": self.seq, "state": self.state, "at": self.at}
        body = {**head, "nonce": self.nonce, **self.data}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes, key: str) -> Record:
    """The inverse of `Record.encoded`, of the object `key`. Raises StoreError if it is none."""
    try:
        whole = json.loads(body)
        job, seq, state, at, mark = (
            whole.pop(name) for name in ("job", "seq", "state", "at", "nonce")
        )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise StoreError(
            f"The record {key} cannot be read ({error}): it was changed by hand. Put it back, or"
            " delete it and the records after it; the job goes on from the one before."
        ) from None
    return Record(job, seq, state, at, mark, whole)


@dataclass
class Records:
    """The chains of all jobs."""

    store: ObjectStore
    clock: Clock
    rng: random.Random

    def append(self, job: str, seq: int, state: str, data: Mapping[str, Any]) -> Record | None:
        """Try to make record `seq`. None: the number is taken, somebody else moved first.

        Raises StoreError when it stays unknown whether it was made.
        """
        made = Record(job, seq, state, iso(self.clock.now()), nonce(self.rng), data)
        if self.store.create(layout.record(job, seq), made.encoded()).created:
            return made
        return None

    def get(self, job: str, seq: int) -> Record | None:
        """Record `seq`, or None if the chain has not come so far. Raises StoreError."""
        try:
            key = layout.record(job, seq)
            return decode(self.store.read(key, RECORD_BYTES).body, key)
        except ObjectMissing:
            return None

    def chain(self, job: str) -> list[Record]:
        """Every record of a job in order; empty for an unknown job."""
        entries = self.store.list(f"{layout.RECORDS}{job}/")
        numbers = [int(entry.key.rsplit("/", 1)[1].split(".")[0]) for entry in entries]
        found = (self.get(job, number) for number in numbers)
        return [record for record in found if record is not None]

    def last(self, job: str) -> Record | None:
        """The current state; None for an unknown job.

        Chains are short: walking from the first record costs fewer billed requests than listing
        (an answer 404 is free). A long chain is listed after all.
        """
        first = self.get(job, 1)
        if first is None:
            return None
        record = first
        for seq in range(2, WALK + 2):
            following = self.get(job, seq)
            if following is None:
                return record
            record = following
        seq = record.seq
        for entry in self.store.list(f"{layout.RECORDS}{job}/", after=layout.record(job, seq)):
            seq = int(entry.key.rsplit("/", 1)[1].split(".")[0])
        latest = self.get(job, seq)
        return latest or record

    def last_from(self, record: Record) -> Record:
        """The current state, walking on from a known record; cheap when it is near the end."""
        following = self.get(record.job, record.seq + 1)
        while following is not None:
            record = following
            following = self.get(record.job, record.seq + 1)
        return record
