"""Waking the poller when something that is left is due: by a delayed call of the function itself.

One call is armed at a time, and the released lease remembers it. A call that comes twice or late
finds a poller at work, or nothing to do. One that comes far too early is not followed by another
before its moment: its run stays awake. Once that has happened twice in a row, no call is made any
more and the poller stays awake while something is left, until POLL_TIMER is every minute.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shared.ledger.ledger import Ledger
from shared.ledger.wakeups import DELIVERY, EXPIRY, NOT_ARMED, Armed, How, how
from shared.platform.fc.events import WakeUpEvent
from shared.platform.fc.invoke import LONGEST_DELAY, CallRefused, DelayedCalls
from shared.platform.logs import about
from shared.poller.schedule import Schedule

EARLY = 5.0
"""Seconds that a call may come before its moment, and by which clocks may differ."""
MOST_EARLY = 2
"""Calls in a row that come too early, from which on none is trusted."""
NEAR = 1.0
"""Seconds by which an armed call may come after something is due."""

log = logging.getLogger(__name__)


@dataclass
class Alarm:
    """The poller's alarm clock. `calls` None: the timer fires every minute, which does.

    `came`: the delayed call that started this run, if one did. `is_net`: the timer started it, so
    that a call under way may be lost.
    """

    ledger: Ledger
    schedule: Schedule
    calls: DelayedCalls | None = None
    came: WakeUpEvent | None = None
    is_net: bool = False

    def began(self) -> None:
        """The lease was taken: the call that started this run is not under way any more, and the
        safety net relies on none."""
        lease, came = self.ledger.lease, self.came
        if self.calls is None:
            lease.armed = NOT_ARMED
        elif self.is_net:
            lease.armed = Armed(early=lease.armed.early)
        elif came is not None and came.due == lease.armed.at:
            early = lease.armed.early + 1 if self.is_early() else 0
            lease.armed = Armed(early=early)
            if early:
                log.warning(
                    "a delayed call came %.0f s early, the %d. in a row",
                    *(came.due - self.ledger.clock.now(), early),
                    extra=about("wakeup.early", count=early),
                )

    def has_minute_timer(self) -> bool:
        """Whether a timer starts the next run within a minute, whatever becomes of this one."""
        return self.calls is None

    def is_early(self) -> bool:
        """Whether this run was called far too early and its moment has not come yet."""
        return self.came is not None and self.came.due - self.ledger.clock.now() > EARLY

    def is_counted_on(self) -> bool:
        """Whether another poller, by its own clock, may still wait for the call that came."""
        return self.came is not None and self.ledger.clock.now() < self.came.due + EARLY

    def arm(self, soon: float) -> bool:
        """Whether the poller may rest: nothing is due later, or something wakes it by then.

        What is due within `soon` seconds is waited for. Raises StoreError.
        """
        if self.calls is None:
            return True
        now = self.ledger.clock.now()
        due = self._due(now)
        if due is None or self._covers(due, now):
            return True
        if due <= now:
            self.schedule.expired_at_once()
        distrusted = self.ledger.lease.armed.early >= MOST_EARLY
        if due - now <= soon or self.is_early() or distrusted:
            return False
        return self._call(self.calls, min(due, now + LONGEST_DELAY), now)

    def is_late(self) -> bool:
        """Whether something that came in meanwhile is due before the armed call: a job expires, or
        a receiver is to be told. Raises StoreError."""
        if self.calls is None:
            return False
        now = self.ledger.clock.now()
        moments = (at for kind, at in self._moments(now) if kind in (EXPIRY, DELIVERY))
        return any(not self._covers(at, now) for at in moments)

    def _covers(self, due: float, now: float) -> bool:
        """Whether the call under way comes in time."""
        return now < self.ledger.lease.armed.at <= due + NEAR

    def _call(self, calls: DelayedCalls, at: float, now: float) -> bool:
        at = round(at, 3)
        try:
            calls.call(at - now, json.dumps({"wakeUp": {"due": at}}).encode())
        except CallRefused as error:
            facts = about("wakeup.refused", wait_s=round(at - now, 3))
            log.warning("the poller stays awake: %s", error, extra=facts)
            return False
        self.ledger.lease.armed = replace(self.ledger.lease.armed, at=at)
        return True

    def _due(self, now: float) -> float | None:
        """When the first thing is due that a delayed call wakes for, in seconds since 1970."""
        moments = (at for kind, at in self._moments(now) if how(kind) is How.CALL)
        return min(moments, default=None)

    def _moments(self, now: float) -> Iterator[tuple[str, float]]:
        for kind, seconds in self.schedule.dues():
            yield kind, now + seconds
        expiry = self._expiry()
        if expiry is not None:
            yield EXPIRY, expiry

    def _expiry(self) -> float | None:
        """When the first job expires that is not left alone; it may be past, if it came since."""
        if how(EXPIRY) is not How.CALL:
            return None
        return self.ledger.queue.next_expiry(self.schedule.trouble.held())
