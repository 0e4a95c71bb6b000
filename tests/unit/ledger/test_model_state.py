"""What is known of a model, where several threads learn at once."""

from __future__ import annotations

from shared.ledger.model_state import ModelState
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from tests.kit.hooks import once
from tests.kit.world import MODEL, World, store_of


def test_a_pause_that_begins_while_the_state_is_read_is_kept() -> None:
    world = World()
    world.app("before").ledger.model_states.save(MODEL, ModelState(durations=[5.0]))
    app, begun = world.app(), list[bool]()
    breakers = app.ledger.breakers
    error = ServiceError("Arrearage", "unpaid", 400)
    rule = app.rules.errors.classify("Arrearage", "unpaid", 400)

    def pause() -> None:
        begun.append(True)
        breakers.pause(MODEL, error, rule)

    store_of(app).after.append(once("read", layout.model_state(MODEL), pause))
    breakers.paused_for(MODEL)
    assert begun
    assert breakers.paused_for(MODEL) > 60
    assert breakers.is_open(MODEL)
