"""Trying again by itself: which failures, how often, how soon, and up to which price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.catalogue.retry_policy import RetryPolicy
from shared.jobs.submit import for_missing
from shared.storage import layout
from tests.kit.hooks import Killed, die, once
from tests.kit.studio import Step, accept_with, refuse
from tests.kit.world import MODEL, World, model, run, store_of, submit
from tests.simulation.studio import result_url

BUSY, BAD_INPUT, POLICY = "InternalError", "InputDownloadFailed", "DataInspectionFailed"
PATIENT = RetryPolicy({"few": 3, "after_backoff": 5}, 40.0, 60.0, 10.0)
PAID = 0.2
LARGEST_SEED = 2**31 - 1


@pytest.fixture()
def world() -> World:
    return World(models=(model(price=PAID),))


def fails(code: str) -> Step:
    return accept_with(status="FAILED", code=code, message="no")


def makes(*results: str) -> Step:
    """A task with these results in order: "ok", or the code of an image that failed."""
    rows: list[dict[str, str]] = []
    for number, result in enumerate(results, 1):
        url = {"url": result_url(f"{'-'.join(results)}", number)}
        rows.append(url if result == "ok" else {"code": result, "message": "no"})
    output = {"task_status": "SUCCEEDED", "results": rows}
    return accept_with(output=output, usage={"image_count": results.count("ok")})


def set_of_four(world: World, *steps: Step, on_partial: str = "retry-failed") -> None:
    """A job for four images, and what its tasks make."""
    world.queued("cat", on_partial=on_partial, parameters={"n": 4})
    world.studio.script.extend(steps)


def numbers(manifest: Mapping[str, Any], name: str = "images") -> list[int]:
    return [image["number"] for image in manifest[name]]


@pytest.mark.parametrize(("code", "attempts"), [(BAD_INPUT, 3), (BUSY, 5), (POLICY, 1)])
def test_a_task_is_tried_again_as_often_as_its_class_says(
    world: World, code: str, attempts: int
) -> None:
    world.queued("cat")
    world.studio.script.extend([fails(code)] * (attempts + 1))
    run(world)
    assert len(world.studio.posts) == attempts
    manifest = world.manifest("cat")
    assert (manifest["state"], manifest["error"]["code"]) == ("FAILED", code)
    assert manifest["task"]["attempt"] == attempts
    assert (world.slots(), world.markers()) == ([], [])


def test_refusals_and_failures_count_together(world: World) -> None:
    world.queued("cat")
    world.studio.script.extend([refuse(BAD_INPUT, 400), fails(BAD_INPUT), refuse(BAD_INPUT, 400)])
    run(world)
    assert world.state("cat") == "FAILED"
    assert len(world.studio.posts) == 3


def test_being_throttled_at_the_door_is_no_attempt(world: World) -> None:
    world.queued("cat")
    for _ in range(2):
        world.studio.script.extend(
            [refuse("Throttling", 429), refuse("Throttling", 429), fails(BAD_INPUT)]
        )
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert world.manifest("cat")["task"]["attempt"] == 3


def test_the_record_says_why_and_until_when(world: World) -> None:
    world.policy = PATIENT
    world.queued("cat")
    world.studio.script.append(fails(BUSY))
    run(world, 15.0)
    record = world.record("cat")
    assert (record["state"], record["error"]["code"], record["attempt"]) == ("QUEUED", BUSY, 1)
    assert record["not_before"] > record["at"]
    assert "task_id" not in record, "the failed task is no longer this job's"
    assert world.held() == []


def test_the_pause_is_kept_and_others_go_ahead_meanwhile(world: World) -> None:
    world.policy = PATIENT
    world.queued("cat")
    world.queued("dog")
    world.studio.script.append(fails(BUSY))
    run(world)
    prompts = [post.body["input"]["prompt"].split()[-1] for post in world.studio.posts]
    assert prompts == ["cat", "dog", "cat"]
    ended, again = world.studio.tasks["task-1"].end, world.studio.posts[2].at
    assert 20.0 <= again - ended <= 50.0
    assert [world.state(job) for job in ("cat", "dog")] == ["SUCCEEDED", "SUCCEEDED"]


def test_killed_before_the_marker_is_made_the_slot_brings_it_back(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(fails(BUSY))
    victim = world.app("victim")
    store_of(victim).before.append(once("create", layout.QUEUE, die))
    with pytest.raises(Killed):
        run(world, app=victim)
    assert world.state("cat") == "QUEUED"
    assert (world.markers(), world.held()) == ([], [f"{MODEL}/cat~000002"])
    world.timeline.wait(60)
    assert run(world) == "nothing left"
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.posts) == 2


def test_a_late_removal_of_the_old_marker_leaves_the_new_one(world: World) -> None:
    world.queued("cat")
    world.studio.script.append(fails(BUSY))
    late, other = world.app("late"), world.app("other")

    def the_task_fails_and_the_job_is_queued_again() -> None:
        world.timeline.wait(6)
        pending = other.ledger.records.last("cat")
        assert pending is not None
        collection = other.poller.follower.collection
        collection.take(pending, collection.ask(pending))
        assert world.state("cat") == "QUEUED"

    hook = once("delete", layout.QUEUE, the_task_fails_and_the_job_is_queued_again)
    store_of(late).before.append(hook)
    submit(late, "cat")
    assert world.markers() == ["cat"]


def test_only_the_images_that_failed_are_asked_for_again(world: World) -> None:
    set_of_four(world, makes("ok", BUSY, "ok", BUSY), makes("ok", BUSY), makes("ok"))
    run(world)
    assert [post.body["parameters"]["n"] for post in world.studio.posts] == [4, 2, 1]
    manifest = world.manifest("cat")
    assert (manifest["state"], manifest["error"]) == ("SUCCEEDED", None)
    assert numbers(manifest) == [1, 2, 3, 4]
    assert manifest["failed_images"] == []
    keys_named = [image["key"] for image in manifest["images"]]
    assert keys_named == [layout.image("cat", number, "png") for number in (1, 2, 3, 4)]
    assert len({image["sha256"] for image in manifest["images"]}) == 4
    assert all(world.bucket.holds(key) for key in keys_named)


@pytest.mark.parametrize(
    ("parameters", "missing", "sent"),
    [
        ({"n": 4, "seed": 100}, [3], {"n": 1, "seed": 102}),
        ({"n": 4, "seed": 100}, [2, 4], {"n": 2, "seed": 101}),
        ({"n": 4, "seed": LARGEST_SEED}, [2, 3], {"n": 2, "seed": 0}),
        ({"n": 4, "size": "1*1"}, [4], {"n": 1, "size": "1*1"}),
        ({"n": 4, "seed": 100}, [], {"n": 4, "seed": 100}),
    ],
)
def test_an_image_keeps_the_seed_it_had(
    parameters: dict[str, Any], missing: list[int], sent: dict[str, Any]
) -> None:
    body = {"model": MODEL, "input": {"prompt": "a cat"}, "parameters": parameters}
    assert for_missing(body, missing, "/parameters/n") == body | {"parameters": sent}


def test_the_price_is_that_of_all_attempts(world: World) -> None:
    set_of_four(world, makes("ok", BUSY, "ok", BUSY), makes("ok", "ok"))
    run(world)
    manifest = world.manifest("cat")
    assert manifest["usage"]["image_count"] == 4
    assert (manifest["price"]["images"], manifest["price"]["total"]) == (4, 4 * PAID)


def test_it_gives_up_after_so_many_attempts_and_names_what_is_missing(world: World) -> None:
    still = makes(BAD_INPUT)
    set_of_four(world, makes("ok", BAD_INPUT, "ok", "ok"), still, still, still)
    run(world)
    assert len(world.studio.posts) == 3
    manifest = world.manifest("cat")
    assert (manifest["state"], numbers(manifest)) == ("SUCCEEDED", [1, 3, 4])
    (failed,) = manifest["failed_images"]
    assert (failed["number"], failed["code"]) == (2, BAD_INPUT)


def test_a_second_attempt_that_fails_as_a_whole_leaves_the_first_ones_images(world: World) -> None:
    set_of_four(world, makes("ok", BUSY, "ok", BUSY), fails(POLICY))
    run(world)
    manifest = world.manifest("cat")
    assert (manifest["state"], numbers(manifest)) == ("SUCCEEDED", [1, 3])
    assert [(one["number"], one["code"]) for one in manifest["failed_images"]] == [
        (2, POLICY),
        (4, POLICY),
    ]
    assert manifest["price"]["images"] == 2


@pytest.mark.parametrize("results", [["ok"], []], ids=["one of two", "none"])
def test_an_image_that_a_further_attempt_does_not_name_is_missing(
    world: World, results: list[str]
) -> None:
    set_of_four(world, makes("ok", BUSY, "ok", BUSY), *[makes(*results)] * 4)
    run(world)
    manifest = world.manifest("cat")
    assert sorted(numbers(manifest) + numbers(manifest, "failed_images")) == [1, 2, 3, 4]


def test_a_second_attempt_that_is_refused_leaves_the_first_ones_images(world: World) -> None:
    set_of_four(world, makes("ok", BUSY, "ok", BUSY), refuse(POLICY, 400))
    run(world)
    manifest = world.manifest("cat")
    assert (manifest["state"], numbers(manifest)) == ("SUCCEEDED", [1, 3])
    assert numbers(manifest, "failed_images") == [2, 4]


@pytest.mark.parametrize(
    ("on_partial", "code"), [("keep", BUSY), ("retry-failed", POLICY)], ids=["keep", "policy"]
)
def test_what_was_not_asked_for_or_cannot_help_is_not_tried(
    world: World, on_partial: str, code: str
) -> None:
    set_of_four(world, makes("ok", code, "ok", "ok"), on_partial=on_partial)
    run(world)
    assert len(world.studio.posts) == 1
    assert numbers(world.manifest("cat"), "failed_images") == [2]


@pytest.mark.parametrize(("cap", "posts"), [(4 * PAID, 2), (4 * PAID - 0.01, 1)])
def test_no_attempt_that_could_go_beyond_the_price(world: World, cap: float, posts: int) -> None:
    world.policy = RetryPolicy({"few": 3, "after_backoff": 5}, 1.0, 1.0, cap)
    set_of_four(world, makes("ok", BUSY, "ok", "ok"))
    run(world)
    assert len(world.studio.posts) == posts


def test_a_task_that_failed_is_free_and_never_too_dear(world: World) -> None:
    world.policy = RetryPolicy({"few": 3, "after_backoff": 5}, 1.0, 1.0, 0.0)
    world.queued("cat")
    world.studio.script.append(fails(BUSY))
    run(world)
    assert world.state("cat") == "SUCCEEDED"


def test_a_job_that_expires_between_two_attempts_keeps_what_it_has(world: World) -> None:
    world.policy = RetryPolicy({"few": 3, "after_backoff": 5}, 1000.0, 1000.0, 10.0)
    world.queued("cat", on_partial="retry-failed", parameters={"n": 2}, expires_after="2m")
    world.studio.script.append(makes("ok", BUSY))
    run(world, 60.0)
    assert world.state("cat") == "QUEUED"
    world.timeline.wait(120)
    run(world)
    manifest = world.manifest("cat")
    assert (manifest["state"], numbers(manifest)) == ("EXPIRED", [1])
    assert manifest["price"]["images"] == 1


def test_a_model_that_makes_one_image_is_not_told_how_many() -> None:
    body = {"model": MODEL, "input": {"prompt": "a cat"}, "parameters": {"seed": 7}}
    assert for_missing(body, [1], None) == body


def test_the_number_stands_where_the_model_has_it() -> None:
    body = {"model": MODEL, "input": {"prompt": "a cat", "count": 4}, "parameters": {}}
    assert for_missing(body, [2, 3], "/input/count")["input"] == {"prompt": "a cat", "count": 2}
