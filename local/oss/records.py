"""What the server knows of an object beyond its bytes."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field

NORMAL = "Normal"
APPENDABLE = "Appendable"
MULTIPART = "Multipart"
SYMLINK = "Symlink"
STORAGE_CLASS = "x-oss-storage-class"
"""The stored header that names an object's class; without it the class is Standard."""


@dataclass(frozen=True)
class Attributes:
    """What a client says of an object: stored headers, tags, object ACL, type, link target."""

    headers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    acl: str = "default"
    kind: str = NORMAL
    target: str = ""


@dataclass(frozen=True)
class Record:
    """One object: its file's identity and what was computed and said of it.

    ``etag`` is upper-case without quotes, ``modified`` Unix seconds. ``announced`` is False while
    an object put in by hand has not been notified. ``append_from`` is the last good size while an
    append is under way.
    """

    bucket: str
    key: str
    identity: str
    size: int
    modified: float
    etag: str
    crc64: int
    attributes: Attributes = field(default_factory=Attributes)
    private: bool = False
    announced: bool = True
    append_from: int | None = None

    def detail(self) -> str:
        """Return the fields that have no column of their own as JSON."""
        kept = {name: getattr(self, name) for name in _DETAIL}
        return json.dumps({**kept, "attributes": asdict(self.attributes)})


_DETAIL = ("size", "modified", "etag", "crc64", "append_from")


def from_row(row: tuple[str, str, str, int, int, str]) -> Record:
    """Build a record from its row: bucket, key, identity, private, announced, detail."""
    detail = json.loads(row[5])
    attributes = Attributes(**detail.pop("attributes"))
    return Record(
        bucket=row[0],
        key=row[1],
        identity=row[2],
        private=bool(row[3]),
        announced=bool(row[4]),
        attributes=attributes,
        **detail,
    )


def identity(status: os.stat_result) -> str:
    """Return what changes when a file is written or replaced, and stays when it is renamed."""
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
