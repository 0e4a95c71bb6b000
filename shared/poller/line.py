"""A task in flight as the poller knows it, and its place in its model's line at the service."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shared.ledger.record import Record
from shared.ledger.slots import Slot
from shared.platform.clock import from_iso

TOO_SHORT = 0.001
"""Seconds that are not worth another sleep."""
STUCK = 3
"""Questions without an answer after which a task is taken for one that keeps nothing busy."""


@dataclass(frozen=True)
class Moment:
    """A moment that was seen between two questions (monotonic), and how far these were apart."""

    at: float
    within: float


@dataclass
class InFlight:
    """A held slot and its job's last record. Times on the instance's monotonic clock.

    `behind`: as many tasks as the model runs at once are before this one, so it cannot have
    begun; `runs`: the service has said that it has, `waited_at`: when it last said that it has not,
    though nothing of ours is before it. `started_within`: how many seconds the start
    may be wrong. `early`: it is asked for before tasks are likely to end; only such a task tells
    how long tasks take, because of the others the quick ones are not seen. `finished_remotely`: the
    service is done with it, its images are still to be fetched. `open_at`: when it was last seen
    unfinished; `asked_at`: when it was last asked for by itself. `working`: something is done for
    it right now. `listed`: a listing has shown it as running. `failures`: how often in a row the
    service could not be asked, since `silent_since`; `unfetched`: how often its images could not be
    fetched. `first`: the record with the job's spec, if at hand.
    """

    slot: Slot
    last: Record
    claimed: float
    started: float
    ask_at: float
    started_within: float = math.inf
    early: bool = False
    behind: bool = False
    runs: bool = False
    waited_at: float | None = None
    finished_remotely: bool = False
    open_at: float | None = None
    asked_at: float = -math.inf
    working: bool = False
    listed: bool = False
    failures: int = 0
    silent_since: float = -math.inf
    unfetched: int = 0
    first: Record | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is to be asked for. Who slept until that moment may wake a little before."""
        return now >= self.ask_at - TOO_SHORT


def is_in_line(inflight: InFlight) -> bool:
    """Whether a task may keep others waiting; one that cannot be asked for does not."""
    return not inflight.finished_remotely and inflight.failures < STUCK


def place_in_line(inflight: InFlight) -> tuple[bool, bool, float]:
    """The service takes tasks in the order in which they reach it: as a rule, that of sending.

    That is not the order of the slots: they come before the permit and are dated in whole seconds.
    """
    sent_at, waits = inflight.last.submitted_at, not inflight.runs
    return (waits, False, from_iso(sent_at)) if sent_at else (waits, True, inflight.claimed)
