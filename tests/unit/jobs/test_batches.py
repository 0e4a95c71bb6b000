"""Job files in OpenAI's batch form: each line a job, and all results in one file beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.jobfile.image_marks import PixelCounter
from shared.jobs.intake import Intake, IntakeOutcome, Source
from tests.kit.hooks import once
from tests.kit.http import PREFIX, token
from tests.kit.http import ask as ask_jobs
from tests.kit.openai import mask, png, world_of
from tests.kit.studio import Body, ScriptedStudio, lose_answer
from tests.kit.world import World, run, store_of
from tests.simulation.studio import SimTask

PAINTER, FUSER, EDITOR = "wan2.5-t2i-preview", "wan2.5-i2i-preview", "wanx2.1-imageedit"
GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
KEY = "jobs/cats.jsonl"


@pytest.fixture()
def world() -> World:
    return world_of(PAINTER, FUSER, EDITOR)


def line(own: str, url: str = GENERATIONS, **body: Any) -> dict[str, Any]:
    asked = {"model": PAINTER, "prompt": f"a cat called {own}"} | body
    return {"custom_id": own, "method": "POST", "url": url, "body": asked}


def dropped(world: World, *lines: Any, etag: str = "ETAG") -> list[IntakeOutcome]:
    """The outcome of a file with these lines."""
    text = "\n".join(json.dumps(one) for one in lines)
    return world.app("intake").acceptance.body(text.encode(), Source(KEY, etag))


def results(world: World) -> list[dict[str, Any]]:
    """The lines of the one output file."""
    (key,) = [key for key in world.bucket.keys("results/") if key.endswith("/output.jsonl")]
    return [json.loads(one) for one in world.bucket.peek(key).decode().splitlines()]


def outputs(world: World) -> list[str]:
    return [key for key in world.bucket.keys("results/") if key.endswith("/output.jsonl")]


def test_the_results_come_back_as_one_file_in_the_order_of_the_lines(world: World) -> None:
    taken = dropped(world, line("tom"), line("tim", n=2), line("tam", size="1280x1280"))
    assert outputs(world) == []
    run(world)
    found = results(world)
    assert [one["custom_id"] for one in found] == ["tom", "tim", "tam"]
    assert [one["id"] for one in found] == [one.job for one in taken]
    assert [one["response"]["status_code"] for one in found] == [200] * 3
    assert [len(one["response"]["body"]["data"]) for one in found] == [1, 2, 1]
    assert all(one["response"]["body"]["created"] > 0 for one in found)
    for one in found:
        for image in one["response"]["body"]["data"]:
            assert world.bucket.holds(image["url"].removeprefix("oss:///"))


def test_a_job_says_where_its_results_are(world: World) -> None:
    (one,) = dropped(world, line("tom"))
    run(world)
    labels = world.manifest(one.job)["spec"]["job"]["labels"]
    assert labels["custom_id"] == "tom"
    assert outputs(world) == [f"results/{labels['batch']}/output.jsonl"]


def test_wrong_lines_cost_nothing_and_are_told_in_the_output(world: World) -> None:
    wrong = [
        line("nine", n=9),
        line("nobody", model="dall-e-3"),
        line("elsewhere", url="/v1/chat/completions"),
        line("inline", response_format="b64_json"),
        line("mask", url=EDITS, model=FUSER, image="https://pictures.invalid/a.png", mask="x"),
        {**line("more"), "extra": 1},
    ]
    taken = dropped(world, *wrong, line("tom"))
    assert [bool(one.violations) for one in taken] == [True] * 6 + [False]
    run(world)
    found = {one["custom_id"]: one for one in results(world)}
    assert len(world.studio.posts) == 1
    assert found["tom"]["error"] is None
    for own, words in (
        ("nine", "/parameters/n"),
        ("nobody", "not known"),
        ("elsewhere", "url"),
        ("inline", "url"),
        ("mask", "takes no mask"),
        ("more", "extra"),
    ):
        assert found[own]["response"]["status_code"] == 400
        assert words in found[own]["error"]["message"], found[own]


def test_an_unknown_key_of_a_line_is_named_where_it_is(world: World) -> None:
    (taken,) = dropped(world, {**line("tom"), "col/our": 1})
    assert [one.pointer for one in taken.violations] == ["/col~1our"]


def test_a_custom_id_twice_costs_nothing(world: World) -> None:
    """Nobody could tell the results apart, and the line may stand there twice by mistake."""
    (taken,) = dropped(world, line("tom"), line("tim"), line("tom", prompt="a dog"))
    assert [one.line for one in taken.violations] == [3]
    assert "custom_id `tom`" in taken.violations[0].message
    assert world.markers() == []


def test_a_file_of_which_all_lines_are_wrong_has_its_output_at_once(world: World) -> None:
    dropped(world, line("a", n=9), line("b", n=9))
    assert [one["custom_id"] for one in results(world)] == ["a", "b"]


def test_the_same_file_again_makes_nothing_twice(world: World) -> None:
    first = dropped(world, line("tom"), line("tim"))
    again = dropped(world, line("tom"), line("tim"))
    assert [one.job for one in again] == [one.job for one in first]
    run(world)
    assert len(world.studio.posts) == 2
    dropped(world, line("tom"), line("tim"))
    assert len(outputs(world)) == 1


def test_the_mask_of_a_line_is_converted(world: World) -> None:
    world.bucket.write("inputs/a/base.png", png())
    world.bucket.write("inputs/a/mask.png", mask())
    named = {"image": "oss:///inputs/a/base.png", "mask": "oss:///inputs/a/mask.png"}
    (one,) = dropped(world, line("hat", url=EDITS, model=EDITOR, **named))
    assert not one.violations
    run(world)
    (post,) = world.studio.posts
    assert post.body["input"]["function"] == "description_edit_with_mask"
    assert post.body["input"]["mask_image_url"].startswith("data:image/png;base64,")


def test_the_masks_of_a_file_are_decoded_as_long_as_it_has_pixels_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand lines with large masks would take longer than the function may run."""
    world.bucket.write("inputs/a/base.png", png())
    world.bucket.write("inputs/a/mask.png", mask())
    place = Intake.place
    left = PixelCounter(left=4 * 600 * 600)
    monkeypatch.setattr(Intake, "place", lambda self: replace(place(self), pixels=left))
    named = {"image": "oss:///inputs/a/base.png", "mask": "oss:///inputs/a/mask.png"}
    lines = [line(f"hat {n}", url=EDITS, model=EDITOR, **named) for n in range(8)]
    taken = dropped(world, *lines)
    said = [one.message for outcome in taken for one in outcome.violations]
    assert not taken[0].violations
    assert any("too many pixels; split the file" in one for one in said)


def test_a_job_that_is_canceled_last_writes_the_output(world: World) -> None:
    (one,) = dropped(world, line("tom"))
    world.app("api").cancellation.cancel(one.job)
    (found,) = results(world)
    assert found["error"]["code"] == "canceled"


def test_a_line_may_not_name_what_belongs_to_others(world: World) -> None:
    world.bucket.write("results/theirs/image-1.png", png())
    body = json.dumps(line("x", url=EDITS, model=FUSER, image="oss:///results/theirs/image-1.png"))
    given = token("submit", PREFIX)
    reply = ask_jobs(world, "POST", "/jobs", body.encode(), given, Content_Type="application/jsonl")
    assert reply.status == 422
    assert world.markers() == []


def test_ordinary_jobs_ask_for_no_batch(world: World) -> None:
    text = json.dumps({"model": PAINTER, "input": {"prompt": "a cat"}})
    world.app("intake").acceptance.body(text.encode(), Source("jobs/a.json", "E"))
    run(world)
    assert not [call for call in world.bucket.calls if "batch.json" in str(call)]
    assert outputs(world) == []


def test_the_output_waits_for_lines_before_one_that_is_over(world: World) -> None:
    dropped(world, line("tom"), line("wrong", n=9))
    assert outputs(world) == []
    run(world)
    assert [one["custom_id"] for one in results(world)] == ["tom", "wrong"]


CAT = "inputs/cat.png"


def told(world: World) -> list[int]:
    """The status of each line of the output."""
    return [one["response"]["status_code"] for one in results(world)]


def test_the_output_waits_for_a_rejected_line_that_goes_on(world: World) -> None:
    """`result.json` is the old rejection until the job is over."""
    lines = line("tom"), line("hat", url=EDITS, model=FUSER, image=f"oss:///{CAT}")
    assert [one.record.state for one in dropped(world, *lines)] == ["QUEUED", "REJECTED"]
    world.bucket.write(CAT, png((512, 512)))
    hat = dropped(world, *lines)[1]
    world.studio.script += [_for_a_minute, _for_a_minute]
    world.studio.seconds = 5
    run(world, 30)
    assert world.state(hat.job) in ("PENDING", "RUNNING")
    assert outputs(world) == []
    run(world, 600)
    assert told(world) == [200, 200]


def test_the_output_says_how_a_line_ended_that_was_put_right_later(world: World) -> None:
    lines = line("tom"), line("hat", url=EDITS, model=FUSER, image=f"oss:///{CAT}")
    dropped(world, *lines)
    run(world)
    assert told(world) == [200, 400]
    world.bucket.write(CAT, png((512, 512)))
    dropped(world, *lines)
    run(world, 600)
    assert told(world) == [200, 200]


def test_the_output_says_how_a_job_ended_that_was_given_its_task(world: World) -> None:
    taken = dropped(world, line("tom"), line("tim"))
    world.studio.script.append(lose_answer)
    for _ in range(3):
        app = world.app("poller", unknown_policy="ask")
        app.poller.run(app.clock.monotonic() + 900)
    assert sorted(told(world)) == [200, 400]
    (lost,) = [one.job for one in taken if world.state(one.job) == "NEEDS_ATTENTION"]
    world.app("person").adoption.adopt(lost, "task-1")
    run(world, 600)
    assert told(world) == [200, 200]


def test_what_was_erased_does_not_come_back_into_the_output(world: World) -> None:
    taken = dropped(world, line("tom"), line("tim"))
    run(world)
    late, job = world.app("late"), taken[0].job
    ended = late.ledger.records.last(job)
    assert ended is not None
    world.app("admin").erasure.erase(job)
    late.transitions.tell(ended)
    found = {one["id"]: one["response"]["body"] for one in results(world)}
    assert found[job]["data"] == []
    assert len(found[taken[1].job]["data"]) == 1


def test_an_end_that_is_told_while_a_job_is_erased_does_not_stay_in_the_output(
    world: World,
) -> None:
    """The records are erased last: until then a late instance finds the job as it was."""
    (tom, _) = dropped(world, line("tom"), line("tim"))
    run(world)
    late, admin = world.app("late"), world.app("admin")
    ended = late.ledger.records.last(tom.job)
    assert ended is not None
    record = f"state/records/{tom.job}/"
    store_of(admin).before.append(once("put", record, lambda: late.transitions.tell(ended)))
    admin.erasure.erase(tom.job)
    found = {one["id"]: one["response"]["body"] for one in results(world)}
    assert found[tom.job]["data"] == []


def test_jobs_that_all_succeed_cost_no_look_at_records_for_the_output(world: World) -> None:
    (tom, tim) = dropped(world, line("tom"), line("tim"))
    run(world)
    app = world.app("late")
    ended = app.ledger.records.last(tom.job)
    assert ended is not None
    before = len(world.bucket.calls)
    app.transitions.tell(ended)
    keys = [call.key for call in world.bucket.calls[before:]]
    assert not [key for key in keys if tim.job in key], keys


def _for_a_minute(studio: ScriptedStudio, body: Body) -> SimTask:
    studio.seconds = 60 if body["model"] == FUSER else 5
    return studio.begin(body)
