"""What a package's bytecode has in place of `@dataclass` (`deploy/packaging/dataclass_methods.py`).

There the methods are written out, and what else the decorator makes is needed by few classes in a
process: `fields`, `replace` and `asdict` ask for it. No source imports this module.
"""

from __future__ import annotations

from dataclasses import Field, dataclass
from typing import Any


class LateFields:
    """Is `__dataclass_fields__` of a class until somebody asks for it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    def __get__(self, instance: object, owner: type) -> dict[str, Field[Any]]:
        dataclass(init=False, repr=False, eq=False)(self._owner)
        found: dict[str, Field[Any]] = vars(self._owner)["__dataclass_fields__"]
        return found
