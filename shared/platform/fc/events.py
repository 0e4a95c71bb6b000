"""Events as Function Compute delivers them: one small class for each source.

Each class knows its own kind (`fits`) and takes out what the handlers need. Shapes: Function
Compute help pages "Event formats" and "Result callback".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = Mapping[str, Any]
RUN = re.compile("[0-9a-f]{12}")
LONGEST_LOOK = 600
"""Seconds by which a call that `wanx verify-cloud` asks for may be delayed."""


class UnknownEvent(Exception):
    """The event is of no kind that this function takes."""


@dataclass(frozen=True)
class ObjectChange:
    """One object that OSS reports. `key` is as OSS sends it: not URL-encoded."""

    name: str
    bucket: str
    key: str
    etag: str
    request_id: str


@dataclass(frozen=True)
class OssEvent:
    """What an OSS trigger sends; one event may report several objects."""

    changes: tuple[ObjectChange, ...]

    @classmethod
    def fits(cls, document: JsonObject) -> bool:
        events = document.get("events")
        first = events[0] if isinstance(events, list) and events else None
        return isinstance(first, dict) and "oss" in first

    @classmethod
    def of(cls, document: JsonObject) -> OssEvent:
        return cls(tuple(_change(event) for event in document["events"]))


@dataclass(frozen=True)
class TimerEvent:
    """What a timer trigger sends; `payload` is always text."""

    trigger: str
    time: str
    payload: str

    @classmethod
    def fits(cls, document: JsonObject) -> bool:
        return "triggerTime" in document and "triggerName" in document

    @classmethod
    def of(cls, document: JsonObject) -> TimerEvent:
        return cls(
            document["triggerName"], document["triggerTime"], str(document.get("payload", ""))
        )


@dataclass(frozen=True)
class DestinationEvent:
    """What Function Compute sends to the onFailure destination of an asynchronous invocation."""

    request_id: str
    function: str
    condition: str
    tries: int
    error: str
    payload: str
    at: float

    @classmethod
    def fits(cls, document: JsonObject) -> bool:
        return "requestContext" in document and "requestPayload" in document

    @classmethod
    def of(cls, document: JsonObject) -> DestinationEvent:
        request = document["requestContext"]
        response = document.get("responseContext") or {}
        return cls(
            request_id=str(request.get("requestId", "")),
            function=str(request.get("functionArn", "")).rpartition("/")[2],
            condition=str(request.get("condition", "")),
            tries=int(request.get("approximateInvokeCount", 0)),
            error=str(document.get("responsePayload") or response.get("functionError") or ""),
            payload=_text(document["requestPayload"]),
            at=float(document.get("timestamp", 0)) / 1000,
        )


@dataclass(frozen=True)
class TaskFinishedEvent:
    """What Model Studio sends through EventBridge when a task ends, whichever way.

    A CloudEvent 1.0 of type `dashscope:System:AsyncTaskFinish`; it holds no result (EventBridge
    page of Model Studio).
    """

    task_id: str
    state: str

    @classmethod
    def fits(cls, document: JsonObject) -> bool:
        return "specversion" in document and document.get("source") == "acs.dashscope"

    @classmethod
    def of(cls, document: JsonObject) -> TaskFinishedEvent:
        data = document["data"]
        return cls(str(data["task_id"]), str(data.get("task_status", "")))


@dataclass(frozen=True)
class WakeUpEvent:
    """What the poller sends itself with a delay. `due`: for when, in seconds since 1970."""

    due: float

    @classmethod
    def fits(cls, document: JsonObject) -> bool:
        return "wakeUp" in document

    @classmethod
    def of(cls, document: JsonObject) -> WakeUpEvent:
        return cls(float(document["wakeUp"]["due"]))


@dataclass(frozen=True)
class LookEvent:
    """What `wanx verify-cloud` sends to poll: say what you see.

    `run` names the run that asks. `delay`: poll sends itself such an event, in so many seconds; 0:
    it does not. `due` is set in that one: for when it was, in seconds since 1970.
    """

    run: str
    delay: int
    due: float

    @classmethod
    def fits(cls, document: JsonObject) -> bool:
        return "look" in document

    @classmethod
    def of(cls, document: JsonObject) -> LookEvent:
        asked = document["look"]
        run, delay = str(asked["run"]), int(asked.get("delay", 0))
        if not RUN.fullmatch(run) or not 0 <= delay <= LONGEST_LOOK:
            raise ValueError(f"run must be 12 hex digits, delay 0 to {LONGEST_LOOK}")
        return cls(run, delay, float(asked.get("due", 0)))


Event = OssEvent | TimerEvent | DestinationEvent | TaskFinishedEvent | WakeUpEvent | LookEvent
Kind = (
    type[OssEvent]
    | type[TimerEvent]
    | type[DestinationEvent]
    | type[TaskFinishedEvent]
    | type[WakeUpEvent]
    | type[LookEvent]
)
KINDS: tuple[Kind, ...] = (
    OssEvent,
    TimerEvent,
    DestinationEvent,
    TaskFinishedEvent,
    WakeUpEvent,
    LookEvent,
)


def read_event(raw: bytes) -> Event:
    """The event behind the handler's bytes. Raises UnknownEvent saying what was there."""
    try:
        document = json.loads(raw)
    except ValueError:
        raise UnknownEvent("The event is not JSON; is the trigger of the right kind?") from None
    if isinstance(document, dict):
        for kind in KINDS:
            if kind.fits(document):
                return _read_as(kind, document)
    found = (
        ", ".join(sorted(document)[:8]) if isinstance(document, dict) else type(document).__name__
    )
    raise UnknownEvent(
        f"Expected an OSS, timer, destination or task-finished event; found fields: {found}."
    )


def _read_as(kind: Kind, document: JsonObject) -> Event:
    try:
        return kind.of(document)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        name = kind.__name__
        raise UnknownEvent(
            f"This looks like an {name}, but it lacks what the documented one has:"
            f" {type(error).__name__} at {error}."
        ) from None


def _change(event: JsonObject) -> ObjectChange:
    stored = event["oss"]["object"]
    return ObjectChange(
        name=str(event.get("eventName", "")),
        bucket=str(event["oss"]["bucket"]["name"]),
        key=str(stored["key"]),
        etag=str(stored.get("eTag", "")),
        request_id=str((event.get("responseElements") or {}).get("requestId", "")),
    )


def _text(payload: Any) -> str:
    return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
