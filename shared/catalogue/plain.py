"""Plain values, and what a text of them may ask for, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

Plain: TypeAlias = Any
"""A value made of dict, list, str, int, float, bool and None alone."""

LONGEST_KEY = 256


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


class TextUnreadable(Exception):
    """The text cannot be read as a whole; `problems` says why, at least one."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


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
