"""Permits: at most the documented submissions of a model in any window of time.

Only the holder of the lease sends, so its memory is enough. A permit is spent when a request goes
out and returns one window after the request's answer has arrived. The service counts a request at
some moment between the two, so no window at the service ever holds more than the limit. A call that
is answered minutes later is counted on its arrival: its permit returns one window, and the time of
the way, after it was written completely.

Submissions of several threads line up for permits, so that jobs are sent in the order in which they
were chosen. All methods may be called by several threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from shared.catalogue.models import Limits
from shared.platform.clock import Clock

ON_ITS_WAY = 1.0
"""Seconds after which a request that was written completely has arrived."""


class Permit:
    """For one submission of a model. `back_at`: when it returns; never while its call is open.
    `is_void`: it cannot be spent any more."""

    def __init__(self, model: str, limits: Limits) -> None:
        self.model = model
        self.limits = limits
        self.back_at = math.inf
        self.is_void = False


@dataclass
class Permits:
    """All models' permits. Times on the instance's monotonic clock."""

    clock: Clock
    _line: dict[str, list[Permit]] = field(default_factory=dict)
    _spent: dict[str, list[float | Permit]] = field(default_factory=dict)
    _unknown_until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def wait(self, model: str, limits: Limits) -> float:
        """Seconds until who lines up now may send; inf while that depends on open calls."""
        with self._lock:
            return self._wait(model, limits, len(self._line.get(model, ())))

    def line_up(self, model: str, limits: Limits) -> Permit:
        """A permit that may be spent in its turn; who has it gives it back in the end."""
        permit = Permit(model, limits)
        with self._lock:
            line = self._line.setdefault(model, [])
            permit.is_void = any(other.is_void for other in line)
            line.append(permit)
        return permit

    def turn(self, permit: Permit) -> tuple[float, bool]:
        """Seconds until a permit that is lined up may be spent, inf as in `wait`; and whether it is
        the first in line: the others wait for that one in any case."""
        with self._lock:
            ahead = self._line[permit.model].index(permit)
            return self._wait(permit.model, permit.limits, ahead), ahead == 0

    def spend(self, permit: Permit) -> bool:
        """Spend a permit now, because its request goes out now; False if it is too early."""
        with self._lock:
            line = self._line[permit.model]
            its_turn = line[0] is permit and not permit.is_void
            if not its_turn or self._wait(permit.model, permit.limits, 0) > 0:
                return False
            line.pop(0)
            permit.is_void = True
            self._spent.setdefault(permit.model, []).append(permit)
            return True

    def stop_line(self, permit: Permit) -> None:
        """Neither this one nor those behind it in line may send: its job would be overtaken."""
        with self._lock:
            line = self._line.get(permit.model, [])
            for other in line[line.index(permit) :] if permit in line else ():
                other.is_void = True

    def give_back(self, permit: Permit) -> None:
        """The answer to its request has come, or it is not spent after all. Idempotent."""
        with self._lock:
            line = self._line.get(permit.model, [])
            if permit in line:
                line.remove(permit)
            permit.back_at = min(permit.back_at, self.clock.monotonic() + permit.limits.per_seconds)

    def written(self, permit: Permit) -> None:
        """The request of a permit that was spent has left completely."""
        with self._lock:
            back_at = self.clock.monotonic() + permit.limits.per_seconds + ON_ITS_WAY
            permit.back_at = min(permit.back_at, back_at)

    def state(self) -> dict[str, list[float]]:
        """Seconds until each spent permit returns, by model: what the next holder has to know.

        `*`: until the last request that nobody knows of has been answered. Negative from then on,
        because the window that it was counted in goes on.
        """
        with self._lock:
            now = self.clock.monotonic()
            unknown = self._unknown_until - now
            spent = {
                model: [round(back_at - now, 3) for back_at in self._open(model, now)]
                for model in list(self._spent)
            }
        return {model: waits for model, waits in spent.items() if waits} | (
            {"*": [unknown]} if self._unknown_until else {}
        )

    def restore(self, state: Any, request: float, ago: float = 0.0) -> None:
        """Go on from what the last holder said, at least `ago` seconds ago; without that every
        permit counts as spent until its last request (at most `request` seconds long) has been
        answered."""
        now = self.clock.monotonic() - ago
        try:
            spent = {str(model): [float(one) for one in waits] for model, waits in state.items()}
        except (AttributeError, TypeError, ValueError):
            spent = {"*": [request]}
        unknown = spent.pop("*", [])
        with self._lock:
            self._unknown_until = now + max(unknown) if unknown else 0.0
            self._spent = {model: [now + one for one in waits] for model, waits in spent.items()}

    def _wait(self, model: str, limits: Limits, ahead: int) -> float:
        """Seconds until a permit is free behind `ahead` others that wait."""
        now = self.clock.monotonic()
        spent = sorted(self._open(model, now))
        needed = ahead + 1 - limits.submissions + len(spent)
        if needed > len(spent):
            return math.inf
        free_at = spent[needed - 1] if needed > 0 else now
        if self._unknown_until:
            free_at = max(free_at, self._unknown_until + limits.per_seconds)
        return max(0.0, free_at - now)

    def _open(self, model: str, now: float) -> list[float]:
        """When the permits return that have not; the others are forgotten."""
        left = [one for one in self._spent.get(model, ()) if _back_at(one) > now]
        self._spent[model] = left
        return [_back_at(one) for one in left]


def _back_at(spent: float | Permit) -> float:
    return spent.back_at if isinstance(spent, Permit) else spent
