"""Asynchronous invocation: at least once, retried, bounded by age, given up to a destination."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from local.runtime.declaration import Function
from local.runtime.event_folder import EventFolder, QueuedEvent
from local.runtime.pool import Pool, Throttled
from local.runtime.process import Outcome
from local.runtime.settings import Settings

PAYLOAD_BYTES = 128 * 1024
"""Largest asynchronous payload ("limits" page)."""
LOG = logging.getLogger("local.runtime")


class PayloadTooLarge(ValueError):
    """An asynchronous payload over 128 KB; the text says what to do."""


class Delivery:
    """Takes events, keeps them on disk, runs them, and forgets them only when they are settled."""

    def __init__(self, pools: Mapping[str, Pool], settings: Settings) -> None:
        self._pools = pools
        self._settings = settings
        self._folder = EventFolder(settings.data / "queue")
        self._events: dict[str, QueuedEvent] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Takes up what an earlier run of the runtime left behind."""
        for event in self._folder.load():
            if event.function in self._pools:
                self._take(event)
            else:
                LOG.warning("%s is no longer declared; its event stays in queue/", event.function)

    async def enqueue(
        self, function: str, payload: bytes, trigger: str = "", delay: float = 0.0
    ) -> str:
        """The request id, once the event is durable. Raises PayloadTooLarge.

        `delay`: seconds from now before which it is not delivered.
        """
        if len(payload) > PAYLOAD_BYTES:
            raise PayloadTooLarge(
                f"the payload has {len(payload)} bytes; an asynchronous invocation takes at most "
                f"{PAYLOAD_BYTES}; put it into OSS and send its key"
            )
        event = QueuedEvent(function, _text(payload), trigger)
        event.next_try_at = event.queued_at + delay if delay else 0.0
        return await self._store(event)

    async def _store(self, event: QueuedEvent) -> str:
        await asyncio.to_thread(self._folder.save, event)
        self._take(event)
        return event.request_id

    def waiting(self, function: str, trigger: str | None = None) -> int:
        """Events of this function (and trigger) that are not settled, running ones included."""
        return sum(
            event.function == function and trigger in (None, event.trigger)
            for event in self._events.values()
        )

    def __len__(self) -> int:
        return len(self._events)

    async def close(self) -> None:
        """Stops delivering; what is not settled stays on disk."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, event: QueuedEvent) -> None:
        self._events[event.request_id] = event
        task = asyncio.create_task(self._deliver(event))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            LOG.error("an event stays queued until the next start: %s", error, exc_info=error)

    async def _deliver(self, event: QueuedEvent) -> None:
        pool = self._pools[event.function]
        policy = pool.function.policy
        while True:
            await asyncio.sleep(max(0.0, event.next_try_at - time.time()))
            if time.time() - event.queued_at > policy.max_age:
                return await self._give_up(event, None, "EventAgeExceeded")
            try:
                outcome = await pool.invoke(_bytes(event.payload), event.request_id)
            except Throttled:
                event.next_try_at = time.time() + self._settings.retry_seconds
                continue
            event.tries += 1
            if outcome.ok:
                return await self._settle(event, outcome, "", policy.on_success)
            if event.tries > policy.retries:
                return await self._give_up(event, outcome, "UnhandledInvocationError")
            pool.counts["retries"] += 1
            await self._postpone(event, outcome)

    async def _postpone(self, event: QueuedEvent, outcome: Outcome) -> None:
        wait = self._settings.retry_seconds * 2 ** (event.tries - 1)
        event.next_try_at = time.time() + wait
        await asyncio.to_thread(self._folder.save, event)
        LOG.info(
            "%s failed (%s); try %d in %g s",
            *(event.function, outcome.error_message, event.tries + 1, wait),
        )

    async def _give_up(self, event: QueuedEvent, outcome: Outcome | None, condition: str) -> None:
        pool = self._pools[event.function]
        pool.counts["given_up"] += 1
        why = outcome.error_message if outcome else "too old"
        LOG.warning("%s gave up an event after %d tries: %s", event.function, event.tries, why)
        await self._settle(event, outcome, condition, pool.function.policy.on_failure)

    async def _settle(
        self, event: QueuedEvent, outcome: Outcome | None, condition: str, destination: str | None
    ) -> None:
        """The destination's event is durable before this one is forgotten."""
        function = self._pools[event.function].function
        if destination and self._may_reach(function, destination):
            payload = destination_payload(function, event, outcome, condition)
            trigger = f"destination:{function.name}"
            await self._store(QueuedEvent(destination, json.dumps(payload), trigger))
        await asyncio.to_thread(self._folder.remove, event)
        self._events.pop(event.request_id, None)

    def _may_reach(self, function: Function, destination: str) -> bool:
        """The destination is called under the function's own role, or not at all."""
        target = self._pools[destination].function
        return self._settings.rights.may_call(function.role, target)


def destination_payload(
    function: Function, event: QueuedEvent, outcome: Outcome | None, condition: str
) -> dict[str, Any]:
    """What a destination function receives ("result callback" page); `timestamp` in ms.

    The page shows one value of `condition`, an error's name; the others here are our reading.
    """
    failed = outcome is not None and not outcome.ok
    return {
        "timestamp": int(time.time() * 1000),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": function.arn,
            "condition": condition,
            "approximateInvokeCount": event.tries,
        },
        "requestPayload": event.payload,
        "responseContext": {
            "statusCode": 200,
            "functionError": "UnhandledInvocationError" if failed else "",
        },
        "responsePayload": outcome.payload.decode("utf-8", "replace") if outcome else "",
    }


def _text(payload: bytes) -> str:
    """Bytes that are no UTF-8 survive as lone surrogates, which JSON writes as escapes."""
    return payload.decode("utf-8", "surrogateescape")


def _bytes(payload: str) -> bytes:
    return payload.encode("utf-8", "surrogateescape")
