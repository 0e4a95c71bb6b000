"""The list of tasks, and the index it is read from."""

from __future__ import annotations

from typing import Any

import pytest

from shared.ledger.job_index import JobIndex
from shared.storage import layout
from tests.kit.dashscope import changed, create, created, poll, send
from tests.kit.hooks import Killed, die, once
from tests.kit.world import MODEL, OTHER, World, job_file, store_of
from tests.simulation.kernel import START

SECOND = 1000
START_MS = int(START) * SECOND
START_TEXT = "20260921221320"
"""The start of the tests' timeline, in UTC+8."""


@pytest.fixture()
def world() -> World:
    return World()


def listed(world: World, **asked: object) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    reply = send(world, "GET", f"/api/v1/tasks?{query}")
    assert reply.status == 200, reply.body
    return reply.body


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["task_id"] for row in answer["data"]]


def make(world: World, *jobs: str, every: float = 10.0, model_name: str = MODEL) -> None:
    for job in jobs:
        world.queued(job, model_name)
        world.timeline.wait(every - 0.001)


def test_the_answer_is_flat_and_newest_first(world: World) -> None:
    make(world, "a", "b", "c")
    answer = listed(world)
    assert set(answer) == {"total", "total_page", "page_no", "page_size", "request_id", "data"}
    pages = (answer["total"], answer["total_page"], answer["page_no"], answer["page_size"])
    assert pages == (3, 1, 1, 10)
    assert ids(answer) == ["c", "b", "a"]


def test_a_row_of_a_task_that_is_over(world: World) -> None:
    reply = create(world)
    world.timeline.wait(5)
    poll(world)
    (row,) = listed(world)["data"]
    assert row["task_id"] == reply.body["output"]["task_id"]
    assert row["request_id"] == reply.body["request_id"]
    assert (row["model_name"], row["status"], row["region"]) == (MODEL, "SUCCEEDED", "cn-beijing")
    assert row["user_api_unique_key"] == f"apikey:v1:aigc:image2image:image-synthesis:{MODEL}"
    assert row["gmt_create"] == START_MS
    assert START_MS + 5 * SECOND <= row["start_time"] < row["end_time"]


def test_what_waits_or_was_refused_is_listed_as_well(world: World) -> None:
    created(world)
    created(world, changed(parameters__n=9))
    rows = {row["status"]: row for row in listed(world)["data"]}
    assert {status: row["model_name"] for status, row in rows.items()} == {
        "PENDING": MODEL,
        "FAILED": MODEL,
    }
    assert not {"start_time", "end_time"} & set(rows["PENDING"])
    assert "end_time" in rows["FAILED"]


def test_pages(world: World) -> None:
    make(world, *"abcde")
    first = listed(world, page_size=2)
    assert (ids(first), first["total"], first["total_page"]) == (["e", "d"], 5, 3)
    assert ids(listed(world, page_size=2, page_no=3)) == ["a"]
    assert ids(listed(world, page_size=2, page_no=4)) == []


def test_only_the_page_shown_is_read(world: World) -> None:
    make(world, *(f"job-{n:02d}" for n in range(30)), every=1.0)
    world.bucket.calls.clear()
    listed(world, page_size=2)
    touched = {call.key.split("/")[2] for call in world.bucket.calls if call.kind == "read"}
    assert touched == {"job-29", "job-28"}


def test_filters_by_model_status_and_id(world: World) -> None:
    make(world, "a", "b")
    make(world, "c", "d", model_name=OTHER)
    poll(world)
    make(world, "e")
    assert ids(listed(world, model_name=OTHER)) == ["d", "c"]
    assert ids(listed(world, status="PENDING")) == ["e"]
    assert ids(listed(world, status="SUCCEEDED", model_name=MODEL)) == ["b", "a"]
    assert ids(listed(world, task_id="c")) == ["c"]
    assert ids(listed(world, task_id="c", status="PENDING")) == []
    page = listed(world, status="SUCCEEDED", page_size=3, page_no=2)
    assert (ids(page), page["total"], page["total_page"]) == (["a"], 4, 2)


def test_filters_by_time(world: World) -> None:
    make(world, "a", "b", "c")
    assert ids(listed(world, start_time="20260921221330")) == ["c", "b"]
    assert ids(listed(world, end_time="20260921221330")) == ["b", "a"]
    both = listed(world, start_time="20260921221325", end_time="20260921221335")
    assert ids(both) == ["b"]


def test_without_times_it_is_the_last_24_hours(world: World) -> None:
    make(world, "yesterday", "today", every=13 * 3600.0)
    assert ids(listed(world)) == ["today"]
    assert ids(listed(world, start_time=START_TEXT)) == ["today", "yesterday"]


@pytest.mark.parametrize(
    "asked",
    [
        "start_time=20260921",
        "start_time=20261321221320",
        "end_time=00000101000000",
        "end_time=x",
        "start_time=20260921221320&end_time=20260922221321",
        "start_time=20260921221320&end_time=20260921221319",
        "status=DONE",
        "page_no=0",
        "page_size=-1",
        "page_size=ten",
    ],
)
def test_what_cannot_be_asked_for(world: World, asked: str) -> None:
    reply = send(world, "GET", f"/api/v1/tasks/?{asked}")
    assert reply.refusal == (400, "InvalidParameter")


@pytest.mark.parametrize(("prompt", "state"), [("a cat", "QUEUED"), ("", "REJECTED")])
def test_an_index_entry_is_made_again_if_its_maker_died(
    world: World, prompt: str, state: str
) -> None:
    app = world.app()
    world.bucket.write("jobs/cat.json", job_file(prompt))
    store_of(app).before.append(once("create", layout.JOBS, die))
    with pytest.raises(Killed):
        app.acceptance.intake.take_object("jobs/cat.json")
    assert not world.bucket.keys(layout.JOBS)
    after = world.app("next")
    (taken,) = after.acceptance.intake.take_object("jobs/cat.json")
    assert taken.record.state == state
    assert [one.job for one in JobIndex(after.store).newest()] == [taken.job]


def test_a_job_taken_in_twice_is_indexed_once(world: World) -> None:
    make(world, "a")
    make(world, "a")
    assert len(world.bucket.keys(layout.JOBS)) == 1


def test_a_filter_reads_each_record_of_a_job_that_is_not_shown_once(world: World) -> None:
    make(world, "a", "b", "c")
    world.bucket.calls.clear()
    assert ids(listed(world, status="SUCCEEDED")) == []
    read = [call.key for call in world.bucket.calls if call.key.startswith(layout.RECORDS)]
    assert sorted(read) == sorted(set(read)), "a record was read twice"
    assert len(read) == 6, "the record of each job, and whether there is a next"
