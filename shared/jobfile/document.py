"""A job as it was written, before anything is known about its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CUSTOM_ID, BATCH = "custom_id", "batch"
"""Labels of the jobs of a file in OpenAI's batch form."""


class Lines:
    """The line of each value of a file; worked out only when asked for."""

    def __init__(self, work_out: Callable[[], list[dict[str, int]]]) -> None:
        self._work_out = work_out
        self._known: list[dict[str, int]] | None = None

    def of(self, index: int) -> Mapping[str, int]:
        if self._known is None:
            self._known = self._work_out()
        return self._known[index]


@dataclass(frozen=True)
class Document:
    """One job of a file. `index` counts from 0; pointers are relative to `value`."""

    index: int
    value: Any
    _lines: Lines | None = field(default=None, repr=False, compare=False)
    _position: int = field(default=0, repr=False, compare=False)
    _prefix: str = field(default="", repr=False, compare=False)

    def line(self, pointer: str) -> int | None:
        """The line of the value at `pointer`, or of the nearest that contains it."""
        if self._lines is None:
            return None
        known = self._lines.of(self._position)
        while pointer and self._prefix + pointer not in known:
            pointer = pointer.rpartition("/")[0]
        return known.get(self._prefix + pointer)


def is_batch_line(value: Any) -> bool:
    """Whether a document is a line of OpenAI's batch form, right or wrong."""
    return isinstance(value, dict) and CUSTOM_ID in value and "body" in value
