"""Events that Function Compute gave up on, written where a person finds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.ledger.ledger import Ledger
from shared.ledger.wakeups import DEAD_EVENT
from shared.platform.clock import iso
from shared.platform.fc.events import (
    DestinationEvent,
    OssEvent,
    TaskFinishedEvent,
    TimerEvent,
    UnknownEvent,
    WakeUpEvent,
    read_event,
)
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore, ObjectTooLarge

DEAD_BYTES = 1024 * 1024
MOST_SHOWN = 100
PAUSE = 40.0
"""Seconds after which the poller is called again: about as often as a timer would call it."""
SHOWN = ("function", "at", "request_id", "condition", "tries", "error", "job_files", "what_to_do")


@dataclass
class DeadLetters:
    """The folder `dead/` of the bucket. `ledger`: whose poller is woken."""

    store: ObjectStore
    ledger: Ledger | None = None

    def latest(self) -> tuple[list[dict[str, Any]], int]:
        """The latest dead events, newest first, and how many there are. Raises StoreError."""
        names = [entry.key[len(layout.DEAD) :] for entry in self.store.list(layout.DEAD)]
        return [self._shown(name) for name in reversed(names[-MOST_SHOWN:])], len(names)

    def write(self, event: DestinationEvent) -> str:
        """Keep a dead event with its reason and what to do. Returns its key. Raises StoreError.

        The key follows from the event, so that a second delivery writes the same object.
        """
        stamp = iso(event.at).replace(":", "")
        key = layout.dead_event(f"{stamp}-{event.request_id or 'unknown'}.json")
        document = {
            "function": event.function,
            "at": iso(event.at),
            "request_id": event.request_id,
            "condition": event.condition,
            "tries": event.tries,
            "error": event.error[:4000],
            "job_files": _job_files(event.payload),
            "what_to_do": "Repair the cause named in `error`, then upload the job files again:"
            " the same file is always the same job, so nothing is submitted twice."
            " A dead poll event needs nothing: the poller is called again.",
            "event": _readable(event.payload),
        }
        self.store.put(key, json.dumps(document, ensure_ascii=False, indent=2).encode())
        return key

    def wake_for(self, event: DestinationEvent) -> bool:
        """Call the poller if the event was its own, or of job files: `submit` may have died after
        it had queued or sent some of their jobs. Returns whether it did. Raises StoreError.

        Not at once for its own: what dies of a lasting trouble must not be called in a hot loop.
        """
        own = _is_pollers(event)
        if self.ledger is None or not (own or _job_files(event.payload)):
            return False
        if own:
            self.ledger.clock.sleep(PAUSE)
        self.ledger.wake.because(DEAD_EVENT)
        return True

    def _shown(self, name: str) -> dict[str, Any]:
        try:
            document = json.loads(self.store.read(layout.dead_event(name), DEAD_BYTES).body)
        except (ObjectMissing, ObjectTooLarge, ValueError):
            document = None
        if not isinstance(document, dict):
            return {"name": name, "error": "This file cannot be read; look at it in the bucket."}
        return {"name": name, **{field: document.get(field) for field in SHOWN}}


def _job_files(payload: str) -> list[str]:
    try:
        event = read_event(payload.encode())
    except UnknownEvent:
        return []
    changes = event.changes if isinstance(event, OssEvent) else ()
    return [change.key for change in changes if change.key.startswith(layout.JOB_FILES)]


def _is_pollers(event: DestinationEvent) -> bool:
    """Whether the poller was to be called: by timer, wake object, itself or a task's end."""
    try:
        read = read_event(event.payload.encode())
    except UnknownEvent:
        return False
    if isinstance(read, OssEvent):
        return any(change.key == layout.WAKE for change in read.changes)
    return isinstance(read, (TimerEvent, WakeUpEvent, TaskFinishedEvent))


def _readable(payload: str) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload
