"""Job files on their way into the queues: Function Compute's instances and its back-off, second by
second, for one account.

An event that finds no free instance comes back after 0.5 s, 1 s, 2 s and so on (retry policy page).
Events of a second that compete for too few instances are drawn by lot. A pause of 0.5 s counts as
one second. How much room an event finds also depends on OSS: no more is let in than keeps all
requests below the account's rate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

PARTS = 16
STEPS = range(-PARTS, PARTS + 1)
Room = Callable[[int, int], int]
"""(second, events let in during the second before) to the events there is room for."""


@dataclass(frozen=True)
class BackOff:
    """Seconds of the first and the longest pause, and how old an event may get.

    `jitter`: the share by which a pause may be shorter or longer; the documents name none.
    """

    first: float
    longest: float
    age: float
    jitter: float = 0.0

    def pauses(self, tries: int) -> list[int]:
        """Whole seconds until the next try, after `tries` tries; all are equally likely."""
        middle = min(self.longest, self.first * 2.0 ** min(tries - 1, 30))
        spread = sorted({round(middle * (1 + self.jitter * step / PARTS)) for step in STEPS})
        return [max(1, pause) for pause in spread] if self.jitter else [max(1, round(middle))]


@dataclass
class IntakeOutcome:
    """What became of the events. `admitted`: by second; `waits`: how many waited how long."""

    admitted: list[int] = field(default_factory=list)
    waits: Counter[int] = field(default_factory=Counter)
    given_up: int = 0
    waiting: int = 0
    tries: int = 0

    def waited(self, share: float) -> float:
        """Seconds that `share` of the events waited at most; 0 without events."""
        total, seen = sum(self.waits.values()), 0
        for seconds in sorted(self.waits):
            seen += self.waits[seconds]
            if seen >= share * total:
                return float(seconds)
        return 0.0


def take(arrivals: Sequence[int], room: Room, back_off: BackOff, seed: int = 1) -> IntakeOutcome:
    """Let events in, second by second; `arrivals` gives how many are new in each."""
    rng = np.random.default_rng(seed)
    back: dict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
    taken, before = IntakeOutcome(), 0
    for second, new in enumerate(arrivals):
        there = back.pop(second, Counter())
        there[(0, 0)] += int(new)
        before = _second(second, there, room(second, before), back_off, back, taken, rng)
        taken.admitted.append(before)
    taken.waiting = sum(sum(one.values()) for one in back.values())
    return taken


def _second(
    second: int,
    there: Counter[tuple[int, int]],
    room: int,
    back_off: BackOff,
    back: dict[int, Counter[tuple[int, int]]],
    taken: IntakeOutcome,
    rng: np.random.Generator,
) -> int:
    """Let in what there is room for, and send the rest away; how many were let in."""
    kinds = [kind for kind, count in there.items() if count]
    counts = [there[kind] for kind in kinds]
    total = sum(counts)
    taken.tries += total
    if total <= room:
        chosen = counts
    else:
        chosen = [int(one) for one in rng.multivariate_hypergeometric(counts, max(0, room))]
    for (tries, waited), count, let in zip(kinds, counts, chosen, strict=True):
        taken.waits[waited] += let
        if count > let:
            pauses = back_off.pauses(tries + 1)
            spread = rng.multinomial(count - let, [1 / len(pauses)] * len(pauses))
            for pause, many in zip(pauses, spread, strict=True):
                _send_away((second, tries, waited), pause, int(many), back_off, back, taken)
    return sum(chosen)


def _send_away(
    now: tuple[int, int, int],
    pause: int,
    many: int,
    back_off: BackOff,
    back: dict[int, Counter[tuple[int, int]]],
    taken: IntakeOutcome,
) -> None:
    """So many events come back after a pause, or are given up because they would be too old."""
    second, tries, waited = now
    if waited + pause > back_off.age:
        taken.given_up += many
    elif many:
        back[second + pause][(tries + 1, waited + pause)] += many
