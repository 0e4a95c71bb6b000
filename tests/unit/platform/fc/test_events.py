"""Events, one small class for each source."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.platform.fc.events import (
    DestinationEvent,
    LookEvent,
    OssEvent,
    TaskFinishedEvent,
    TimerEvent,
    UnknownEvent,
    read_event,
)
from tests.kit.fc_events import DESTINATION, TIMER, oss_event

TASK_FINISHED = {
    "specversion": "1.0",
    "source": "acs.dashscope",
    "type": "dashscope:System:AsyncTaskFinish",
    "id": "e1",
    "aliyuneventbusname": "default",
    "data": {"task_id": "t-1", "task_status": "FAILED", "contain_result": False},
}


def read(document: Any) -> Any:
    return read_event(json.dumps(document).encode())


def test_an_oss_event_names_its_objects_with_their_literal_keys() -> None:
    event = read(oss_event("jobs/一只 cat%20+.yaml", "jobs/b.yaml"))
    assert isinstance(event, OssEvent)
    assert [change.key for change in event.changes] == ["jobs/一只 cat%20+.yaml", "jobs/b.yaml"]
    first = event.changes[0]
    assert (first.bucket, first.etag, first.request_id) == ("studio", "E1", "oss-1")
    assert first.name == "ObjectCreated:PutObject"


def test_a_timer_event() -> None:
    event = read(TIMER)
    assert event == TimerEvent("tick", "2026-11-20T05:12:00Z", "now")


def test_a_destination_event_carries_the_event_that_failed() -> None:
    event = read(DESTINATION)
    assert isinstance(event, DestinationEvent)
    assert (event.request_id, event.function, event.tries) == ("r1", "submit", 4)
    assert "the store is away" in event.error
    assert event.at == 1795151520.0
    assert isinstance(read_event(event.payload.encode()), OssEvent)


def test_a_payload_that_is_an_object_is_kept_as_text() -> None:
    event = read(DESTINATION | {"requestPayload": oss_event("jobs/cat.yaml")})
    assert isinstance(read_event(event.payload.encode()), OssEvent)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"now",
        b"{}",
        b"[]",
        b"3",
        b'{"events": []}',
        b'{"events": [{"cdn": {}}]}',
        b'{"triggerTime": "x"}',
        b'{"events": [1]}',
        b'{"events": [{"oss": {}}]}',
        b'{"events": [{"oss": {"object": {"key": "a"}}}]}',
        b'{"requestContext": 1, "requestPayload": ""}',
        b'{"look": {}}',
        b'{"look": {"run": "../../dead/x"}}',
        b'{"look": {"run": "0123456789ab", "delay": 601}}',
        b'{"look": {"run": "0123456789ab", "delay": -1}}',
        b'{"look": {"run": "0123456789ab", "delay": 1e999}}',
    ],
)
def test_what_is_no_event_is_named_as_such(raw: bytes) -> None:
    with pytest.raises(UnknownEvent):
        read_event(raw)


def test_an_unknown_event_says_what_was_there() -> None:
    with pytest.raises(UnknownEvent, match="found fields: alpha, beta"):
        read({"beta": 1, "alpha": 2})


def test_the_event_of_a_finished_task_says_which_task_and_how_it_ended() -> None:
    event = read(TASK_FINISHED)
    assert event == TaskFinishedEvent("t-1", "FAILED")


def test_a_look_names_its_run_and_what_is_asked_for() -> None:
    assert read({"look": {"run": "0123456789ab"}}) == LookEvent("0123456789ab", 0, 0.0)
    asked = {"run": "0123456789ab", "delay": 600, "due": 9.5}
    assert read({"look": asked}) == LookEvent("0123456789ab", 600, 9.5)
