"""Records: the truth about every job.

A job is a chain of numbered, immutable records. A state change is the creation of the next
number: the instance that creates it owns the change, and every other one reads on and decides
again. The last record is the current state; all of them together are the audit log.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from shared.ledger.codec import decode, encode
from shared.ledger.record import Record
from shared.ledger.slots import Slot
from shared.platform.clock import Clock, iso, nonce
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

RECORD_BYTES = 64 * 1024 * 1024
WALK = 4


@dataclass
class Records:
    """The chains of all jobs."""

    store: ObjectStore
    clock: Clock
    rng: random.Random

    def append(self, draft: Record) -> Record | None:
        """Try to write a record, stamped with time and nonce.

        None: its number is taken, another instance moved the job first. Raises StoreError when it
        stays unknown whether it was written.
        """
        at, mark = iso(self.clock.now()), nonce(self.rng)
        made = replace(draft, at=at, nonce=mark, version=draft.needs)
        if self.store.create(layout.record(made.job, made.seq), encode(made)).created:
            return made
        return None

    def rewrite(self, record: Record) -> None:
        """Replace a record of a job that is over by the same one without its texts.

        Nothing but erasing does this. Raises StoreError.
        """
        self.store.put(layout.record(record.job, record.seq), encode(record))

    def get(self, job: str, seq: int) -> Record | None:
        """Record `seq`, or None if the chain has not come so far. Raises StoreError."""
        try:
            key = layout.record(job, seq)
            return decode(self.store.read(key, RECORD_BYTES).body, key)
        except ObjectMissing:
            return None

    def chain(self, job: str) -> list[Record]:
        """Every record of a job in order; empty for an unknown job. Raises StoreError."""
        found = (self.get(job, number) for number in self._numbers(job))
        return [record for record in found if record is not None]

    def last(self, job: str) -> Record | None:
        """The current state; None for an unknown job. Raises StoreError.

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
        numbers = self._numbers(job, after=layout.record(job, record.seq))
        return self.get(job, max(numbers, default=record.seq)) or record

    def last_since(self, job: str, seq: int) -> Record | None:
        """The current state of a job whose record `seq` is probably there: that saves the walk."""
        known = self.get(job, seq) if seq > 1 else None
        return self.last(job) if known is None else self.last_from(known)

    def last_from(self, record: Record) -> Record:
        """The current state, walking on from a known record; cheap when it is near the end."""
        following = self.get(record.job, record.seq + 1)
        while following is not None:
            record = following
            following = self.get(record.job, record.seq + 1)
        return record

    def written_at(self, record: Record) -> float | None:
        """When a record was written, by the store's clock; None if it is gone.

        Raises StoreError.
        """
        key = layout.record(record.job, record.seq)
        return next((one.modified for one in self.store.list(key, limit=1)), None)

    def attempt(self, slot: Slot) -> list[Record]:
        """The records of the attempt that a slot was claimed for, in order. Raises StoreError."""
        found: list[Record] = []
        following = self.get(slot.job, slot.seq)
        while following is not None and following.slot == slot:
            found.append(following)
            following = self.get(slot.job, following.seq + 1)
        return found

    def _numbers(self, job: str, after: str = "") -> list[int]:
        entries = self.store.list(f"{layout.RECORDS}{job}/", after=after)
        keys = (entry.key for entry in entries if layout.is_ours(entry.key, layout.RECORDS))
        return [layout.parse_record(key)[1] for key in keys]

    def created_at(self, last: Record) -> str:
        """When the job whose last record is `last` was made, by which the index has it.

        It is the time of the first record, which the manifest copies unless the job was rejected;
        a chain whose beginning is lost is indexed by what is left. Raises StoreError.
        """
        if last.seq == 1:
            return last.at
        copied = last.manifest.text("created_at") if last.manifest and last.spec_seq == 1 else None
        first = None if copied else self.get(last.job, 1)
        return copied or (first or last).at

    def with_spec(self, record: Record) -> Record:
        """The record that holds the job's spec; `record` itself where that cannot be read."""
        if record.seq == record.spec_seq:
            return record
        return self.get(record.job, record.spec_seq) or record
