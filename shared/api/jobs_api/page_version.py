"""The version of the page's folder: it names what its files hold, and is part of their URLs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

FORM = re.compile(r"v-[0-9a-f]{16}")

Stamp = tuple[tuple[str, int, int], ...]
"""Each file's path, size and time of change: cheap to learn, and other if a file is other."""


@dataclass
class FolderVersion:
    """The version of a folder as it is now.

    One version for all files, because they import one another by relative paths.
    """

    folder: Path
    _known: tuple[Stamp, str] = field(default=((), ""), init=False)

    def now(self) -> str:
        """`v-` and 16 hex digits of a SHA-256 over the names and contents of all files."""
        stamp = tuple(sorted(_files(self.folder)))
        known, version = self._known
        if stamp != known or not version:
            version = _version(self.folder, stamp)
            self._known = (stamp, version)
        return version


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Regular files alone: reading something else might never end."""
    for where, _, names in os.walk(folder):
        for path in (os.path.join(where, name) for name in names):
            with suppress(FileNotFoundError):  # an editor's file, gone by now
                found = os.lstat(path)
                if S_ISREG(found.st_mode):
                    yield path, found.st_size, found.st_mtime_ns


def _version(folder: Path, stamp: Stamp) -> str:
    digest = hashlib.sha256()
    for path, _, _ in stamp:
        with suppress(OSError):  # gone, or not for us to read: then it is not served either
            held = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            digest.update(f"{os.path.relpath(path, folder)}\0{held}\n".encode())
    return f"v-{digest.hexdigest()[:16]}"
