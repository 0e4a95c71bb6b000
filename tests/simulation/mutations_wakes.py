"""Mistakes about what wakes the poller: a row of the table that does not, and a call that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.jobs.sweep import Sweep
from shared.ledger import wakeups
from shared.ledger.wakeups import WAKE_UPS, How
from shared.poller.alarm import Alarm
from shared.poller.poller import Poller
from tests.simulation.mutating import Change, Mutation, named, rewritten

NOT_FOUND = {
    wakeups.ADOPTED: "nobody adopts a task here",
    wakeups.CANCELED: "what a cancel leaves has a poller that is awake",
    wakeups.REDRIVEN: "rescue has woken the poller for the same event",
    wakeups.REBUILT: "in 215 worlds none waited for a rebuild alone",
    wakeups.PERMIT: "windows are a second long here; longer ones than 90 s do not exist yet",
    wakeups.TROUBLE: "nothing is damaged here",
}
"""Rows that unit tests hold (tests/unit/poller, tests/unit/jobs), and why no world shows them."""
AWAKE = {kind for kind, row in WAKE_UPS.items() if row.how is How.AWAKE}


def _silent(kind: str) -> Callable[[], list[Change]]:
    """Nobody is woken for this kind of thing."""
    table = WAKE_UPS | {kind: replace(WAKE_UPS[kind], how=How.AWAKE)}
    return lambda: [(wakeups, "WAKE_UPS", table)]


def rests_with_tasks() -> list[Change]:
    return [
        rewritten(Poller, "_nothing_left", "self.in_flight or ", ""),
        rewritten(Poller, "_rested", "not new and not self.ledger.slots.held()", "not new"),
    ]


def rests_in_doubt() -> list[Change]:
    sure = 'any(one.last.state != "SUBMITTING" for one in self.in_flight) or '
    return [
        rewritten(Poller, "_nothing_left", "self.in_flight or ", sure),
        rewritten(Poller, "_rested", "not new and not self.ledger.slots.held()", "not new"),
    ]


def nobody_sweeps() -> list[Change]:
    return [(Sweep, "go_on", lambda _self, _seconds: None)]


def sweeps_as_another_file() -> list[Change]:
    """A file that its event has brought already is another job for the sweep."""
    own = "self.intake.take(self.ledger.store.read(key, 1_000_000).body, Source(key, 'swept'))"
    return [
        (Sweep, "_is_known", lambda _self, _entry: False),
        rewritten(Sweep, "_take", "self.intake.take_object(key)", own),
    ]


def used_call_counts() -> list[Change]:
    """The call that started a run is taken for one that is still to come."""
    return [(Alarm, "began", lambda _self: None)]


ROWS = {
    f"{kind.replace(' ', '_')}_does_not_wake": Mutation(f"{kind}: nobody is woken", _silent(kind))
    for kind in WAKE_UPS
    if kind not in NOT_FOUND and kind not in AWAKE
}
WAKES = ROWS | named(
    ("a poller rests though tasks are in flight", rests_with_tasks),
    ("a poller rests though an attempt is in doubt", rests_in_doubt),
    ("a call that came early is still counted on", used_call_counts),
    ("files whose event never came are left", nobody_sweeps),
    ("the sweep makes another job of a file", sweeps_as_another_file),
)
