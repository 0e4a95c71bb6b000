"""Jobs through the slots of one model in one deployment, one by one, in the order they came."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapreplace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Served:
    """Jobs that started within the time: when they came, started and ended; `left`: those not."""

    came: Floats
    start: Floats
    end: Floats
    left: int

    @property
    def waits(self) -> Floats:
        return self.start - self.came


def serve(
    came: Floats, slots: int, seconds: Floats, spacing: float = 0.0, until: float = float("inf")
) -> Served:
    """`came`: when the jobs came, in order; `seconds`: how long each takes in its slot.

    `spacing`: least seconds between two starts, because one poller starts them all. Nothing starts
    at `until` or later.
    """
    lanes, last, starts = [0.0] * slots, -spacing, []
    for moment, length in zip(came.tolist(), seconds.tolist(), strict=True):
        start = max(moment, lanes[0], last + spacing)
        if start >= until:
            break
        starts.append(start)
        heapreplace(lanes, start + length)
        last = start
    done = len(starts)
    start_at = np.array(starts)
    return Served(came[:done], start_at, start_at + seconds[:done], len(came) - done)
