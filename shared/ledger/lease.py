"""The lease: at any time at most one instance sends submissions.

OSS has no lock, only create-if-absent (PutObject page). So the lease is a row of numbered epochs.
Whoever creates the next number holds the lease. Only the holder writes that object: it renews it,
and says at the end that it is released.

An epoch that is not released may be followed once it is too old. Its age is the Date of a listing
minus LastModified: the store's clock alone. A holder stops sending earlier than that, by its own
clocks, counted from the start of its last renewal that the store acknowledged.

A renewal may cross a take-over. A holder whose renewal comes that late writes, then looks for a
successor; the successor creates its epoch, then looks whether the old one was renewed. Listing is
strongly consistent (OSS basic concepts), so at least one of them sees the other, and that one steps
back.

What remains: a process that stops between its last check and its request for longer than both
times together.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from shared.ledger.permits import Permits
from shared.ledger.wakeups import NOT_ARMED, Armed
from shared.platform.clock import Clock
from shared.platform.logs import about
from shared.storage import layout
from shared.storage.objects import Entry, ObjectMissing, ObjectStore, StoreError, walk

POLLER = "poller"
SUBMIT = "submitter"
"""Kinds of holders. Their names differ in length: so the size of the object, which a listing shows,
says who holds the lease, and only a released one has to be read."""
RENEW_AFTER = 0.75
"""The part of the sending time after which the lease is renewed."""
MARGIN = 5.0
"""Seconds for the resolution of the store's clock and the way of a request to the service."""
RESOLUTION = 1.0
"""Of the store's dates, in seconds (HTTP dates: RFC 9110, section 5.6.7)."""
WATCH = 1.0
KEPT = 30
"""Old epochs that are kept: a deleted number would be free again, so only far older ones go."""
STRAY = 4
PROMPT = 1.0
"""Seconds after a look within which a take-over needs no second one."""
LEASE_BYTES = 64 * 1024
VERSION = 1
"""Of an epoch's content. One that names a higher one counts as held until it is too old."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timing:
    """In seconds: how long a holder may send after a renewal, and how long one request may take."""

    send_for: float = 40.0
    request: float = 30.0

    @property
    def renew_after(self) -> float:
        return self.send_for * RENEW_AFTER

    @property
    def dead_after(self) -> float:
        """Age of an epoch from which its holder is taken for dead: 75 s by default."""
        return self.send_for + self.request + MARGIN


@dataclass(frozen=True)
class Epoch:
    """The newest epoch as it was last seen: when it was written, and its age, by the store's clock.

    `permits` is what its holder said at its release; None is unknown. `armed`: the call under way.
    `made_room`: as of `Lease`.
    """

    number: int
    since: float
    age: float
    kind: str
    is_released: bool
    permits: Any
    armed: Armed = NOT_ARMED
    made_room: int = 0


NEVER_TAKEN = Epoch(0, 0.0, 0.0, "", True, {})


@dataclass
class Lease:
    """The lease as one instance sees it. `owner` names this run; `epoch` is what it holds; `seen`
    is what it saw last, `number` the epoch it held last. Two things go along at a release: `armed`,
    the delayed call under way, and `made_room`, how often in a row a poller has released it for the
    sake of other code."""

    store: ObjectStore
    clock: Clock
    owner: str
    permits: Permits
    timing: Timing = field(default_factory=Timing)
    epoch: int | None = None
    seen: Epoch = NEVER_TAKEN
    armed: Armed = NOT_ARMED
    made_room: int = 0
    number: int = 0
    _kind: str = ""
    _is_closing: bool = False
    _renewed: tuple[float, float] = (0.0, 0.0)
    _looked: tuple[float, float] = (0.0, 0.0)

    def take(self, kind: str) -> bool:
        """Take the lease if it is released, or never was taken; a poller also from a dead holder.

        Raises StoreError.
        """
        self.seen = self._look()
        return self._take(kind, self.seen)

    def take_when_free(self, deadline: float, *, patient: bool = True) -> bool:
        """Take the lease for a poller; wait while its holder lives, but not for another poller.

        The holder may have been killed, and nobody would go on for it. Without patience a poller
        that has renewed the lease lately is not watched for signs of life. `deadline` is monotonic.
        Raises StoreError.
        """
        self.seen = self._look()
        while not self._take(POLLER, self.seen):
            before = self.seen
            if not patient and self._is_at_work(before):
                return False
            if self.clock.monotonic() + WATCH >= deadline:
                return False
            self.clock.sleep(WATCH)
            now = self.seen = self._look()
            if now.kind == POLLER and now.since != before.since and not now.is_released:
                return False
        return True

    def _is_at_work(self, seen: Epoch) -> bool:
        """Whether the holder is a poller that is not late with its renewal."""
        is_held = seen.kind == POLLER and not seen.is_released
        return is_held and seen.age <= self.timing.renew_after + MARGIN

    def _take(self, kind: str, newest: Epoch) -> bool:
        dead = kind == POLLER and newest.age > self.timing.dead_after
        if not newest.is_released and not dead:
            return False
        began, self._kind = self._moment(), kind
        if not self.store.create(layout.lease(newest.number + 1), self._body(kind)).created:
            return False
        if self._may_be_late(newest) and self._came_too_late(newest):
            # Another holder lives and finds this epoch at its next renewal. Until then nobody may
            # take the one after: so it is left to grow old, not released.
            self.seen = self._look()  # who waits for a holder goes on waiting: this one is nobody's
            return False
        self.epoch = self.number = newest.number + 1
        self._renewed, self._is_closing = began, False
        self.armed, self.made_room = newest.armed, newest.made_room
        ago = max(0.0, newest.age - RESOLUTION) if newest.is_released else 0.0
        self.permits.restore(newest.permits, self.timing.request, ago)
        if self.epoch > KEPT:
            with suppress(StoreError):
                self.store.delete(layout.lease(self.epoch - KEPT))
        return True

    def renew(self) -> bool:
        """Renew when it is time. False: another instance has taken over. Raises StoreError."""
        if self.epoch is None:
            return False
        if self._silent_for() < self.timing.renew_after:
            return True
        began, key = self._moment(), layout.lease(self.epoch)
        self.store.put(key, self._body(self._kind))
        if self._may_be_followed() and [one.key for one in self._listed(1)] != [key]:
            self.epoch = None
            return False
        self._renewed = began
        return True

    def may_send(self) -> bool:
        """Whether a submission sent now is covered; asks nobody."""
        covered = self.epoch is not None and self._silent_for() < self.timing.send_for
        return covered and not self._is_closing

    def stop_sending(self) -> None:
        """Nothing new is sent from now on: the lease is about to be released."""
        self._is_closing = True

    def _may_be_followed(self) -> bool:
        """Whether a renewal that was acknowledged now came so late that a successor may have seen
        the epoch too old before it: only then has the holder to look for one."""
        return self._silent_for() >= self.timing.dead_after - MARGIN

    def is_lost(self) -> bool:
        """Whether the holder has been silent for so long that it may have been followed."""
        return self.epoch is None or self._silent_for() >= self.timing.dead_after

    def release(self) -> None:
        """Give the lease back, with the permits. Raises StoreError; the lease is gone even so."""
        epoch, self.epoch = self.epoch, None
        if epoch is not None:
            released: dict[str, Any] = {"released": True, "permits": self.permits.state()}
            if self.armed != NOT_ARMED:
                released["armed"] = vars(self.armed)
            if self.made_room:
                released["made_room"] = self.made_room
            self.store.put(layout.lease(epoch), self._body(self._kind, **released))

    def silent_for(self, epoch: int) -> float:
        """Seconds since the holder of an epoch was heard of last; infinite if it gave the lease
        back, or nothing of it is kept. Raises StoreError."""
        held = {len(self._body(kind)) for kind in (POLLER, SUBMIT)}
        found = (one for one in self._listed(KEPT) if layout.epoch_of(one.key) == epoch)
        kept = next(found, None)
        return kept.listed_at - kept.modified if kept and kept.size in held else math.inf

    def poller_lives(self) -> bool:
        """Whether a poller holds the lease now. Raises StoreError."""
        self.seen = self._look()
        return self.polled()

    def polled(self) -> bool:
        """Whether a poller held the lease at the last look; asks nobody."""
        lives = not self.seen.is_released and self.seen.age <= self.timing.dead_after
        return lives and self.seen.kind == POLLER

    def _look(self) -> Epoch:
        """The newest epoch. Only one that is not held by somebody has to be read."""
        self._looked = self._moment()
        entries = self._listed(1)
        if not entries:
            return NEVER_TAKEN
        newest = entries[0]
        held = {len(self._body(kind)): kind for kind in (POLLER, SUBMIT)}
        said = {} if newest.size in held else self._read(newest.key)
        return Epoch(
            layout.epoch_of(newest.key),
            newest.modified,
            newest.listed_at - newest.modified,
            held.get(newest.size) or str(said.get("kind")),
            bool(said.get("released")),
            said.get("permits"),
            _armed(said.get("armed")),
            _count(said.get("made_room")),
        )

    def _listed(self, most: int) -> list[Entry]:
        """The newest epochs; what a person or a newer release put there may come before them."""
        entries = walk(self.store, layout.LEASE, first=most + STRAY)
        return list(islice((one for one in entries if layout.is_ours(one.key, layout.LEASE)), most))

    def _may_be_late(self, before: Epoch) -> bool:
        """Whether somebody may have been faster: in so short a time `KEPT` epochs cannot pass."""
        return not before.is_released or _longer(self._looked, self._moment()) > PROMPT

    def _came_too_late(self, before: Epoch) -> bool:
        """Whether the holder that was taken for dead renewed its epoch after all, or so many others
        held the lease meanwhile that this number had become free again."""
        if before.number == 0:
            return False
        newest = self._listed(2)
        wanted = [layout.lease(before.number + 1), layout.lease(before.number)]
        return [one.key for one in newest] != wanted or newest[1].modified != before.since

    def _read(self, key: str) -> Mapping[str, Any]:
        try:
            said = json.loads(self.store.read(key, LEASE_BYTES).body)
        except (ObjectMissing, ValueError):
            said = None
        if isinstance(said, dict) and _count(said.get("version", VERSION)) <= VERSION:
            return said
        log.warning("%s cannot be read", key, extra=about("lease.unreadable", source=key))
        return {}

    def _body(self, kind: str, **more: Any) -> bytes:
        return json.dumps({"owner": self.owner, "kind": kind, **more}).encode()

    def _moment(self) -> tuple[float, float]:
        return self.clock.monotonic(), self.clock.now()

    def _silent_for(self) -> float:
        """Seconds since the start of the last renewal, by the clock that says more: a frozen
        instance's monotonic clock may have stopped with it."""
        return _longer(self._renewed, self._moment())


def _armed(said: Any) -> Armed:
    try:
        return Armed(float(said["at"]), int(said["early"]))
    except (TypeError, KeyError, ValueError, OverflowError):
        return NOT_ARMED


def _count(said: Any) -> int:
    return said if isinstance(said, int) else 0


def _longer(since: tuple[float, float], now: tuple[float, float]) -> float:
    return max(now[0] - since[0], now[1] - since[1])
