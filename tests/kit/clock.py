"""The machine's clock on a day that a test chooses."""

from __future__ import annotations

from dataclasses import dataclass

from shared.platform.clock import SystemClock


@dataclass
class FixedDay(SystemClock):
    """Always shows the same time; what is measured and slept is real."""

    at: float

    def now(self) -> float:
        return self.at
