"""Rate tickets: at most the documented submissions in any sliding window, over all instances.

Time is cut into ticks of the *store's* clock (the Date header of its answers), the one clock that
all instances share; one ticket can be made per tick. A ticket is good only if the store made it
within the tick it names, and only for `USE_WITHIN` seconds, measured by the instance itself.

With submissions reaching the service at most `SPREAD` seconds after their tick, and ticks of
`(window + SPREAD) / (count - 1)` seconds, no window ever holds more than `count`: the first of
`count + 1` arrives before the end of its tick plus SPREAD, the last not before the start of its
own, `count` ticks later. For a count of 1 ticks are as long as window and spread together and
tickets are good only in the first second of their tick.

Weakness: the bound is on sending; a network that holds a request back for longer than
`SPREAD - USE_WITHIN` can still bunch two. The price of exactness is rate: a limit of 2 a second
becomes one every 2 seconds, which no task of several seconds notices.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.platform.clock import Clock
from shared.storage import layout
from shared.storage.objects import Entry, ObjectStore

USE_WITHIN = 0.7
SPREAD = 1.0
SOON = 5.0
TICKET_BYTES = 4096


@dataclass(frozen=True)
class Ticket:
    """The right to send one submission before `good_until` (the instance's monotonic clock)."""

    good_until: float


@dataclass
class Tickets:
    """All models' tickets. `offset`: the store's clock minus ours, from its last answer."""

    store: ObjectStore
    clock: Clock
    offset: float = field(default=0.0, init=False)
    _early: dict[str, tuple[int, Mapping[str, object]]] = field(default_factory=dict, init=False)
    _used: dict[str, int] = field(default_factory=dict, init=False)

    def take(
        self, model: str, count: int, seconds: float, holder: Mapping[str, object]
    ) -> Ticket | float:
        """A ticket, or the number of seconds after which to ask again. Raises StoreError.

        `holder` (job, record number and mark of the slot) is written into the ticket: kept tickets
        are the log of what was submitted when. A ticket is never deleted: it may be another's by
        then. One that was made a little too early, by a clock that is ahead, is used in its time.
        """
        length = tick_length(count, seconds)
        early = self._early.pop(model, None)
        mine = early[0] if early is not None and early[1] == holder else None
        tick = int((self.clock.now() + self.offset) // length) if mine is None else mine
        for _ in range(3):
            asked = self.clock.monotonic()
            made = self.store.create(layout.ticket(model, tick), json.dumps(dict(holder)).encode())
            self.offset = made.at + 0.5 - self.clock.now()
            current = int(made.at // length)
            granted = made.created or tick == mine
            if current == tick:
                self._used[model] = tick
                late = count == 1 and made.at % length >= 1
                if granted and not late:
                    return Ticket(asked + USE_WITHIN)
                return (current + 1) * length - made.at
            if granted and 0 < tick * length - made.at <= SOON:
                self._early[model] = (tick, holder)
                return tick * length - made.at
            tick = current
        return 1.0

    def after(
        self, model: str, tick: int, known: dict[str, Mapping[str, Any]]
    ) -> Iterator[tuple[Entry, Mapping[str, Any]]]:
        """The tickets of later ticks, each with its holder. `known` keeps the holders by key, so
        that one run reads each once: a ticket never changes. Raises StoreError."""
        after = layout.ticket(model, tick)
        for entry in self.store.list(layout.tickets_of(model), after=after):
            if entry.key not in known:
                known[entry.key] = json.loads(self.store.read(entry.key, TICKET_BYTES).body)
            yield entry, known[entry.key]

    def next_in(self, model: str, count: int, seconds: float) -> float:
        """Seconds until it is worth asking for a ticket again: until the tick after the last one
        that this instance saw used, or up to a second less. Asks nobody."""
        if model not in self._used:
            return 0.0
        starts = (self._used[model] + 1) * tick_length(count, seconds)
        return max(0.0, starts - 0.5 - (self.clock.now() + self.offset))

    def usable(self, ticket: Ticket) -> bool:
        """Whether a submission sent now is still covered."""
        return self.clock.monotonic() < ticket.good_until


def used_at(made: float, tick_starts: float) -> float:
    """When a ticket was used, by the store's clock: when it was made, or, if that was a little too
    early, at the start of its tick."""
    return tick_starts if 0 < tick_starts - made <= SOON else made


def tick_length(count: int, seconds: float) -> int:
    """Whole seconds per tick for `count` submissions in any `seconds`."""
    if count == 1:
        return math.ceil(seconds + SPREAD) + 1
    return max(1, math.ceil((seconds + SPREAD) / (count - 1)))
