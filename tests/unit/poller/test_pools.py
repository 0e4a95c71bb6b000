"""Models of one pool share what the service processes at once."""

from __future__ import annotations

import pytest

from shared.app import App
from shared.catalogue.models import Limits
from tests.kit.world import MODEL, OTHER, World, job_file, model, run
from tests.simulation.studio import SimTask

THIRD = "chalk"
TWO = Limits(submissions=5, per_seconds=1, concurrent=2, queue_ahead=0, pool="atelier")
FREE = Limits(submissions=50, per_seconds=1, concurrent=None, queue_ahead=0)


def world_of(limits: Limits, *names: str) -> World:
    return World(models=tuple(model(name, limits) for name in names))


@pytest.fixture()
def world() -> World:
    return world_of(TWO, MODEL, OTHER)


def most_at_once(tasks: list[SimTask]) -> int:
    """How many tasks were under way together at the worst moment."""
    return max(sum(other.created <= one.created < other.end for other in tasks) for one in tasks)


def test_models_of_a_pool_never_have_more_in_flight_than_it_runs_at_once(world: World) -> None:
    jobs = [f"job-{number}" for number in range(8)]
    for number, job in enumerate(jobs):
        world.queued(job, (MODEL, OTHER)[number % 2])
    assert run(world) == "nothing left"
    assert {world.state(job) for job in jobs} == {"SUCCEEDED"}
    assert most_at_once(list(world.studio.tasks.values())) == 2


def test_models_without_a_pool_do_not_share(world: World) -> None:
    world = world_of(Limits(5, 1, 2, 0), MODEL, OTHER)
    for number in range(8):
        world.queued(f"job-{number}", (MODEL, OTHER)[number % 2])
    assert run(world) == "nothing left"
    assert most_at_once(list(world.studio.tasks.values())) == 4


def test_who_waits_longest_in_a_pool_is_next(world: World) -> None:
    one = Limits(submissions=5, per_seconds=1, concurrent=1, queue_ahead=0, pool="atelier")
    world = world_of(one, MODEL, OTHER, THIRD)
    order = [MODEL, OTHER, OTHER, THIRD, MODEL, THIRD, OTHER, MODEL]
    for number, name in enumerate(order):
        world.queued(f"job-{number}", name)
    assert run(world) == "nothing left"
    assert [post.body["model"] for post in world.studio.posts] == order


def test_a_submission_at_once_counts_the_whole_pool(world: World) -> None:
    """Of a job file that comes while no poller is there."""
    for number in range(2):
        world.queued(f"job-{number}")
    poller = world.app("poller")
    assert run(world, 3.0, poller) != "nothing left"
    world.bucket.write("jobs/late.json", job_file(model=OTHER, id="late"))
    assert world.lease_is_free()
    accept(world.app("submit"))
    assert world.states("late") == ["QUEUED"]
    assert run(world) == "nothing left"
    assert most_at_once(list(world.studio.tasks.values())) == 2


def accept(app: App) -> None:
    app.acceptance.job_file("jobs/late.json")


def test_where_the_service_names_no_bound_many_run_at_once() -> None:
    world = world_of(FREE, MODEL)
    for number in range(12):
        world.queued(f"job-{number}")
    assert run(world) == "nothing left"
    assert max(post.at for post in world.studio.posts) < min(
        task.end for task in world.studio.tasks.values()
    )


def test_the_wait_of_a_job_counts_the_tasks_of_the_whole_pool(world: World) -> None:
    for number in range(2):
        world.queued(f"job-{number}")
    run(world, 3.0)
    alone = world_of(Limits(5, 1, 2, 0), MODEL, OTHER)
    for number in range(2):
        alone.queued(f"job-{number}")
    run(alone, 3.0)
    waits = []
    for one in (world, alone):
        queued = one.queued("cat", OTHER)
        waits.append(one.app().estimates().wait_seconds(queued))
    assert waits[0] is not None and waits[1] is not None
    assert waits[0] > waits[1]
