"""Job files on their way into the queues: Function Compute's instances and its back-off.

Second by second, for one account. An event that finds no free instance comes back after 0.5 s, 1 s,
2 s and so on (retry policy page). Events of a second that compete for too few instances are chosen
by lot. A pause of 0.5 s counts as one second. How much room an event finds also depends on OSS: no
more events get in than keep all requests below the account's rate.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

Event = tuple[int, int]
"""Tries, and seconds waited."""


@dataclass(frozen=True)
class BackOff:
    """Seconds of the first and the longest pause, and how old an event may get.

    `jitter`: the share by which a pause may be shorter or longer; the documents name none.
    """

    first: float
    longest: float
    age: float
    jitter: float = 0.0

    def pause(self, tries: int, rng: random.Random) -> int:
        """Whole seconds until the next try, after `tries` tries."""
        middle = min(self.longest, self.first * 2.0 ** min(tries - 1, 30))
        return max(1, round(middle * (1 + self.jitter * rng.uniform(-1, 1))))


@dataclass
class Events:
    """What became of the events. `admitted`: by second; `waits`: how many waited how long."""

    back_off: BackOff
    rng: random.Random
    admitted: list[int] = field(default_factory=list)
    waits: Counter[int] = field(default_factory=Counter)
    given_up: int = 0
    tries: int = 0
    _back: dict[int, Counter[Event]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def waiting(self) -> int:
        """Events that still wait for their next try."""
        return sum(sum(events.values()) for events in self._back.values())

    def second(self, new: int, room: int) -> None:
        """Let in as many events as there is room for, and send the rest away."""
        now = len(self.admitted)
        events = self._back.pop(now, Counter())
        events[0, 0] += new
        total = sum(events.values())
        chosen = events if total <= room else self._chosen(events, max(0, room))
        for (tries, waited), count in events.items():
            self.waits[waited] += chosen[tries, waited]
            self._send_away(now, (tries, waited), count - chosen[tries, waited])
        self.tries += total
        self.admitted.append(min(total, max(0, room)))

    def _chosen(self, events: Counter[Event], room: int) -> Counter[Event]:
        return Counter(self.rng.sample(list(events), counts=list(events.values()), k=room))

    def _send_away(self, now: int, event: Event, many: int) -> None:
        """So many events come back after a pause; those that would be too old are given up."""
        tries, waited = event
        if self.back_off.jitter:
            pauses = Counter(self.back_off.pause(tries + 1, self.rng) for _ in range(many))
        else:
            pauses = Counter({self.back_off.pause(tries + 1, self.rng): many})
        for pause, count in pauses.items():
            if waited + pause > self.back_off.age:
                self.given_up += count
            elif count:
                self._back[now + pause][tries + 1, waited + pause] += count


def waited(waits: Counter[int], share: float) -> float:
    """Seconds that `share` of all waited at most; 0 if nothing came."""
    total, seen = sum(waits.values()), 0
    for seconds in sorted(waits):
        seen += waits[seconds]
        if seen >= share * total:
            return float(seconds)
    return 0.0
