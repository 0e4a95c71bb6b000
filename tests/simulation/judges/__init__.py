"""The judges: one class for each promise beside the chain's own rules (invariants.py)."""

from __future__ import annotations

from tests.simulation.judges.attempts import Attempts
from tests.simulation.judges.attention import Attention
from tests.simulation.judges.bill import Bill
from tests.simulation.judges.calls import Calls
from tests.simulation.judges.clashes import Clashes
from tests.simulation.judges.expiry import Expiry
from tests.simulation.judges.facts import Facts, Judge
from tests.simulation.judges.families import Families
from tests.simulation.judges.idle import Idle
from tests.simulation.judges.index import Index
from tests.simulation.judges.order import Order
from tests.simulation.judges.partial import Partial
from tests.simulation.judges.pauses import Pauses
from tests.simulation.judges.refusals import Refusals

__all__ = ["Facts", "Judge", "judges"]

KINDS: tuple[type[Judge], ...] = (
    Order,
    Pauses,
    Idle,
    Refusals,
    Expiry,
    Attempts,
    Partial,
    Families,
    Attention,
    Bill,
    Index,
    Clashes,
    Calls,
)


def judges(facts: Facts) -> list[Judge]:
    """All of them, for one run."""
    return [kind(facts) for kind in KINDS]
