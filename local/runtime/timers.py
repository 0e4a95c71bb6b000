"""Timer triggers: at each tick an asynchronous event, as late as the previous ones allow."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime, timezone

from local.runtime.declaration import Function, TimerTrigger
from local.runtime.delivery import Delivery

LOG = logging.getLogger("local.runtime")
MOST_WAITING = 3
"""Ticks of one timer that may wait or run at once; more would only repeat each other later."""


async def run_timer(
    function: Function, trigger: TimerTrigger, delivery: Delivery, minute: float
) -> None:
    """Runs until cancelled. The first tick comes after the first interval."""
    tick = datetime.now(timezone.utc)
    while True:
        # A laptop that slept fires once for the time it missed, not once for every tick of it.
        now = datetime.now(timezone.utc)
        tick = trigger.schedule.next_after(tick, minute)
        if tick < now:
            tick = now
        await asyncio.sleep((tick - now).total_seconds())
        name = f"timer:{trigger.name}"
        if delivery.waiting(function.name, name) >= MOST_WAITING:
            LOG.warning("%s: %d ticks wait, this one is skipped", trigger.name, MOST_WAITING)
            continue
        await delivery.enqueue(function.name, timer_event(trigger, tick), name)


def timer_event(trigger: TimerTrigger, tick: datetime) -> bytes:
    """The event of the "timer trigger" page: time in UTC, payload a string."""
    event = {
        "triggerTime": tick.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "triggerName": trigger.name,
        "payload": trigger.payload,
    }
    return json.dumps(event, ensure_ascii=False).encode()
