"""rescue: Function Compute gave up on an event (onFailure destination)."""

from __future__ import annotations

import logging
import os

from shared.deadletters import DeadLetters
from shared.events import DestinationEvent, UnknownEvent, read_event
from shared.service import connect

log = logging.getLogger(__name__)


def handler(event: bytes, context: object) -> str:
    """Write the dead event where a person finds it."""
    read = read_event(event)
    if not isinstance(read, DestinationEvent):
        raise UnknownEvent(f"rescue takes destination events only, not {type(read).__name__}.")
    key = DeadLetters(connect(os.environ, context).store).write(read)
    log.error("an event of %s was given up: see %s", read.function, key)
    return key
