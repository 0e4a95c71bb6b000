"""A value of a model file that knows its place, so that what is wrong can be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NoReturn, TypeVar

from shared.catalogue.files import CatalogueError
from shared.catalogue.plain import Plain, escape

_T = TypeVar("_T")


class Node:
    """A value of a model file, with its place in the file for error messages."""

    __slots__ = ("_place", "file", "value")

    def __init__(
        self, value: Plain, file: str, place: tuple[Node, str | int] | None = None
    ) -> None:
        self.value, self.file, self._place = value, file, place

    @property
    def pointer(self) -> str:
        """The JSON Pointer of the place; worked out only for a message."""
        if self._place is None:
            return ""
        outer, step = self._place
        return f"{outer.pointer}/{escape(str(step))}"

    def __getitem__(self, key: str) -> Node:
        inner = self.maybe(key)
        if inner is None:
            self._fail(f"the key `{key}` is missing")
        return inner

    def maybe(self, key: str) -> Node | None:
        """The value of a key that may be left out."""
        members = self.value if type(self.value) is dict else self.members()
        return Node(members[key], self.file, (self, key)) if key in members else None

    def changed(self, patch: Node) -> Node:
        """These members with those of another node over them, at the place of that one."""
        return Node({**self.members(), **patch.members()}, self.file, patch._place)

    def in_regions(self) -> Iterator[tuple[str, Node]]:
        """This part of the file as it is in each region where something of it differs."""
        regions = self.maybe("by_region")
        if regions is not None:
            for name in regions.members():
                yield name, self.changed(regions[name])

    def members(self) -> dict[str, Any]:
        return self.of(dict)

    def items(self) -> list[Node]:
        values: list[Any] = self.of(list)
        return [Node(value, self.file, (self, index)) for index, value in enumerate(values)]

    def of(self, kind: type[_T]) -> _T:
        if not isinstance(self.value, kind) or (isinstance(self.value, bool) and kind is not bool):
            self._fail(f"expected {kind.__name__}, found {type(self.value).__name__}")
        value: _T = self.value
        return value

    def text(self) -> str:
        return self.of(str)

    def whole(self, least: int) -> int:
        """A whole number that is not below `least`."""
        if self.of(int) < least:
            self._fail(f"expected at least {least}, found {self.value}")
        return self.of(int)

    def positive(self) -> float:
        """A number above 0."""
        if not self.number() > 0:
            self._fail(f"expected more than 0, found {self.value}")
        return self.number()

    def number(self) -> float:
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return float(self.value)
        return self.of(float)

    def day(self) -> str:
        """A day of the calendar, YYYY-MM-DD."""
        text = self.text()
        try:
            date.fromisoformat(text)
        except ValueError:
            self._fail(f"{text!r} is not a day, such as 2026-11-28")
        return text

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def _fail(self, what: str) -> NoReturn:
        where = self.pointer or "/"
        raise CatalogueError(f"{self.file} at {where}: {what}; see schemas/model.meta.yaml")


def title(node: Node, sources: Mapping[str, str]) -> str:
    """The title of the document that a part of the file rests on."""
    short = node["source"].text()
    return sources.get(short, short)
