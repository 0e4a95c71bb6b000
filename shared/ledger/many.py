"""Remembering very many names in little memory."""

from __future__ import annotations

from array import array
from collections import defaultdict


class Many:
    """A set of many names, as 64 bits of each: about 20 MB for a million.

    Among a million of them, one that is missing seems to be there once in 10^13 times. Of names
    that threads add at the same time one may be lost.
    """

    def __init__(self) -> None:
        self._hashes: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
        self._number = 0

    def add(self, name: str) -> None:
        hashed = hash(name)
        self._hashes[hashed & 0xFFFF].append(hashed)
        self._number += 1

    def __contains__(self, name: object) -> bool:
        hashed = hash(name)
        return hashed in self._hashes.get(hashed & 0xFFFF, ())

    def __len__(self) -> int:
        return self._number
