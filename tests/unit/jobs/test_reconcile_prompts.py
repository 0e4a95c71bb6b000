"""Attempts of unknown outcome, of a model whose results show the prompt."""

from __future__ import annotations

import pytest

from shared.catalogue.models import Limits
from shared.jobs.reconcile import BLIND
from tests.kit.doubt import GRACE, in_doubt, resolve, resolve_for_long
from tests.kit.world import MODEL, World, model

LIMITS = Limits(5, 1, 4, 0)


@pytest.fixture()
def world() -> World:
    """A world with a model that does not."""
    return World(models=(model(limits=LIMITS),))


@pytest.fixture()
def telling() -> World:
    """A world with such a model."""
    world = World(models=(model(limits=LIMITS, prompt_key="orig_prompt"),))
    world.studio.prompt_key = "orig_prompt"
    return world


def test_a_foreign_task_of_the_same_second_is_told_by_its_prompt(telling: World) -> None:
    in_doubt(telling, "cat", made=False, pause=0.5)
    telling.studio.make(MODEL, "somebody else's")
    telling.timeline.wait(30)
    resolve(telling, "cat")
    assert telling.state("cat") == "SUBMITTING"
    telling.timeline.wait(BLIND * GRACE)
    resolve_for_long(telling, "cat")
    assert telling.record("cat")["error"]["code"] == "NoTaskMade"


def test_its_own_task_is_told_from_a_foreign_one_by_its_prompt(telling: World) -> None:
    telling.studio.make(MODEL, "somebody else's")
    in_doubt(telling, "cat", made=True, pause=0.5)
    telling.studio.make(MODEL, "a third one's")
    telling.timeline.wait(30)
    resolve(telling, "cat")
    assert telling.record("cat")["task_id"] == "task-2"


def test_a_task_that_the_service_does_not_know_just_now_is_asked_for_again(telling: World) -> None:
    in_doubt(telling, "cat", made=False, pause=0.5)
    telling.studio.make(MODEL, "somebody else's")
    telling.timeline.wait(30)
    telling.studio.shown["task-1"] = {"output": {"task_id": "task-1", "task_status": "UNKNOWN"}}
    resolve(telling, "cat")
    assert telling.state("cat") == "SUBMITTING"
    assert telling.record("cat").get("task_id") is None


def test_a_foreign_task_that_failed_is_not_the_jobs(telling: World) -> None:
    in_doubt(telling, "cat", made=False, pause=0.5)
    telling.studio.make(MODEL, "somebody else's", status="FAILED", code="InvalidParameter")
    telling.timeline.wait(30)
    resolve(telling, "cat")
    assert telling.state("cat") == "SUBMITTING"
    assert telling.record("cat").get("task_id") is None


def test_a_task_that_still_runs_is_waited_for(telling: World) -> None:
    telling.studio.seconds = 3 * GRACE
    in_doubt(telling, "cat", made=True, pause=0.5)
    telling.timeline.wait(2 * GRACE)
    resolve(telling, "cat")
    assert telling.state("cat") == "SUBMITTING", "its prompt is not shown yet"
    telling.timeline.wait(2 * GRACE)
    resolve(telling, "cat")
    assert telling.record("cat")["task_id"] == "task-1"


def test_a_long_prompt_may_be_shown_cut(telling: World) -> None:
    prompt = "a cat " * 40
    in_doubt(telling, "cat", made=True, pause=0.5, prompt=prompt)
    telling.studio.make(MODEL, "a cat " * 5)
    telling.studio.tasks["task-1"].prompt = f"{prompt[:100]}…"
    telling.timeline.wait(30)
    resolve(telling, "cat")
    assert telling.record("cat")["task_id"] == "task-1"


def two_in_doubt_beside_a_foreign_task(world: World) -> None:
    """All within one second."""
    in_doubt(world, "cat", made=True, pause=0.1)
    in_doubt(world, "dog", made=True, pause=0.1)
    world.studio.make(MODEL, "somebody else's")
    world.timeline.wait(30)


def test_two_in_doubt_within_a_second_each_adopt_their_own_by_prompt(telling: World) -> None:
    two_in_doubt_beside_a_foreign_task(telling)
    for job in ("dog", "cat"):
        resolve(telling, job)
    assert [telling.record(job)["task_id"] for job in ("cat", "dog")] == ["task-1", "task-2"]


def test_without_prompts_both_are_put_before_a_person(world: World) -> None:
    two_in_doubt_beside_a_foreign_task(world)
    world.timeline.wait(GRACE)
    for job in ("cat", "dog"):
        resolve(world, job)
        assert world.state(job) == "NEEDS_ATTENTION"
        assert "task-1" in world.manifest(job)["error"]["message"]


@pytest.mark.parametrize("made", [(True, False), (False, True)])
def test_with_the_same_prompt_nobody_adopts_by_prompt_alone(
    telling: World, made: tuple[bool, bool]
) -> None:
    for job, its in zip(("cat", "dog"), made, strict=True):
        in_doubt(telling, job, made=its, pause=0.1, prompt="the same")
    telling.timeline.wait(30)
    for job in ("cat", "dog"):
        resolve(telling, job)
        assert telling.state(job) == "SUBMITTING"
    telling.timeline.wait(GRACE)
    for job in ("cat", "dog"):
        resolve(telling, job)
        assert telling.state(job) == "NEEDS_ATTENTION", "given up, the other one is still a rival"
