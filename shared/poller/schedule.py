"""When a poller looks at slots, at queues and for expired jobs: one schedule for one run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.ledger.wakeups import DELIVERY, PERMIT, TROUBLE
from shared.platform.clock import Clock
from shared.poller.backoff import Backoff

FIRST_LOOK, GROWTH, LAST_LOOK = 2.0, 3.0, 12.0
"""Seconds until the next look at the queues: after one that found something to submit, by what
that grows while nothing is found, and at most. Somebody may queue a job at any time without waking
a poller that is alive."""
STRAYS = 0.5
"""Seconds until the next look while something is left that nothing is known of."""


@dataclass
class Schedule:
    """Moments on the instance's monotonic clock; everything is due at the start.

    `slots_at`, `queues_at`, `expired_at`: when the next look is due; `expired_left`: the last look
    for expired jobs left some. `between`: seconds between two looks at the queues. `waits` says
    for each model when its queue is worth a look again, and `causes` why (its row in the table of
    wake-ups), `permits` when the next job of the last look may be sent; `delivery` when a receiver
    is to be told again; `trouble` holds jobs and slots that failed by themselves. `strays`:
    something may be there that this run does not know of. `closing`: nothing new is begun.
    """

    clock: Clock
    trouble: Backoff
    slots_at: float = 0.0
    queues_at: float = 0.0
    expired_at: float = 0.0
    expired_left: bool = False
    between: float = FIRST_LOOK
    waits: dict[str, float] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    permits: dict[str, float] = field(default_factory=dict)
    delivery: float | None = None
    strays: bool = False
    closing: bool = False

    @property
    def slots_due(self) -> bool:
        return self.clock.monotonic() >= self.slots_at

    @property
    def queues_due(self) -> bool:
        return self.clock.monotonic() >= self.queues_at

    def expired_due(self, every: float) -> bool:
        """Whether to look for expired jobs now; the next time is `every` seconds later."""
        now = self.clock.monotonic()
        if now < self.expired_at:
            return False
        self.expired_at, self.expired_left = now + every, False
        return True

    def expired_in(self, seconds: float) -> None:
        """No job expires before: look for expired jobs in so many seconds."""
        self.expired_at = self.clock.monotonic() + seconds

    def expired_now(self) -> None:
        """More jobs have expired than were ended: look again in the next round."""
        self.expired_at, self.expired_left = self.clock.monotonic(), True

    def expired_at_once(self) -> None:
        """A job has expired since the last look: look in the next round."""
        self.expired_at = self.clock.monotonic()

    def slots_looked_at(self, again_in: float) -> None:
        """Slots were looked at just now; the queues are looked at after them."""
        now = self.clock.monotonic()
        self.slots_at, self.queues_at = now + again_in, min(self.queues_at, now)

    def look_again(self) -> None:
        """Something may be there that this run does not know of: look at the slots soon."""
        self.strays = True
        self.slots_at = min(self.slots_at, self.clock.monotonic() + STRAYS)

    def queues_looked_at(self, found: bool) -> None:
        """Queues were looked at just now; while nothing new is found, the looks become rarer."""
        now = self.clock.monotonic()
        self.between = FIRST_LOOK if found else min(LAST_LOOK, GROWTH * self.between)
        self.queues_at = min([now + self.between, *self.waits.values()])

    def queues_now(self) -> None:
        """Something became free: look at the queues next."""
        self.queues_at = self.clock.monotonic()

    def everything_now(self) -> None:
        """Something came in unseen: look at slots and queues next."""
        self.slots_at = self.queues_at = self.clock.monotonic()

    def wait(self, model: str, seconds: float, cause: str) -> None:
        """A model's queue is worth a look again in `seconds`, or sooner if that was said before."""
        until = self.clock.monotonic() + seconds
        if until <= self.waits.get(model, until):
            self.waits[model], self.causes[model] = until, cause

    def go(self, model: str) -> None:
        """A model's queue is being looked at now."""
        self.waits.pop(model, None)
        self.permits.pop(model, None)

    def permit_in(self, model: str, seconds: float) -> None:
        """The next job of a model may be sent in `seconds`."""
        self.permits[model] = self.clock.monotonic() + seconds

    def permit_within(self, seconds: float) -> bool:
        """Whether a job of some model may be sent in that time."""
        return any(at - self.clock.monotonic() <= seconds for at in self.permits.values())

    def permitted(self) -> list[str]:
        """The models whose next job may be sent by now; they are forgotten."""
        now = self.clock.monotonic()
        due = [name for name, moment in self.permits.items() if moment <= now]
        for name in due:
            del self.permits[name]
        return due

    def deliver_in(self, seconds: float | None) -> None:
        """A receiver is to be told again in `seconds`; None: nobody is."""
        self.delivery = None if seconds is None else self.clock.monotonic() + seconds

    def makes_wait(self, model: str) -> bool:
        """Whether it is too early for a model's queue."""
        return model in self.waits or model in self.permits

    def next_look(self) -> float:
        """Seconds until slots, queues or a permit are due; may be negative."""
        due = min([self.slots_at, self.queues_at, *self.permits.values()])
        return due - self.clock.monotonic()

    def next_wait(self) -> float | None:
        """Seconds until a queue that waits, or a thing in trouble, is worth another look."""
        return min((seconds for _, seconds in self.dues()), default=None)

    def dues(self) -> Iterator[tuple[str, float]]:
        """What waits, by its row in the table of wake-ups, and the seconds until it is due."""
        now, trouble = self.clock.monotonic(), self.trouble.next_try()
        for model, until in self.waits.items():
            yield self.causes[model], until - now
        for until in self.permits.values():
            yield PERMIT, until - now
        if self.delivery is not None:
            yield DELIVERY, self.delivery - now
        if trouble is not None:
            yield TROUBLE, trouble
