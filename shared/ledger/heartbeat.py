"""Who polls now, and how a sleeping poller is woken.

The heartbeat keeps two pollers from asking the same questions; correctness never rests on it.
`submit` and `api` write their record and marker first and look at the heartbeat after; a poller
that goes to rest takes its heartbeat away first and looks for work once more after. So either the
one sees that nobody polls, or the other sees the work.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from shared.platform.clock import Clock, from_iso, iso
from shared.platform.logs import about
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

LIFETIME = 30.0
RENEW = 10.0
WATCH = 1.0
BEAT_BYTES = 4096

log = logging.getLogger(__name__)


@dataclass
class Heartbeat:
    """The poller's sign of life. `owner` names this run."""

    store: ObjectStore
    clock: Clock
    owner: str
    _renew_at: float = 0.0

    def someone_else(self) -> bool:
        """Whether another poller is alive."""
        beat = self._read()
        return beat is not None and beat[0] != self.owner

    def outlast(self) -> bool:
        """Wait until a foreign heartbeat runs out; False as soon as it is renewed.

        The poller before this one may have been killed, and nobody would go on for it.
        """
        beat = self._read()
        while beat is not None and beat[0] != self.owner:
            self.clock.sleep(WATCH)
            now = self._read()
            if now is not None and now != beat:
                return False
            beat = now
        return True

    def anyone(self) -> bool:
        """Whether any poller is alive."""
        return self._read() is not None

    def beat(self) -> bool:
        """Renew when it is time. False: another poller has taken over, this one should go."""
        if self.clock.monotonic() < self._renew_at:
            return True
        if self._renew_at and self.someone_else():
            return False
        document = {"owner": self.owner, "until": iso(self.clock.now() + LIFETIME)}
        self.store.put(layout.HEARTBEAT, json.dumps(document).encode())
        self._renew_at = self.clock.monotonic() + RENEW
        return True

    def rest(self) -> None:
        """Take the sign of life away."""
        self._renew_at = 0.0
        self.store.delete(layout.HEARTBEAT)

    def wake(self) -> None:
        """Start a poller through the wake object's event."""
        document = {"by": self.owner, "at": iso(self.clock.now())}
        self.store.put(layout.WAKE, json.dumps(document).encode())

    def wake_if_nobody(self) -> None:
        """Start a poller unless one is alive."""
        if not self.anyone():
            self.wake()

    def _read(self) -> tuple[str, float] | None:
        try:
            document = json.loads(self.store.read(layout.HEARTBEAT, BEAT_BYTES).body)
            owner, until = str(document["owner"]), from_iso(document["until"])
        except ObjectMissing:
            return None
        except (ValueError, KeyError, TypeError):
            log.warning(
                "the heartbeat object cannot be read; it is taken for absent",
                extra=about("heartbeat.unreadable"),
            )
            return None
        return (owner, until) if until > self.clock.now() else None
