"""The calls that a poller still waits for after it has released the lease.

An answer may come minutes after the next poller has taken over, and it comes only here. So a poller
with open calls writes `state/calls/<epoch>` before it releases the lease, again while it waits, and
deletes it in the end. Nobody gives up a call of that epoch while the object is fresh, by the clock
of the store.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.ledger.lease import Timing
from shared.platform.clock import Clock
from shared.storage import layout
from shared.storage.objects import ObjectStore

LOOKED = 2.0
"""Seconds for which a sign of life serves several calls that are asked about."""
LEFT = 10
"""Times the age at which its writer counts as dead: then the object is of no use to anybody."""


@dataclass
class OpenCalls:
    """Signs of life of pollers that wait for answers. Every method may raise StoreError.

    `epoch`: whose sign of life this instance gives; None while it gives none.
    """

    store: ObjectStore
    clock: Clock
    timing: Timing
    epoch: int | None = None
    _written: float = field(default=0.0, init=False)
    _fresh: set[int] = field(default_factory=set, init=False)
    _looked: float = field(default=0.0, init=False)

    def announce(self, epoch: int) -> None:
        """Say that calls of this epoch are open, unless that was just said."""
        now = self.clock.monotonic()
        if self.epoch == epoch and now - self._written < self.timing.renew_after:
            return
        self.store.put(layout.open_calls(epoch), b"")
        self.epoch, self._written = epoch, now

    def end(self) -> None:
        """There is nothing to wait for any more."""
        epoch, self.epoch = self.epoch, None
        if epoch is not None:
            self.store.delete(layout.open_calls(epoch))

    def may_be_answered(self, epoch: int) -> bool:
        """Whether somebody may still wait for the answers to the calls of an epoch that is over."""
        if epoch not in self._fresh or self.clock.monotonic() - self._looked >= LOOKED:
            self._look()
        return epoch in self._fresh

    def _look(self) -> None:
        """See who is alive; what nobody has renewed for long is removed."""
        self._looked, oldest = self.clock.monotonic(), self.timing.dead_after
        self._fresh.clear()
        for one in list(self.store.list(layout.CALLS)):
            if not layout.is_ours(one.key, layout.CALLS):
                continue
            age = one.listed_at - one.modified
            if age <= oldest:
                self._fresh.add(layout.epoch_of(one.key))
            elif age > LEFT * oldest:
                self.store.delete(one.key)
