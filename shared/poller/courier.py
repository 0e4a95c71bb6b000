"""The courier: when receivers are told of jobs, in works beside the poller's round.

It looks at the outbox when the poller begins, now and then while it is awake, and once more before
it rests; what the poller's own jobs lead to it knows without a look. A deployment without a
WEBHOOK_KEY sends no webhooks, and its poller looks at nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from shared.jobs.deliveries import Deliveries
from shared.ledger.ledger import Ledger
from shared.ledger.outbox import Entry
from shared.platform.concurrency import Lane, Outcome, Workers
from shared.poller.guard import Guard

TELLING = Lane("tell", 16)
MOST_EACH = 2
"""Tries that the host of a receiver gets at once: one that does not answer holds up nobody else."""
LOOK = 12.0
"""Seconds between two looks at the outbox while the poller is awake: a job that was rejected or
canceled elsewhere meanwhile waits for no more."""
MOST_DUE = 5000


@dataclass
class Courier:
    """`deliveries`: makes what tells, which most deployments never need. `later`: when the first
    entry is due that is not due yet, in seconds since 1970."""

    ledger: Ledger
    deliveries: Callable[[], Deliveries]
    workers: Workers
    guard: Guard
    later: float | None = None
    _due: dict[str, Entry] = field(default_factory=dict)
    _working: set[str] = field(default_factory=set)
    _look_at: float = 0.0

    @property
    def left(self) -> bool:
        """Whether somebody is still to be told, now or later."""
        return bool(self._due) or self.later is not None

    def round(self) -> None:
        """Begin the tries that are due. Raises StoreError."""
        if not self.ledger.webhooks.keys:
            return
        clock = self.ledger.clock
        self._hear_news()
        is_due = self.later is not None and self.later <= clock.now()
        if is_due or clock.monotonic() >= self._look_at:
            self._look()
        busy = Counter(self._due[key].mark for key in self._working if key in self._due)
        for key, entry in list(self._due.items()):
            free = busy[entry.mark] < MOST_EACH and key not in self._working
            if free and not self.guard.schedule.trouble.holds(key) and self.guard.may_begin():
                busy[entry.mark] += 1
                self._begin(key, entry)
        self._plan()

    def _plan(self) -> None:
        now = self.ledger.clock.now()
        self.guard.schedule.deliver_in(None if self.later is None else self.later - now)

    def ready(self) -> set[str]:
        """What is due and could be tried, by a fresh look at the outbox. Raises StoreError."""
        if not self.ledger.webhooks.keys:
            return set()
        self._look()
        self._plan()
        trouble = self.guard.schedule.trouble
        return {key for key in self._due if not trouble.holds(key)}

    def _hear_news(self) -> None:
        news = self.ledger.outbox.news
        while news:
            self._expect(news.popleft())

    def _expect(self, entry: Entry) -> None:
        due = entry.due_ms / 1000
        if due <= self.ledger.clock.now():
            self._due[entry.key] = entry
        else:
            self.later = due if self.later is None else min(self.later, due)

    def _look(self) -> None:
        due, following = self.ledger.outbox.due(MOST_DUE)
        found = {entry.key: entry for entry in due}
        under_way = {key: self._due[key] for key in self._working if key in self._due}
        self._due = found | under_way
        self.later = None if following is None else following.due_ms / 1000
        self._look_at = self.ledger.clock.monotonic() + LOOK

    def _begin(self, key: str, entry: Entry) -> None:
        self._working.add(key)
        work = partial(self.guard.unless_closing, partial(self.deliveries().tell, entry))
        self.workers.start(TELLING, work, partial(self._told, key, entry))

    def _told(self, key: str, entry: Entry, following: Outcome[Entry | None]) -> None:
        self._working.discard(key)
        self.guard.apart(key, entry.job, lambda: self._go_on(key, following()))

    def _go_on(self, key: str, following: Entry | None) -> None:
        self.guard.schedule.trouble.succeeded(key)
        self._due.pop(key, None)
        if following is not None:
            self._expect(following)
