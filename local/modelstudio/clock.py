"""The server's two clocks: one that can be moved and dates things, one that only measures."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

_BEIJING = timezone(timedelta(hours=8))


class ServerClock:
    """Wall-clock time with an offset, so that a day passes in a test without waiting for it."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC by the server's clock."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock on; limits and task durations are measured and do not move with it."""
        self.offset += seconds

    def monotonic(self) -> float:
        """Seconds for measuring, untouched by `advance`."""
        return time.monotonic()


def beijing_text(at: float) -> str:
    """UTC+8 without offset, as the editing model's API page prints it: 2025-09-23 22:14:10.800."""
    moment = datetime.fromtimestamp(at, tz=_BEIJING)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def beijing_date(at: float) -> str:
    """The day in UTC+8 as YYYYMMDD."""
    return datetime.fromtimestamp(at, tz=_BEIJING).strftime("%Y%m%d")


def from_compact(text: str) -> float:
    """Seconds since 1970 of `YYYYMMDDhhmmss` in UTC+8 (task management page). Raises ValueError."""
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=_BEIJING).timestamp()
