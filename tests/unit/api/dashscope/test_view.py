"""A query shows any job of the system as the service would show the task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.storage import layout
from tests.kit.dashscope import changed, created, poll, query, send, status
from tests.kit.studio import accept_with, lose_request, refuse
from tests.kit.world import World, model, submit
from tests.simulation.kernel import START
from tests.simulation.studio import result_url


@pytest.fixture()
def world() -> World:
    return World()


def test_from_queued_to_succeeded(world: World) -> None:
    job = created(world)
    assert status(world, job) == "PENDING"
    submit(world, job)
    assert world.state(job) == "PENDING"
    assert status(world, job) == "PENDING"
    poll(world)
    assert world.states(job)[-2:] == ["RUNNING", "SUCCEEDED"]
    answer = query(world, job)
    assert answer["usage"] == {"image_count": 1}
    output = answer["output"]
    assert output["task_id"] == job
    assert output["task_metrics"] == {"TOTAL": 1, "SUCCEEDED": 1, "FAILED": 0}
    (result,) = output["results"]
    assert result == {"url": f"https://bucket.invalid/results/{job}/image-1.png?expires=604800"}


def test_running_is_running(world: World) -> None:
    world.studio.seconds = 50.0
    job = created(world)
    submit(world, job)
    world.timeline.wait(1.0)
    poll(world, 40.0)
    output = query(world, job)["output"]
    assert output["task_status"] == "RUNNING"
    assert set(output) == {
        "task_id",
        "task_status",
        "submit_time",
        "scheduled_time",
        "task_metrics",
    }


def test_times_are_beijing_s_with_milliseconds(world: World) -> None:
    world.timeline.wait(0.25)
    job = created(world)
    world.timeline.wait(10.0)
    poll(world)
    output = query(world, job)["output"]
    assert output["submit_time"] == "2026-09-21 22:13:20.250"
    assert output["scheduled_time"].startswith("2026-09-21 22:13:3")
    assert output["submit_time"] < output["scheduled_time"] < output["end_time"]
    assert START == 1_790_000_000.0


def test_images_that_failed_keep_their_places(world: World) -> None:
    failed = {"code": "DataInspectionFailed", "message": "Output data may contain …"}
    rows: list[dict[str, Any]] = [{"url": result_url("t", 1)}, failed, {"url": result_url("t", 3)}]
    rows[2] |= {"orig_prompt": "a cat", "actual_prompt": "a fine cat"}
    world.studio.script.append(
        accept_with(output={"task_status": "SUCCEEDED", "results": rows}, usage={"image_count": 2})
    )
    job = created(world, changed(parameters__n=3))
    poll(world)
    answer = query(world, job)
    assert answer["usage"] == {"image_count": 2}
    assert answer["output"]["task_metrics"] == {"TOTAL": 3, "SUCCEEDED": 2, "FAILED": 1}
    first, second, third = answer["output"]["results"]
    assert set(first) == {"url"}
    assert second == failed
    assert third["orig_prompt"] == "a cat"
    assert third["actual_prompt"] == "a fine cat"
    assert "image-3.png" in third["url"]


def test_a_failed_task_tells_the_service_s_words(world: World) -> None:
    world.studio.script.append(accept_with(status="FAILED", code="InvalidURL", message="no such"))
    job = created(world, changed(parameters__n=2))
    poll(world)
    output = query(world, job)["output"]
    assert output["task_status"] == "FAILED"
    assert (output["code"], output["message"]) == ("InvalidURL", "no such")
    assert output["task_metrics"] == {"TOTAL": 2, "SUCCEEDED": 0, "FAILED": 2}
    assert "results" not in output


def test_a_submission_that_was_refused_is_a_failed_task(world: World) -> None:
    world.studio.script.append(refuse("DataInspectionFailed", 400, "Input data …"))
    job = created(world)
    poll(world)
    output = query(world, job)["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "DataInspectionFailed")


def test_a_job_that_was_too_late_is_failed_with_a_code_of_ours(world: World) -> None:
    world.queued("late", expires_after="1m")
    world.timeline.wait(61.0)
    poll(world)
    output = query(world, "late")["output"]
    assert world.state("late") == "EXPIRED"
    assert (output["task_status"], output["code"]) == ("FAILED", "Expired")


def test_an_attempt_whose_outcome_is_unknown_is_pending(world: World) -> None:
    world.studio.script.append(lose_request)
    job = created(world)
    submit(world, job)
    assert world.state(job) == "SUBMITTING"
    assert status(world, job) == "PENDING"


def test_a_job_from_a_job_file_can_be_asked_for_too(world: World) -> None:
    world.queued("cat-glasses")
    assert status(world, "cat-glasses") == "PENDING"
    poll(world)
    assert status(world, "cat-glasses") == "SUCCEEDED"


@pytest.mark.parametrize("job", ["no-such-job", "..", "图", "a" * 200])
def test_an_id_that_never_was_is_unknown(world: World, job: str) -> None:
    output = query(world, job)["output"]
    assert output["task_status"] == "UNKNOWN"
    assert set(output) == {"task_id", "task_status"}


def test_links_are_made_anew_so_they_work_after_days(world: World) -> None:
    job = created(world)
    poll(world)
    world.timeline.wait(3 * 86400)
    (result,) = query(world, job)["output"]["results"]
    assert "expires=604800" in result["url"]


def test_an_answer_has_a_request_id_of_its_own(world: World) -> None:
    world.models = (model(),)
    first, second = (send(world, "GET", "/api/v1/tasks/x").body["request_id"] for _ in range(2))
    assert first != second


def test_a_manifest_that_somebody_deleted_or_changed_does_not_matter(world: World) -> None:
    """The last record holds it, too."""
    job = created(world)
    poll(world)
    before = query(world, job)["output"]
    world.bucket.write(layout.result(job), b"{")
    assert query(world, job)["output"] == before
    world.bucket.remove(layout.result(job))
    assert query(world, job)["output"] == before


def answered(world: World, output: dict[str, Any], usage: Any, **changes: Any) -> dict[str, Any]:
    """The answer to a query for a job whose task ended so, of a model that is described so."""
    world.models = (replace(model(), **changes),)
    done = {"task_status": "SUCCEEDED", **output}
    world.studio.script.append(accept_with(output=done, usage=usage))
    job = created(world, changed(parameters__n=2))
    poll(world)
    answer = query(world, job)
    assert answer["output"]["task_status"] == "SUCCEEDED", answer
    return answer


def test_messages_with_their_texts(world: World) -> None:
    content = [{"image": result_url("t", 1)}, {"text": "a fine cat"}]
    told = {"choices": [{"message": {"role": "assistant", "content": content}}]}
    place = "/output/choices/*/message/content/*"
    describes = {"results_at": f"{place}/image", "texts_at": f"{place}/text"}
    output = answered(world, told, {"image_count": 1}, **describes)["output"]
    (choice,) = output["choices"]
    image, text = choice["message"]["content"]
    assert "/results/" in image["image"]
    assert text["text"] == "a fine cat"
    assert "results" not in output
    assert "task_metrics" not in output


def test_a_single_image_and_a_remark(world: World) -> None:
    told = {"image_url": result_url("t", 1), "message": "No text detected"}
    answer = answered(world, told, {"image_count": 1}, results_at="/output/image_url")
    assert "/results/" in answer["output"]["image_url"]
    assert answer["output"]["message"] == "No text detected"


def test_usage_has_the_names_of_the_model(world: World) -> None:
    told = {"results": [{"url": result_url("t", 1)}]}
    names = ("/usage/output_image_count", "/usage/image_count")
    usage = {"output_image_count": 1, "output_width": 2048}
    assert answered(world, told, usage, usage_at=names)["usage"] == usage
