"""Jobs whose caller stopped waiting: the same request sent again waits for the same job.

A call that times out is sent again by programs and people alike. Were that another job each time,
a long queue would grow by every call that it keeps waiting, and each would be paid.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from shared.jobs.idempotency import ENTRY_BYTES, IdempotencyKey
from shared.platform.clock import Clock
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

KEPT = 3600
"""Seconds that a job is kept for its caller, at least; twice as long at most."""
MOST = 25
"""Jobs of one caller and one request that are kept in this time."""


@dataclass
class UnclaimedJobs:
    """The jobs that are kept. Objects are only ever created, so that each is taken up once."""

    store: ObjectStore
    clock: Clock

    def keep(self, owner: str, request: bytes, job: str) -> bool:
        """Keep a job for who asked for it. False where there are too many. Raises StoreError."""
        body = json.dumps({"job": job}).encode()
        places = self._places(owner, request, self._period())
        return any(self.store.create(place, body).created for place, _ in places)

    def take_up(self, owner: str, request: bytes) -> str | None:
        """A job that was kept for this caller and request, the oldest first. Raises StoreError."""
        for period in (self._period() - 1, self._period()):
            for place, taken in self._places(owner, request, period):
                job = self._read(place)
                if job is None:
                    break
                if self.store.create(taken, b"{}").created:
                    return job
        return None

    def _period(self) -> int:
        return int(self.clock.now() // KEPT)

    def _places(self, owner: str, request: bytes, period: int) -> Iterator[tuple[str, str]]:
        """Where a job is kept, and what says that it was taken up."""
        of_both = IdempotencyKey(owner, f"unclaimed {period}\n{request.hex()}").mark
        for number in range(MOST):
            kept = f"{of_both}-{number}"
            yield layout.request(kept), layout.request(f"{kept}-taken")

    def _read(self, place: str) -> str | None:
        try:
            kept = json.loads(self.store.read(place, ENTRY_BYTES).body)
            return str(kept["job"])
        except (ObjectMissing, ValueError, KeyError, TypeError):
            return None
