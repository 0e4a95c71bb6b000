"""Mistakes about making room for other code that is deployed."""

from __future__ import annotations

from shared.ledger.deployed import Deployed
from shared.poller.poller import Poller
from tests.simulation.mutating import Change, named, rewritten


def other_code_not_seen() -> list[Change]:
    return [(Deployed, "is_other", lambda _self, _seen: False)]


def hands_over_in_a_loop() -> list[Change]:
    """How often it was done is not counted."""
    return [rewritten(Poller, "_other_code", "lease.made_room += 1", "pass")]


def every_code_is_other_code() -> list[Change]:
    return [
        (Deployed, "is_other", lambda _self, seen: seen is not None),
        rewritten(Poller, "_other_code", "lease.made_room += 1", "pass"),
    ]


UPGRADE = named(
    ("a poller does not see that other code is deployed", other_code_not_seen),
    ("two versions hand over to each other in a loop", hands_over_in_a_loop),
    ("a poller makes room for its own code, again and again", every_code_is_other_code),
)
