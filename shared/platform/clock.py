"""Time and chance, passed in: the simulation owns both."""

from __future__ import annotations

import random
import re
import time
from datetime import datetime, timezone
from typing import Protocol

_AS_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


class Clock(Protocol):
    """What the library knows of time. All times are seconds since 1970-01-01 UTC."""

    def now(self) -> float:
        """Wall-clock time of this instance; instances may disagree by seconds."""

    def monotonic(self) -> float:
        """Seconds that never jump, for measuring how long something took."""

    def sleep(self, seconds: float) -> None:
        """Wait. A negative or zero duration returns at once."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


def new_random() -> random.Random:
    """A source of randomness seeded by the operating system."""
    return random.Random(random.SystemRandom().getrandbits(128))


def nonce(source: random.Random) -> str:
    """32 random hex digits, which no other attempt has."""
    return f"{source.getrandbits(128):032x}"


def iso(at: float) -> str:
    """UTC time with milliseconds, as RFC 3339 writes it: 2026-11-20T05:12:00.123Z."""
    moment = datetime.fromtimestamp(at, tz=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def from_iso(text: str) -> float:
    """The inverse of `iso`. Raises ValueError for any other form."""
    if _AS_WRITTEN.fullmatch(text):  # a record's times: strptime takes three times as long
        moment = datetime.fromisoformat(text[:-1])
    else:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return moment.replace(tzinfo=timezone.utc).timestamp()
