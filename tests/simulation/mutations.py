"""Deliberate mistakes in `shared`: a simulation that misses them proves nothing."""

from __future__ import annotations

from tests.simulation.mutating import NONE, Mutation
from tests.simulation.mutations_calls import CALLS
from tests.simulation.mutations_entrances import ENTRANCES
from tests.simulation.mutations_lease import LEASE
from tests.simulation.mutations_locks import LOCKS
from tests.simulation.mutations_money import MONEY
from tests.simulation.mutations_queue import QUEUE
from tests.simulation.mutations_tasks import TASKS
from tests.simulation.mutations_upgrade import UPGRADE
from tests.simulation.mutations_wakes import WAKES
from tests.simulation.mutations_webhooks import WEBHOOKS

__all__ = ["MUTATIONS", "NONE", "Mutation"]

MUTATIONS = LEASE | LOCKS | QUEUE | MONEY | TASKS | ENTRANCES | WAKES | UPGRADE | CALLS | WEBHOOKS
"""All of them by name."""
