"""Events, one small class for each source; and events that were given up."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from shared.jobs.dead_letters import DeadLetters
from shared.platform.fc.context import request_id, time_left
from shared.platform.fc.events import (
    DestinationEvent,
    OssEvent,
    TaskFinishedEvent,
    TimerEvent,
    UnknownEvent,
    read_event,
)
from shared.storage import layout
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import Kernel


def oss_event(*names: str) -> dict[str, Any]:
    return {
        "events": [
            {
                "eventName": "ObjectCreated:PutObject",
                "eventSource": "acs:oss",
                "oss": {
                    "bucket": {"name": "studio"},
                    "object": {"key": name, "eTag": "E1", "size": 3},
                },
                "responseElements": {"requestId": "oss-1"},
            }
            for name in names
        ]
    }


TIMER = {"triggerTime": "2026-11-20T05:12:00Z", "triggerName": "tick", "payload": "now"}
DESTINATION = {
    "timestamp": 1795151520000,
    "requestContext": {
        "requestId": "r1",
        "functionArn": "acs:fc:cn-beijing:1:functions/submit",
        "condition": "UnhandledInvocationError",
        "approximateInvokeCount": 4,
    },
    "requestPayload": json.dumps(oss_event("jobs/cat.yaml")),
    "responseContext": {"functionError": "UnhandledInvocationError"},
    "responsePayload": '{"errorMessage": "the store is away"}',
}

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
    ],
)
def test_what_is_no_event_is_named_as_such(raw: bytes) -> None:
    with pytest.raises(UnknownEvent):
        read_event(raw)


def test_an_unknown_event_says_what_was_there() -> None:
    with pytest.raises(UnknownEvent, match="found fields: alpha, beta"):
        read({"beta": 1, "alpha": 2})


def test_a_dead_event_is_kept_with_its_reason_and_its_job_files() -> None:
    bucket = Bucket(Kernel())
    letters = DeadLetters(Store(bucket))
    key = letters.write(read(DESTINATION))
    assert letters.write(read(DESTINATION)) == key, "a second delivery must write the same object"
    assert bucket.keys() == [key]
    assert key == f"{layout.DEAD}2026-11-20T051200.000Z-r1.json"
    kept = json.loads(bucket.peek(key))
    assert kept["job_files"] == ["jobs/cat.yaml"]
    assert "the store is away" in kept["error"]
    assert kept["event"] == oss_event("jobs/cat.yaml")
    assert "upload the job files again" in kept["what_to_do"]


@pytest.mark.parametrize("payload", ["not json", json.dumps(TIMER), "[]"])
def test_a_dead_event_of_any_kind_is_kept(payload: str) -> None:
    bucket = Bucket(Kernel())
    key = DeadLetters(Store(bucket)).write(read(DESTINATION | {"requestPayload": payload}))
    assert json.loads(bucket.peek(key))["job_files"] == []


@pytest.mark.parametrize(
    ("timeout", "margin", "left"), [(600, 60, 540), (60, 60, 30), (100, 10, 90)]
)
def test_a_handler_works_until_its_timeout_less_a_margin(
    timeout: int, margin: float, left: float
) -> None:
    context = SimpleNamespace(function=SimpleNamespace(timeout=timeout), request_id="req-1")
    assert time_left(context, margin) == left
    assert request_id(context) == "req-1"


def test_without_a_context_the_platforms_default_timeout_counts() -> None:
    assert time_left(None, 10.0) == 50.0
    assert request_id(None) == ""


def test_the_event_of_a_finished_task_says_which_task_and_how_it_ended() -> None:
    event = read(TASK_FINISHED)
    assert event == TaskFinishedEvent("t-1", "FAILED")
