"""The table of what must wake the poller: each kind of thing left over, when it is due, and how it
wakes.

A kind that is not in the table wakes nobody. What later needs a wake-up gets a row: a budget that
is reset, limits that were changed, a chain, a batch that goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class How(Enum):
    """How a kind of thing wakes the poller."""

    AWAKE = "the poller stays awake; if it dies, its event is delivered again"
    CALL = "the poller, before it rests, calls itself with a delay (or the timer comes first)"
    OBJECT = "whoever causes it writes the wake object"
    OBJECT_IF_ALONE = "whoever causes it writes the wake object, unless a poller lives"


@dataclass(frozen=True)
class WakeUp:
    """One row: the moment at which it is due, and how it wakes."""

    due: str
    how: How


ACCEPTED, RELEASED, REBUILT = "accepted", "released", "rebuilt"
ADOPTED, CANCELED, RESUMED = "adopted", "canceled", "resumed"
REDRIVEN, DEAD_EVENT, FROZEN = "redriven", "dead event", "frozen"
DEADLINE, OTHER_CODE = "deadline", "other code"
IN_FLIGHT, IN_DOUBT = "in flight", "in doubt"
NOT_BEFORE, EXPIRY, BREAKER = "not before", "expiry", "breaker"
ANNOUNCED, DELIVERY = "announced", "delivery"
KEY_PROBE, PERMIT, TROUBLE = "key probe", "permit", "trouble"

WAKE_UPS: dict[str, WakeUp] = {
    ACCEPTED: WakeUp("at once: a job was queued", How.OBJECT_IF_ALONE),
    RELEASED: WakeUp("at once: submit gave the lease back", How.OBJECT),
    REBUILT: WakeUp("at once: markers were made again", How.OBJECT_IF_ALONE),
    ADOPTED: WakeUp("at once: a job has a task again", How.OBJECT_IF_ALONE),
    CANCELED: WakeUp("at once: a place is free, something may be left over", How.OBJECT_IF_ALONE),
    RESUMED: WakeUp("at once: the poller may be going to rest because of it", How.OBJECT),
    REDRIVEN: WakeUp("at once: an event of the poller was put back", How.OBJECT),
    DEAD_EVENT: WakeUp("when rescue has written it down: submit may have left jobs", How.OBJECT),
    ANNOUNCED: WakeUp("at once: somebody is to be told of a job", How.OBJECT_IF_ALONE),
    DEADLINE: WakeUp("at once: the next run goes on", How.OBJECT),
    OTHER_CODE: WakeUp("at once: the next run has the code that is deployed", How.OBJECT),
    FROZEN: WakeUp("when it thaws: a poller that lost the lease unseen", How.OBJECT_IF_ALONE),
    IN_FLIGHT: WakeUp("at its next question", How.AWAKE),
    IN_DOUBT: WakeUp("at its next look-up", How.AWAKE),
    NOT_BEFORE: WakeUp("at the job's not_before", How.CALL),
    EXPIRY: WakeUp("when the first queued job expires", How.CALL),
    BREAKER: WakeUp("when the model's pause ends", How.CALL),
    KEY_PROBE: WakeUp("when the key's pause ends", How.CALL),
    PERMIT: WakeUp("when the next permit returns", How.CALL),
    DELIVERY: WakeUp("when a receiver is to be told again", How.CALL),
    TROUBLE: WakeUp("when a damaged thing is worth another try", How.CALL),
}


def how(kind: str) -> How:
    """How this kind of thing wakes the poller. Raises KeyError for one without a row."""
    return WAKE_UPS[kind].how


@dataclass(frozen=True)
class Armed:
    """The delayed call under way, as the released lease remembers it. `at`: when it is due, in
    seconds since 1970 (0: there is none); `early`: how many calls in a row came far too early."""

    at: float = 0.0
    early: int = 0


NOT_ARMED = Armed()
