"""Slots: markers of the attempts in flight, an index over the records.

OSS can create-if-absent but not delete-if-unchanged. A slot with a fixed number could be freed
by a late instance after somebody else took it. So a slot is named after one claim (job, record
number and a random mark), and no name is used twice: freeing it late, or often, does no harm.

Only the holder of the lease claims slots, so it knows how many are held: it counts before it
claims.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from shared.platform.clock import nonce
from shared.storage import layout
from shared.storage.objects import ObjectNewer, ObjectStore


@dataclass(frozen=True)
class Slot:
    """One claim: for the attempt whose SUBMITTING record is number `seq`; `mark` is random.

    `api_key` names the API key it is sent with; None in slots from before keys had names.
    """

    api_key: str | None
    model: str
    job: str
    seq: int
    mark: str

    @property
    def key(self) -> str:
        return layout.slot(self.api_key, self.model, self.job, self.seq, self.mark)


@dataclass(frozen=True)
class HeldSlot:
    """A slot that exists since `since`: seconds since 1970, by the store's clock."""

    slot: Slot
    since: float


@dataclass
class Slots:
    """All models' slots.

    `of_newer`: the keys of those in the form of a newer release, as the last listing showed them.
    """

    store: ObjectStore
    rng: random.Random
    of_newer: tuple[str, ...] = field(default=(), init=False)

    def held(self, model: str | None = None) -> list[HeldSlot]:
        """Every slot of ours that exists, of one model or of all: one listing."""
        found, newer = [], []
        for entry in self.store.list(layout.SLOTS):
            if layout.is_ours(entry.key, layout.SLOTS):
                found.append(HeldSlot(slot_at(entry.key), entry.modified))
            elif layout.is_of_newer(entry.key, layout.SLOTS):
                newer.append(entry.key)
        self.of_newer = tuple(newer)
        return [held for held in found if model is None or held.slot.model == model]

    def claim(self, model: str, job: str, seq: int) -> Slot:
        """A slot for the attempt whose first record is number `seq`. Raises StoreError."""
        slot = Slot(layout.ONLY_KEY, model, job, seq, nonce(self.rng)[:12])
        self.store.create(slot.key, b"")
        return slot

    def hold(self, slot: Slot) -> None:
        """Put back the slot of an attempt under way that another instance may have freed, because
        it saw the slot before the record that names it. Raises StoreError."""
        self.store.put(slot.key, b"")

    def free(self, slot: Slot) -> None:
        """Give a slot back; only one whose attempt is over or never began."""
        self.store.delete(slot.key)


def slot_at(key: str) -> Slot:
    """The slot behind an object's key."""
    return Slot(*layout.parse_slot(key))


def newer_attempt(key: str) -> ObjectNewer:
    """What keeps an attempt in doubt from being resolved: the task may be this other attempt's."""
    return ObjectNewer(
        f"{key} is an attempt of a newer release, and which task it has cannot be told: no task is"
        " given to an attempt in doubt until that release has ended it."
    )
