"""poll: the timer ticked, the wake object was written, its own call came, or a task finished."""

from __future__ import annotations

import logging
import os

from shared.app import for_invocation
from shared.platform.fc.context import time_left
from shared.platform.fc.events import DestinationEvent, TimerEvent, UnknownEvent, read_event
from shared.platform.logs import logged

MARGIN = 780.0
"""Seconds kept back for what is under way when the deadline comes: a call may be answered after
600 s, and storing its images may take 120 s. Meanwhile the next poller is at work."""
SWEEP = 20.0
"""Seconds for a look at job files whose event never came, if the timer is a safety net."""

log = logging.getLogger(__name__)


@logged(log)
def handler(event: bytes, context: object) -> str:
    """Work until nothing is left or the function's time is nearly up."""
    app = for_invocation(os.environ, context)
    read = read_event(event)
    if isinstance(read, DestinationEvent):
        raise UnknownEvent("poll takes timer, OSS and task-finished events, no destination's.")
    answer = app.answered(read)
    if answer is not None:
        return answer
    now = app.clock.monotonic()
    ends, deadline = now + time_left(context, 0.0), now + time_left(context, MARGIN)
    word = app.poller.run(deadline, read, ends)
    if isinstance(read, TimerEvent) and app.calls is not None:
        app.sweep.go_on(SWEEP)
    return word
