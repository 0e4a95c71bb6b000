"""Plain values, and what a text of them may ask for, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")

Plain: TypeAlias = Any
"""A value made of dict, list, str, int, float, bool and None alone."""

LONGEST_KEY = 256
LONGEST_NUMBER = 100
"""Characters of a number. Reading a longer one takes time that grows faster than its length."""
MOST_SHOWN = 100
"""Violations that are kept of a text, of a job and of an answer; the rest is counted."""
MOST_PLACES = 4 * 1024 * 1024
"""Characters of the JSON Pointers whose lines are known: each holds the keys of all its parents."""


@dataclass(frozen=True)
class Bounds:
    """How much a text may ask for. Nodes and characters count each alias as a full copy."""

    documents: int = 1000
    depth: int = 64
    nodes: int = 100_000
    aliases: int = 100
    characters: int = 16 * 1024 * 1024


@dataclass(frozen=True)
class Problem:
    """What is wrong and where; line and column count from 1."""

    line: int | None
    column: int | None
    expected: str
    message: str
    pointer: str = ""


class Capped(Generic[T]):
    """The first `most` of a row (`kept`), and how many more there were."""

    def __init__(self, most: int = MOST_SHOWN) -> None:
        self.most = most
        self.kept: list[T] = []
        self.more = 0

    @property
    def full(self) -> bool:
        """Whether another one would only be counted: then there is no need to make it."""
        return len(self.kept) >= self.most

    def add(self, one: T) -> None:
        if self.full:
            self.more += 1
        else:
            self.kept.append(one)

    def extend(self, many: Iterable[T], more: int = 0) -> None:
        for one in many:
            self.add(one)
        self.more += more


class TextUnreadable(Exception):
    """The text cannot be read as a whole; `problems` says why, at least one; `more` were left out.

    The exception's own text is short, for a log line: the first problem.
    """

    def __init__(self, problems: Iterable[Problem], more: int = 0) -> None:
        self.problems, self.more = tuple(problems), more
        others = len(self.problems) - 1 + more
        super().__init__(self.problems[0].message + (f" (and {others} more)" if others else ""))


def escape(key: str) -> str:
    """A key as one token of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def copy(value: Plain) -> Plain:
    """A deep copy of plain data: dict, list, scalars."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value
