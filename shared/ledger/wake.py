"""Waking a poller that sleeps, through the event of the wake object.

Whoever accepts a job writes its record and marker first and looks for a live poller after; a
poller that goes to rest releases its lease first and looks for work once more after. So either the
one sees that nobody polls, or the other sees the work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from shared.ledger.lease import Lease
from shared.ledger.wakeups import How, how
from shared.platform.clock import Clock, iso
from shared.storage import layout
from shared.storage.objects import ObjectStore


@dataclass
class Wake:
    """The wake object. Every method may raise StoreError."""

    store: ObjectStore
    clock: Clock
    lease: Lease

    def because(self, kind: str) -> None:
        """Start a poller, where the table says that this kind of thing does so."""
        way = how(kind)
        if way is How.OBJECT or (way is How.OBJECT_IF_ALONE and not self.lease.poller_lives()):
            document = {"by": self.lease.owner, "at": iso(self.clock.now()), "because": kind}
            self.store.put(layout.WAKE, json.dumps(document).encode())
