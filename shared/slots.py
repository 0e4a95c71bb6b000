"""Slots: the right to have a task in flight, over any number of instances.

OSS can create-if-absent but not delete-if-unchanged. A slot with a fixed number could be freed
by a late instance after somebody else took it. So a slot's name is that of one attempt (job and
record number) and is never used twice: to free it late, or often, does no harm.

How many may be held is decided by claim-then-count: make your slot, then list all; if there are
more than the window, take yours back. Listing is strongly consistent (OSS basic concepts), so of
two claimants at least the later one sees both: the window is never exceeded. Weakness: two may
both step back although one place was free; whoever comes next gets it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from shared import keys
from shared.clock import nonce
from shared.objects import Entry, ObjectStore


@dataclass(frozen=True)
class Slot:
    """One held slot; `held_since` by the store's clock, in seconds."""

    model: str
    job: str
    seq: int
    held_since: float

    @property
    def key(self) -> str:
        return keys.slot(self.model, self.job, self.seq)


@dataclass
class Slots:
    """All models' slots."""

    store: ObjectStore
    chance: random.Random

    def held(self, model: str | None = None) -> list[Slot]:
        """Every slot held, of one model or of all."""
        prefix = keys.SLOTS if model is None else keys.slots_of(model)
        return [_slot(entry) for entry in self.store.list(prefix)]

    def claim(self, model: str, job: str, seq: int, window: int) -> bool:
        """Take the slot for this attempt if fewer than `window` are held. Raises StoreError."""
        mine = nonce(self.chance).encode()
        if not self.store.create(keys.slot(model, job, seq), mine).created:
            return False
        if len(self.held(model)) <= window:
            return True
        self.free(model, job, seq)
        return False

    def free(self, model: str, job: str, seq: int) -> None:
        """Give the slot of an attempt back; only for an attempt that is over or never began."""
        self.store.delete(keys.slot(model, job, seq))


def _slot(entry: Entry) -> Slot:
    model, job, seq = keys.parse_slot(entry.key)
    return Slot(model, job, seq, entry.modified)
