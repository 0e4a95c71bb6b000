"""Other code that is deployed takes over in time, and two versions do not go round in a loop."""

from __future__ import annotations

from shared.storage import layout
from tests.simulation.judges.facts import Facts, Judge
from tests.simulation.upgrade import LINGER, Upgrade

SOON, GAINED = 60.0, 30.0
"""Seconds after which a poller of other code is gone: a look at the queues and what is being sent;
and the patience that a poller has after another one made room, doubled with each further one."""
LATE = SOON + 4 * GAINED
MANY, MINUTE = 5, 60.0
"""More often than this within so many seconds no poller makes room."""
ROOM = "made room for other code"


class HandOver(Judge):
    """`polling`: the code of each poller that runs, and since when."""

    def __init__(
        self, facts: Facts, upgrade: Upgrade, polling: dict[str, tuple[str, float]]
    ) -> None:
        super().__init__(facts)
        self._upgrade, self._polling = upgrade, polling
        self._said, self._said_at = "", 0.0
        self._rooms: list[float] = []
        facts.bucket.watchers.append(self._written)

    def _written(self, key: str, _before: bytes | None, after: bytes | None) -> None:
        if key == layout.DEPLOYED:
            self._said, self._said_at = (after or b"").decode(), self.facts.now

    def returned(self, word: object) -> None:
        """A poller has ended with this word."""
        if word != ROOM:
            return
        self._rooms.append(self.facts.now)
        if len(self._rooms) > MANY and self._rooms[-1] - self._rooms[-1 - MANY] < MINUTE:
            what = f"{MANY + 1} times within {MINUTE:.0f} s"
            self.violate("two versions do not hand over in a loop", what)

    def ticked(self) -> None:
        """In quiet weather, once it was said what is deployed."""
        now = self.facts.now
        if self.facts.quiet_for(now) < LATE or self._said != self._upgrade.code("poll", now):
            return
        changed = self._upgrade.changed("poll", now) + LINGER
        since = max(self.facts.quiet_since, self._said_at, changed)
        made = sum(room > self._said_at for room in self._rooms)
        patience = max(LATE, SOON + GAINED * 2.0**made)
        for name, (code, began) in self._polling.items():
            if code != self._said and now > max(since, began) + patience:
                self.violate("other code takes over in time", f"{name} runs since {began:.0f}")
