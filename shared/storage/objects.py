"""The few atomic verbs the whole system is built on.

OSS knows no conditional update; its one compare-and-set is to create an object that must not exist
(`x-oss-forbid-overwrite`, PutObject documentation). So the verbs are: read, create-if-absent,
overwrite, list, delete. Policy (records, lease, slots, queue) lives above them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Protocol

FULL_PAGE = 1000


class StoreError(Exception):
    """The store could not be asked, or refused. The message names key, status and OSS code."""


class ObjectMissing(StoreError):
    """The key does not exist."""


class ObjectForbidden(StoreError):
    """The policy of the caller's role does not allow this."""


class ObjectDamaged(StoreError):
    """The object is not what it should be: it was changed by hand."""


class ObjectNewer(ObjectDamaged):
    """The object was written by a newer release, whose it stays: nothing is wrong with it."""


class ObjectTooLarge(StoreError):
    """The object is larger than the reader allows; nothing was read."""


@dataclass(frozen=True)
class Slice:
    """Part of an object. `size` is the whole object's, in bytes; `etag` without quotes."""

    body: bytes
    size: int
    etag: str


@dataclass(frozen=True)
class Entry:
    """One line of a listing. Seconds since 1970 by the store's clock: `modified` is when the object
    was written, `listed_at` when the store answered (its Date header)."""

    key: str
    size: int
    etag: str
    modified: float
    listed_at: float = 0.0


@dataclass(frozen=True)
class Creation:
    """Outcome of create-if-absent.

    `created` is True also when an earlier try of the same call succeeded and only its answer was
    lost. `at` is the store's own clock (its Date header, whole seconds): the one clock that all
    instances share.
    """

    created: bool
    at: float


class ObjectReader(Protocol):
    """Reads parts of objects: all that checking a job needs."""

    def read_range(self, key: str, start: int, length: int) -> Slice:
        """Up to `length` bytes from `start`. Raises ObjectMissing, StoreError."""


class ObjectStore(ObjectReader, Protocol):
    """Everything the library does with the bucket. Every verb may raise StoreError."""

    def read(self, key: str, limit: int) -> Slice:
        """The whole object. Raises ObjectMissing, ObjectTooLarge above `limit` bytes."""

    def create(self, key: str, body: bytes) -> Creation:
        """Put if absent, atomic over all instances."""

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        """Create or replace."""

    def put_file(self, key: str, file: IO[bytes], md5: bytes, content_type: str) -> None:
        """Create or replace with the whole content of a file, whose MD5 digest is `md5`."""

    def list(self, prefix: str, after: str = "", limit: int | None = None) -> Iterator[Entry]:
        """Entries in byte order of their keys, strictly after `after`."""

    def delete(self, key: str) -> None:
        """Delete; a missing key is not an error."""

    def presign(self, key: str, seconds: int, download_as: str = "") -> str:
        """A URL that lets anyone GET the object for `seconds`.

        With a file name (`download_as`) a browser saves the object instead of showing it.
        """

    def presign_put(self, key: str, seconds: int, headers: Mapping[str, str]) -> str:
        """A URL that lets anyone PUT the object for `seconds`, with just these headers."""


def walk(store: ObjectStore, prefix: str, after: str = "", first: int = 20) -> Iterator[Entry]:
    """As `list`, for callers that may stop early: a first page of `first` entries, then full ones.

    A page of a thousand entries takes far longer to make, send and read than one of twenty; OSS
    answers at most a thousand at a time (ListObjectsV2 page). Raises StoreError.
    """
    size = first
    while True:
        page = list(store.list(prefix, after, size))
        yield from page
        if len(page) < size:
            return
        after, size = page[-1].key, FULL_PAGE
