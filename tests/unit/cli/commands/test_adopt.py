"""`wanx adopt`: words and exit codes."""

from __future__ import annotations

from tests.kit import wanx
from tests.kit.studio import lose_answer
from tests.kit.world import MODEL, World, run


def test_a_task_is_given_to_a_job(world: World) -> None:
    world.queued("cat")
    app = world.app("poller", unknown_policy="ask")
    world.studio.script.append(lose_answer)
    run(world, app=app)
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert wanx.run("adopt", "cat", "task-1").splitlines()[0] == "cat: PENDING with task task-1"
    run(world)
    assert world.state("cat") == "SUCCEEDED"


def test_what_cannot_be_adopted_is_said(world: World) -> None:
    world.queued("cat")
    world.studio.make(MODEL)
    assert "cat: not adopted: The job is QUEUED" in wanx.run("adopt", "cat", "task-1", code=1)
    assert "There is no such job" in wanx.run("adopt", "cow", "task-1", code=1)
