"""Permits: at most the documented submissions of a model in any window of time.

Only the holder of the lease sends, so its memory is enough. A permit is spent when a request goes
out and returns one window after the request's answer has arrived. The service counts a request at
some moment between the two, so no window at the service ever holds more than the limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.models import Limits
from shared.platform.clock import Clock


@dataclass
class Permits:
    """All models' permits. Times on the instance's monotonic clock."""

    clock: Clock
    _back_at: dict[str, list[list[float]]] = field(default_factory=dict)
    _unknown_until: float = 0.0

    def wait(self, model: str, limits: Limits) -> float:
        """Seconds until a submission may be sent; inf while calls whose end is open hold all."""
        now = self.clock.monotonic()
        spent = sorted(back[0] for back in self._open(model, now))
        full = len(spent) >= limits.submissions
        free_at = spent[-limits.submissions] if full else now
        if self._unknown_until:
            free_at = max(free_at, self._unknown_until + limits.per_seconds)
        return max(0.0, free_at - now)

    @contextmanager
    def spent(self, model: str, limits: Limits) -> Iterator[None]:
        """The time of one request: its permit is spent, and returns a window after the answer."""
        back = [math.inf]
        self._back_at.setdefault(model, []).append(back)
        try:
            yield
        finally:
            back[0] = self.clock.monotonic() + limits.per_seconds

    def state(self) -> dict[str, list[float]]:
        """Seconds until each spent permit returns, by model: what the next holder has to know."""
        now = self.clock.monotonic()
        unknown = max(0.0, self._unknown_until - now)
        spent = {
            model: [round(back[0] - now, 3) for back in self._open(model, now)]
            for model in list(self._back_at)
        }
        return {model: waits for model, waits in spent.items() if waits} | (
            {"*": [unknown]} if unknown else {}
        )

    def restore(self, state: Any, request: float) -> None:
        """Go on from what the last holder said; without that every permit counts as spent until
        its last request (at most `request` seconds long) has been answered."""
        now = self.clock.monotonic()
        self._back_at.clear()
        try:
            spent = {str(model): [float(one) for one in waits] for model, waits in state.items()}
        except (AttributeError, TypeError, ValueError):
            spent = {"*": [request]}
        unknown = spent.pop("*", [])
        self._unknown_until = now + max(unknown) if unknown else 0.0
        self._back_at = {model: [[now + one] for one in waits] for model, waits in spent.items()}

    def _open(self, model: str, now: float) -> list[list[float]]:
        """The permits of a model that have not returned; the others are forgotten."""
        left = [back for back in self._back_at.get(model, ()) if back[0] > now]
        self._back_at[model] = left
        return left
