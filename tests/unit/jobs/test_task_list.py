"""The service's list of tasks: its zone is proved before a time is believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import pytest
import requests

from shared.jobs.task_list import TaskList
from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import MOST_PAGES, ListTooLong, ModelStudio, ServiceError
from shared.storage import layout
from tests.kit.clock import FixedDay
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import START, Kernel
from tests.simulation.wire import SimAnswer

PAGE = 100


@dataclass
class ScriptedList:
    """A service that only lists: tasks made at `made`, with times read in `zone` hours before UTC.

    `dropped`: rows that are missing although its total counts them; `asked`: the queries.
    """

    zone: int
    made: list[float] = field(default_factory=list)
    dropped: int = 0
    asked: list[Mapping[str, str]] = field(default_factory=list)

    def request(
        self, _method: str, _url: str, *, params: Mapping[str, str], **_options: Any
    ) -> SimAnswer:
        self.asked.append(params)
        rows = [
            {"task_id": f"t{number}", "status": "RUNNING", "gmt_create": int(at * 1000)}
            for number, at in enumerate(self.made)
            if self._is_within(at, params)
        ]
        page, shown = int(params["page_no"]), rows[self.dropped :]
        answer = {
            "total": len(rows),
            "total_page": -(-len(rows) // PAGE),
            "data": shown[(page - 1) * PAGE : page * PAGE],
        }
        return SimAnswer(200, json.dumps(answer).encode())

    def _is_within(self, at: float, params: Mapping[str, str]) -> bool:
        if "start_time" not in params:
            return True
        return self._moment(params["start_time"]) <= at <= self._moment(params["end_time"])

    def _moment(self, stamp: str) -> float:
        zone = timezone(timedelta(hours=self.zone))
        return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=zone).timestamp()

    @property
    def times_named(self) -> list[bool]:
        """For each query whether it named times."""
        return ["start_time" in params for params in self.asked]


@pytest.fixture()
def bucket() -> Bucket:
    return Bucket(Kernel())


def over(service: ScriptedList, bucket: Bucket) -> TaskList:
    """One instance's view of the list."""
    session = cast("requests.Session", service)
    key, clock = FixedKey("sk"), FixedDay(START + 3600)
    return TaskList(
        Store(bucket), ModelStudio("https://service.invalid", key, session, clock=clock)
    )


def ids(tasks: TaskList, start: float, end: float) -> list[str]:
    return [task.task_id for task in tasks.between("brush", START + start, START + end)]


@pytest.mark.parametrize("zone", [8, 0])
def test_the_zone_is_proved_once_and_remembered(bucket: Bucket, zone: int) -> None:
    service = ScriptedList(zone, [START, START + 60, START + 120])
    tasks = over(service, bucket)
    assert ids(tasks, 50, 70) == ["t0", "t1", "t2"], "all of the day, until the zone is proved"
    service.asked.clear()
    assert ids(tasks, 50, 70) == ["t1"]
    assert ids(over(service, bucket), 110, 130) == ["t2"], "the bucket tells the next instance"
    assert service.times_named == [True, True]


def test_the_zone_of_the_answers_is_tried_first(bucket: Bucket) -> None:
    service = ScriptedList(8, [START])
    ids(over(service, bucket), 0, 1)
    assert service.times_named == [False, True]


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"{}", b'{"utc_offset_hours": 3}'])
def test_a_note_changed_by_hand_is_proved_once_more(bucket: Bucket, note: bytes) -> None:
    bucket.write(layout.TASK_LIST, note)
    service = ScriptedList(0, [START, START + 60])
    tasks = over(service, bucket)
    assert ids(tasks, 50, 70) == ["t0", "t1"]
    assert ids(tasks, 50, 70) == ["t1"]


def test_without_a_task_nothing_is_proved_and_no_time_is_named(bucket: Bucket) -> None:
    service = ScriptedList(8)
    tasks = over(service, bucket)
    assert ids(tasks, 0, 60) == ids(tasks, 0, 60) == []
    assert service.times_named == [False, False]
    assert bucket.keys() == []


def test_a_zone_that_is_neither_leaves_the_list_without_times(bucket: Bucket) -> None:
    service = ScriptedList(5, [START, START + 60])
    tasks = over(service, bucket)
    for _ in range(2):
        assert ids(tasks, 50, 70) == ["t0", "t1"]
    assert bucket.keys() == []


def test_a_long_list_proves_the_zone_and_is_asked_for_its_part(bucket: Bucket) -> None:
    service = ScriptedList(0, [START + second for second in range(PAGE * MOST_PAGES + 1)])
    assert ids(over(service, bucket), 10, 12) == ["t10", "t11", "t12", "t13"]


def test_a_long_list_whose_zone_cannot_be_proved_is_too_long(bucket: Bucket) -> None:
    service = ScriptedList(5, [START + second for second in range(PAGE * MOST_PAGES + 1)])
    with pytest.raises(ListTooLong):
        ids(over(service, bucket), 10, 12)


def test_as_many_pages_as_are_read_are_a_list(bucket: Bucket) -> None:
    service = ScriptedList(5, [START + second for second in range(PAGE * MOST_PAGES)])
    assert len(ids(over(service, bucket), 10, 12)) == PAGE * MOST_PAGES


@pytest.mark.parametrize("number", [1, 150])
def test_a_list_with_less_rows_than_its_total_is_refused(bucket: Bucket, number: int) -> None:
    service = ScriptedList(8, [START] * number, dropped=1)
    with pytest.raises(ServiceError, match="UnreadableAnswer"):
        ids(over(service, bucket), 0, 1)
    assert bucket.keys() == [], "nothing was learned from it"
