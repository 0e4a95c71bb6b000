"""Calls that begin at the same moment; tests/unit/api has what callers see of the others."""

from __future__ import annotations

from typing import Any

import pytest

from shared.jobs.repeats import Repeats
from tests.kit.world import World


def repeats(world: World) -> Repeats:
    app = world.app("api")
    return Repeats(app.store, app.clock)


@pytest.mark.parametrize("after", ["list", "create"])
@pytest.mark.parametrize("known", [False, True])
def test_calls_that_have_not_seen_each_other_get_one_job(after: str, known: bool) -> None:
    world, others = World(), list[str]()
    first = repeats(world)
    if known:
        first.delivered(first.begin("me", b"cat", "before", repeated=None))
        world.timeline.wait(1)
    do = getattr(first.store, after)

    def then_another_begins(*given: Any, **named: Any) -> Any:
        done = do(*given, **named)
        done = list(done) if after == "list" else done
        if not others:
            others.append("")
            others[0] = repeats(world).begin("me", b"cat", "second", repeated=None).job
        return done

    setattr(first.store, after, then_another_begins)
    job = first.begin("me", b"cat", "first", repeated=None).job
    assert others == [job]


def test_a_claim_of_a_call_that_was_never_written_down_binds_nobody() -> None:
    world = World()
    dead = repeats(world)
    create = dead.store.create

    def dies_then(key: str, body: bytes) -> Any:
        if not key.endswith("~next"):
            raise KeyboardInterrupt
        return create(key, body)

    dead.store.create = dies_then  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        dead.begin("me", b"cat", "dead", repeated=None)
    world.timeline.wait(10)
    assert repeats(world).begin("me", b"cat", "alive", repeated=None).job == "alive"
