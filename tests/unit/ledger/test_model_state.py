"""What is known of a model, where several threads learn at once."""

from __future__ import annotations

import pytest

from shared.ledger.model_state import PAUSE_FRESH, ModelState, Pause
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from tests.kit.hooks import once
from tests.kit.world import MODEL, World, run, store_of


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


def test_a_state_that_is_read_while_another_is_written_is_not_believed() -> None:
    """The store may answer the read from before the write, and after it was done."""
    world = World()
    app, seen = world.app(), list[float]()
    breakers, states = app.ledger.breakers, app.ledger.model_states
    error = ServiceError("Arrearage", "unpaid", 400)
    rule = app.rules.errors.classify("Arrearage", "unpaid", 400)

    def another_thread_reads() -> None:
        world.timeline.wait(PAUSE_FRESH + 1)
        seen.append(breakers.paused_for(MODEL))

    states.save(MODEL, ModelState(pause=Pause(world.timeline.now + 5, "Throttling", "", False)))
    store_of(app).before.append(once("put", layout.model_state(MODEL), another_thread_reads))
    breakers.pause(MODEL, error, rule)
    assert seen[0] > 60
    assert breakers.paused_for(MODEL) > 60


def test_the_store_ends_with_what_is_known_where_two_threads_write() -> None:
    """The first one's write may be the one that the store does last."""
    world = World()
    app, pauses = world.app(), list[Pause]()
    states, now = app.ledger.model_states, world.timeline.now
    state = ModelState()

    def another_thread_learns() -> None:
        state.pause = Pause(now + 9, "Arrearage", "", True)
        states.save(MODEL, state)
        pauses.append(Pause(now + 9, "Arrearage", "", True))

    state.pause = Pause(now + 5, "Throttling", "", False)
    store_of(app).before.append(once("put", layout.model_state(MODEL), another_thread_learns))
    states.save(MODEL, state)
    assert states.known(MODEL).pause == pauses[0]
    assert world.app("other").ledger.model_states.get(MODEL).pause == pauses[0]


def test_a_pause_is_not_longer_because_reading_it_took_long() -> None:
    """As where the instance was frozen meanwhile."""
    world = World()
    until = world.timeline.now + 500
    pause = Pause(until, "Arrearage", "", True)
    world.app("before").ledger.model_states.save(MODEL, ModelState(pause=pause))
    app = world.app()
    slow = once("read", layout.model_state(MODEL), lambda: world.timeline.wait(290))
    store_of(app).after.append(slow)
    assert app.ledger.breakers.paused_for(MODEL) <= until - world.timeline.now + 0.1


def test_what_two_instances_learn_is_kept() -> None:
    """One sends, the other waits for its last answers: neither overwrites the other."""
    world = World()
    one, other = world.app("one").ledger, world.app("other").ledger
    for ledger in (one, other):
        ledger.model_states.get(MODEL)
    one.durations.called(MODEL, 1.0)
    other.durations.called(MODEL, 2.0)
    error = ServiceError("Arrearage", "unpaid", 400)
    other.breakers.pause(MODEL, error, world.app().rules.errors.classify("Arrearage", "", 400))
    one.model_states.flush()
    other.model_states.flush()
    one.durations.called(MODEL, 3.0)
    one.model_states.flush()
    fresh = world.app("fresh").ledger
    assert list(fresh.durations.of(MODEL)) == [2.0, 1.0, 3.0]
    assert fresh.breakers.paused_for(MODEL) > 60


def test_a_pause_that_the_other_instance_ended_stays_ended() -> None:
    world = World()
    one, other = world.app("one").ledger, world.app("other").ledger
    error = ServiceError("Arrearage", "unpaid", 400)
    one.breakers.pause(MODEL, error, world.app().rules.errors.classify("Arrearage", "", 400))
    assert other.breakers.resume(MODEL)
    one.durations.called(MODEL, 3.0)
    one.model_states.flush()
    assert world.app("fresh").ledger.breakers.paused_for(MODEL) == 0


def test_a_pause_that_another_thread_writes_while_this_one_reads_is_kept() -> None:
    """What this one has read is older, though nothing of it was changed since by this one."""
    world = World()
    world.app("before").ledger.model_states.save(MODEL, ModelState(durations=[5.0]))
    app = world.app()
    error = ServiceError("Arrearage", "unpaid", 400)
    rule = app.rules.errors.classify("Arrearage", "unpaid", 400)
    app.ledger.durations.called(MODEL, 6.0)

    def pause() -> None:
        app.ledger.breakers.pause(MODEL, error, rule)

    store_of(app).after.append(once("read", layout.model_state(MODEL), pause))
    app.ledger.model_states.flush()
    assert app.ledger.breakers.is_open(MODEL)
    fresh = world.app("fresh").ledger
    assert fresh.breakers.paused_for(MODEL) > 60
    assert list(fresh.durations.of(MODEL))[-1] == 6.0


def test_a_pause_of_another_instance_is_over_once_a_later_task_was_accepted() -> None:
    """That it was written is heard of only when this instance writes what it has learned."""
    world = World()
    one, other = world.app("one").ledger, world.app("other").ledger
    one.durations.called(MODEL, 3.0)
    error = ServiceError("Arrearage", "unpaid", 400)
    other.breakers.pause(MODEL, error, world.app().rules.errors.classify("Arrearage", "", 400))
    world.timeline.wait(10.0)
    one.breakers.accepted(MODEL, world.timeline.now)
    one.model_states.flush()
    assert world.app("fresh").ledger.breakers.paused_for(MODEL) == 0


def test_a_pause_that_is_read_when_a_later_task_is_accepted_is_over_for_all() -> None:
    world = World()
    one, other = world.app("one").ledger, world.app("other").ledger
    error = ServiceError("Arrearage", "unpaid", 400)
    other.breakers.pause(MODEL, error, world.app().rules.errors.classify("Arrearage", "", 400))
    world.timeline.wait(10.0)
    one.breakers.accepted(MODEL, world.timeline.now)
    assert world.app("fresh").ledger.breakers.paused_for(MODEL) == 0


def test_one_listing_tells_which_models_need_no_reading() -> None:
    world = World()
    world.app("before").ledger.model_states.save(MODEL, ModelState(durations=[5.0]))
    ledger = world.app().ledger
    ledger.durations.look_for([MODEL, "one", "two"])
    before = world.bucket.count()
    assert [list(ledger.durations.of(name)) for name in ("one", "two")] == [[], []]
    assert world.bucket.count() == before
    assert list(ledger.durations.of(MODEL)) == [5.0]


@pytest.mark.parametrize(
    "body",
    [
        '{"pause": {"until": "soon", "code": "x", "message": "x", "blocked": true}}',
        '{"pause": {"until": null, "code": "x", "message": "x", "blocked": true}}',
        '{"pause": {"code": "x"}}',
        '{"refused": 5}',
        '{"doubted_at": 1' + "0" * 400 + "}",
        '{"made": ' + "[" * 100_000,
    ],
    ids=["until-text", "until-null", "pause-cut", "refused", "number", "nested"],
)
def test_a_state_of_any_other_form_stops_no_model(body: str) -> None:
    world = World()
    world.bucket.write(layout.model_state(MODEL), body.encode())
    world.queued("cat")
    run(world)
    assert world.state("cat") == "SUCCEEDED"
