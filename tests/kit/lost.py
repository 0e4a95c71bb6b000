"""Jobs whose call was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.jobs.manifest import Outcome
from shared.ledger.record import NEEDS_ATTENTION, SUBMITTING
from tests.kit.world import MODEL, World

FACTS: dict[str, Any] = {"reason": "nothing came", "images": 1, "tasks": "task-1"}


def lost(world: World, job: str, model: str = MODEL, code: str = "CallLost", **own: Any) -> None:
    """A job that needs attention, as a call leaves it whose answer never came.

    `code`: of another error instead.
    """
    queued = world.queued(job, model, **own)
    app = world.app("caller")
    slot = app.ledger.slots.claim(model, job, queued.seq + 1)
    intent = replace(queued.following(SUBMITTING).claimed(slot), attempt=1, call=True)
    sent = app.ledger.records.append(intent)
    assert sent is not None
    why = app.rules.errors.ours(code, **FACTS)
    assert app.transitions.finish(sent, NEEDS_ATTENTION, Outcome(error=why)) is not None
    assert world.slots() == []
