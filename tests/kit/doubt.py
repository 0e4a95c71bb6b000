"""Attempts whose outcome is not known, and a look at one."""

from __future__ import annotations

from shared.app import App
from shared.ledger.record import Record
from tests.kit.studio import lose_answer, lose_request
from tests.kit.world import World, submit

GRACE = 120.0


def resolve(where: World | App, job: str) -> Record | None:
    """Look at an attempt as a poller does, which holds the lease."""
    app = where.app("resolver") if isinstance(where, World) else where
    assert app.ledger.lease.take_when_free(app.clock.monotonic() + 600)
    last = app.ledger.records.last(job)
    assert last is not None
    try:
        return app.poller.follower.reconciliation.resolve(last)
    finally:
        app.ledger.lease.release()


def resolve_for_long(world: World, job: str) -> None:
    """Look at an attempt, and once more after the grace: one empty list is not believed."""
    app = world.app("resolver")
    resolve(app, job)
    world.timeline.wait(GRACE + 1)
    if world.state(job) != "QUEUED":
        resolve(app, job)


def in_doubt(
    world: World, job: str, *, made: bool, pause: float = 2.0, prompt: str | None = None
) -> None:
    """A job whose attempt was not answered, `pause` seconds ago."""
    world.queued(job, prompt=prompt)
    world.studio.script.append(lose_answer if made else lose_request)
    submit(world.app(job), job)
    world.timeline.wait(pause)
