"""Slots: the right to have a task in flight, over any number of instances.

OSS can create-if-absent but not delete-if-unchanged. A slot with a fixed number could be freed
by a late instance after somebody else took it. So a slot is named after one claim (job, record
number and a random mark), and no name is used twice: freeing it late, or often, does no harm.

How many may be held is decided by claim-then-count: make your slot, then list all; if there are
more than the window, take yours back. Listing is strongly consistent (OSS basic concepts), so of
two claimants at least the later one sees both: the window is never exceeded. Weakness: two may
both step back although one place was free; the next claim gets it.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from shared.platform.clock import nonce
from shared.storage import layout
from shared.storage.objects import ObjectStore


@dataclass(frozen=True)
class Slot:
    """One claim: for the attempt whose SUBMITTING record is number `seq`; `mark` is random."""

    model: str
    job: str
    seq: int
    mark: str

    @property
    def key(self) -> str:
        return layout.slot(self.model, self.job, self.seq, self.mark)

    def holder(self) -> dict[str, Any]:
        """The claim as a ticket names it."""
        return {"job": self.job, "seq": self.seq, "mark": self.mark}


@dataclass(frozen=True)
class HeldSlot:
    """A slot that exists since `since`: seconds since 1970, by the store's clock."""

    slot: Slot
    since: float


@dataclass
class Slots:
    """All models' slots."""

    store: ObjectStore
    rng: random.Random

    def held(self, model: str | None = None) -> list[HeldSlot]:
        """Every slot that exists, of one model or of all."""
        prefix = layout.SLOTS if model is None else layout.slots_of(model)
        return [
            HeldSlot(slot_at(entry.key), entry.modified)
            for entry in self.store.list(prefix)
            if layout.is_ours(entry.key, layout.SLOTS)
        ]

    def claim(
        self, model: str, job: str, seq: int, window: int, finished_remotely: Collection[Slot] = ()
    ) -> Slot | None:
        """A slot for this attempt, or None if `window` are held already. Raises StoreError.

        `finished_remotely`: slots whose tasks are done at the service and which do not count. A
        set, not a number, so that a slot freed meanwhile is not subtracted twice.
        """
        slot = Slot(model, job, seq, nonce(self.rng)[:12])
        self.store.create(slot.key, b"")
        if sum(one.slot not in finished_remotely for one in self.held(model)) <= window:
            return slot
        self.free(slot)
        return None

    def free(self, slot: Slot) -> None:
        """Give a slot back; only one whose attempt is over or never began."""
        self.store.delete(slot.key)


def slot_at(key: str) -> Slot:
    """The slot behind an object's key."""
    return Slot(*layout.parse_slot(key))
