"""rescue: Function Compute gave up on an event (onFailure destination)."""

from __future__ import annotations

import logging
import os

from shared.app import dead_letters
from shared.platform.fc.events import DestinationEvent, UnknownEvent, read_event
from shared.platform.logs import about, logged

log = logging.getLogger(__name__)


@logged(log)
def handler(event: bytes, context: object) -> str:
    """Write the dead event where a person finds it; call the poller for what is left."""
    letters = dead_letters(os.environ, context)  # a wrong setting may be why the event died
    read = read_event(event)
    if not isinstance(read, DestinationEvent):
        raise UnknownEvent(f"rescue takes destination events only, not {type(read).__name__}.")
    key = letters.write(read)
    facts = about("event.given_up", source=key, of=read.function, tries=read.tries)
    log.error("an event of %s was given up: see %s", read.function, key, extra=facts)
    letters.wake_for(read)
    return key
