"""What became of the tries to tell of a job, as people and programs see it."""

from __future__ import annotations

from typing import Any

from shared.ledger.outbox import Try
from shared.platform.clock import iso


def shown(made: Try) -> dict[str, Any]:
    """What became of a try, as people and programs see it."""
    return {
        "event": made.event,
        "id": made.id,
        "host": made.host,
        "try": made.number,
        "at": made.at,
        "outcome": made.outcome,
        "status": made.status,
        "why": made.why or None,
        "next_at": None if made.next_ms is None else iso(made.next_ms / 1000),
    }
