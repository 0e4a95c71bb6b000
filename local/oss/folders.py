"""The names in folders: read each time where they are few, remembered where they are many.

A folder's time of change shows whether a name has come or gone since it was read. The server's own
changes are followed without reading again. After those of another server on the same folder
`forget` must be called, because two changes may fall into one tick of a file system's clock; a file
that is put in by hand within such a tick is found when the folder is read again after a while.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MANY = 1000
_CHUNK = 200
_TICK_SECONDS = 0.1
"""Longer than any file system's clock stands still."""
_SHARE = 100
"""A folder that changes all the time is read again after so many times what reading it took."""


@dataclass
class _Remembered:
    """`names` were right at `changed`, the folder's own time in nanoseconds; until `read_again`
    (monotonic seconds) that may also be true of names that came within the same tick."""

    names: list[bytes]
    changed: int
    read_again: float
    took: float


class Folders:
    """What lies in the folders of all buckets."""

    def __init__(self) -> None:
        self._remembered: dict[str, _Remembered] = {}
        self._mutex = threading.Lock()

    def names(self, folder: str, start: bytes = b"") -> Iterator[bytes]:
        """Yield the names in a folder as they sort within keys: folders have a slash at the end.

        Begins with the first that is not less than `start`. A folder that is none has no names.
        """
        while True:
            chunk = self._from_memory(folder, start)
            if chunk is None:
                names = self._read(folder)
                yield from names[bisect_left(names, start) :]
                return
            yield from chunk
            if len(chunk) < _CHUNK:
                return
            start = chunk[-1] + b"\0"

    @contextmanager
    def changing(self, path: str, *, comes: bool) -> Iterator[None]:
        """Follow a change of the server's own: a file at `path` comes or goes in this block."""
        folder, name = os.path.split(path)
        with self._mutex:
            known = self._remembered.get(folder)
            fresh = known is not None and known.changed == _changed(folder)
            yield
            if known is None or not fresh:
                return
            _follow(known.names, name.encode(), comes)
            known.changed = _changed(folder)
            known.read_again = min(known.read_again, time.monotonic() + _SHARE * known.took)

    def forget(self) -> None:
        """Read everything again when it is asked for."""
        with self._mutex:
            self._remembered.clear()

    def _from_memory(self, folder: str, start: bytes) -> list[bytes] | None:
        with self._mutex:
            known = self._remembered.get(folder)
            if known is None or known.changed != _changed(folder):
                return None
            if time.monotonic() > known.read_again:
                return None
            first = bisect_left(known.names, start)
            return known.names[first : first + _CHUNK]

    def _read(self, folder: str) -> list[bytes]:
        began, before = time.monotonic(), _changed(folder)
        names = _names(folder)
        settled = time.time() - before / 1e9 > _TICK_SECONDS
        took = time.monotonic() - began
        read_again = float("inf") if settled else began + _SHARE * took
        with self._mutex:
            self._remembered.pop(folder, None)
            if len(names) >= _MANY and before == _changed(folder):
                # The caller walks through its own list; this one is followed and changes.
                self._remembered[folder] = _Remembered(list(names), before, read_again, took)
        return names


def _changed(folder: str) -> int:
    """When a name came or went last, in nanoseconds; 0 where there is no such folder."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def _follow(names: list[bytes], name: bytes, comes: bool) -> None:
    place = bisect_left(names, name)
    there = place < len(names) and names[place] == name
    if comes and not there:
        names.insert(place, name)
    elif there and not comes:
        del names[place]


def _names(folder: str) -> list[bytes]:
    names = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    name = entry.name.encode()
                except UnicodeEncodeError:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    names.append(name + b"/")
                elif entry.is_file(follow_symlinks=False):
                    names.append(name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    names.sort()
    return names
