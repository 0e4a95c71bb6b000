"""ImageSynthesis.list answers in the same form and by the same filters on both sides."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.conformance.dashscope.calls import CASES, Pictures
from tests.conformance.dashscope.images import ImageHost
from tests.conformance.dashscope.sdk import ImageSynthesis, on_both, shown
from tests.conformance.laptop import Laptop

BEIJING = timezone(timedelta(hours=8))
# What is each side's own, or changes from task to task.
OWN = {"api_key_id", "caller_parent_id", "caller_uid", "request_id", "task_id"}
TIMES = {"gmt_create", "start_time", "end_time"}


@pytest.fixture(scope="module")
def tasks(
    laptop: Laptop, images: ImageHost, tmp_path_factory: pytest.TempPathFactory
) -> list[list[Any]]:
    """On each side the answers to three creates, all over: good, good, failed."""
    pictures = Pictures(images, tmp_path_factory.mktemp("list"))
    sketch = pictures.resolved(CASES["models"]["sketch"])
    editing = pictures.resolved(CASES["models"]["editing"])

    def make() -> list[Any]:
        calls = (editing, sketch, {**sketch, "sketch_weight": 11})
        made = [ImageSynthesis.async_call(**call) for call in calls]
        for answer in made:
            ImageSynthesis.wait(answer)
        return made

    return on_both(laptop.sides, make)


def test_rows_and_their_order(laptop: Laptop, tasks: list[list[Any]]) -> None:
    service, api = _listed(laptop, tasks, {"page_size": 100})

    assert [row["status"] for row in service] == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert [_comparable(row) for row in api] == [_comparable(row) for row in service]


def test_row_carries_the_request_id_of_create(laptop: Laptop, tasks: list[list[Any]]) -> None:
    for rows, made in zip(_listed(laptop, tasks, {"page_size": 100}), tasks, strict=True):
        by_task = {row["task_id"]: row["request_id"] for row in rows}
        assert by_task == {one.output.task_id: one.request_id for one in made}


def test_times_are_in_order_and_in_milliseconds(laptop: Laptop, tasks: list[list[Any]]) -> None:
    for rows in _listed(laptop, tasks, {"page_size": 100}):
        for row in rows:
            times = [row[name] for name in ("gmt_create", "start_time", "end_time") if name in row]
            assert times == sorted(times)
            assert all(isinstance(moment, int) and moment > 10**12 for moment in times)


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"model_name": "wanx-sketch-to-image-lite"}, 2),
        ({"model_name": "wanx-sketch-to-image-lite", "status": "SUCCEEDED"}, 1),
        ({"status": "FAILED"}, 1),
        ({"status": "RUNNING"}, 0),
        ({"model_name": "no-such-model"}, 0),
    ],
    ids=str,
)
def test_filters(
    filters: dict[str, str], count: int, laptop: Laptop, tasks: list[list[Any]]
) -> None:
    service, api = _listed(laptop, tasks, {"page_size": 100, **filters})

    assert len(service) == count
    assert [_comparable(row) for row in api] == [_comparable(row) for row in service]


def test_span_of_time(laptop: Laptop, tasks: list[list[Any]]) -> None:
    now = datetime.now(BEIJING)
    today = {"start_time": _text(now - timedelta(hours=12)), "end_time": _text(now)}
    before = {"end_time": _text(now - timedelta(hours=12))}

    assert [len(rows) for rows in _listed(laptop, tasks, {"page_size": 100, **today})] == [3, 3]
    assert [len(rows) for rows in _listed(laptop, tasks, {"page_size": 100, **before})] == [0, 0]


def test_pages(laptop: Laptop, tasks: list[list[Any]]) -> None:
    def pages() -> tuple[Any, Any, Any]:
        whole = ImageSynthesis.list(page_size=2)
        second = ImageSynthesis.list(page_no=2, page_size=1)
        return whole.output, second.output, whole.output["data"][1] == second.output["data"][0]

    service, api = on_both(laptop.sides, pages)
    for whole, second, same in (service, api):
        assert same, "the second page of one row is not the second row of a page of two"
        assert (whole["page_no"], whole["page_size"], len(whole["data"])) == (1, 2, 2)
        assert whole["total"] == second["total"] >= 3
        assert second["total_page"] == second["total"]
    assert sorted(api[0]) == sorted(service[0])


@pytest.mark.parametrize(
    "filters",
    [
        {"start_time": "yesterday"},
        {"start_time": "20260101000000", "end_time": "20260105000000"},
        {"status": "DONE"},
        {"page_no": 0},
        {"page_size": "many"},
    ],
    ids=str,
)
def test_filters_that_are_refused(filters: dict[str, Any], laptop: Laptop) -> None:
    service, api = (shown(one) for one in on_both(laptop.sides, lambda: _list(filters)))

    assert (service.status_code, service.code) == (400, "InvalidParameter")
    assert api == service


def _list(filters: dict[str, Any]) -> Any:
    return ImageSynthesis.list(**filters)


def _listed(laptop: Laptop, tasks: list[list[Any]], filters: dict[str, Any]) -> list[Any]:
    """The rows of this module's own tasks, on each side."""
    listed = on_both(laptop.sides, lambda: _list(filters))
    rows = []
    for answer, made in zip(listed, tasks, strict=True):
        assert answer.status_code == 200, answer
        own = {one.output.task_id for one in made}
        rows.append([row for row in answer.output["data"] if row["task_id"] in own])
    return rows


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """What must be the same on both sides: the names, and the values that are not a side's own."""
    named = {name: "present" for name in row if name in OWN}
    return named | {name: row[name] for name in row if name not in OWN | TIMES}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S")
