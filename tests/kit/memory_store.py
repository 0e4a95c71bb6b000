"""A bucket in memory, with the promises of OSS that the library leans on, and no others.

Create-if-absent is atomic, every read and listing sees every write that was answered before
(OSS basic concepts page), listings are in byte order, and the bucket has a clock of its own that
answers in whole seconds.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from shared.storage.objects import Creation, Entry, ObjectMissing, ObjectTooLarge, Slice, StoreError
from tests.kit.clock import Timeline
from tests.kit.record_schema import check_record

T = TypeVar("T")
ENDLESS = 200_000
Entries = list[Entry]
"""Inside the store, `list` is a verb."""


class Killed(BaseException):
    """The instance dies here; nothing catches it, nothing is cleaned up."""


@dataclass(frozen=True)
class Call:
    """One request: what it does, to which key or prefix, and which instance sent it."""

    kind: str
    key: str
    instance: str


Hook = Callable[[Call], object]
Delay = Callable[[], float]


@dataclass(frozen=True)
class _Stored:
    body: bytes
    etag: str
    modified: float
    content_type: str


class MemoryBucket:
    """The bucket itself; `skew` is its clock minus true time. Instances see it through stores."""

    def __init__(self, timeline: Timeline, skew: float = 0.0, most_calls: int = ENDLESS) -> None:
        self.timeline = timeline
        self.skew = skew
        self.most_calls = most_calls
        self.calls: list[Call] = []
        self._objects: dict[str, _Stored] = {}

    def date(self) -> float:
        """The Date header of an answer sent now: whole seconds."""
        return float(int(self.timeline.at + self.skew))

    def keys(self, prefix: str = "") -> list[str]:
        """Every key below a prefix in byte order; not counted as a request."""
        found = (key for key in self._objects if key.startswith(prefix))
        return sorted(found, key=str.encode)

    def peek(self, key: str) -> bytes:
        """An object's body; not counted as a request. Raises KeyError."""
        return self._objects[key].body

    def content_type(self, key: str) -> str:
        return self._objects[key].content_type

    def write(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        """Write past all stores, as another program or a person would."""
        etag = hashlib.md5(body).hexdigest().upper()
        self._objects[key] = _Stored(body, etag, self.date(), content_type)

    def remove(self, key: str) -> None:
        self._objects.pop(key, None)

    def holds(self, key: str) -> bool:
        return key in self._objects

    def entry(self, key: str) -> Entry:
        stored = self._objects[key]
        return Entry(key, len(stored.body), stored.etag, stored.modified)

    def count(self, kind: str | None = None) -> int:
        """How many requests of a kind there were, or of all kinds."""
        counts = Counter(call.kind for call in self.calls)
        return counts.total() if kind is None else counts[kind]

    def note(self, call: Call) -> None:
        """Count a request. Raises AssertionError where a program seems to go round for ever."""
        self.calls.append(call)
        if len(self.calls) > self.most_calls:
            raise AssertionError(f"more than {self.most_calls} requests; the last: {call}")


@dataclass
class MemoryStore:
    """One instance's `shared.storage.objects.ObjectStore`.

    `before` and `after` hooks run before a request reaches the bucket and after its effect but
    before its answer: they may raise StoreError (request or answer lost) or Killed, or do what
    another instance would just then. A delay is waited for on the timeline; None: no wait at all.
    """

    bucket: MemoryBucket
    instance: str = "a"
    request_delay: Delay | None = None
    answer_delay: Delay | None = None
    before: list[Hook] = field(default_factory=list)
    after: list[Hook] = field(default_factory=list)
    page: int = 1000

    def read(self, key: str, limit: int) -> Slice:
        def effect() -> Slice:
            whole = self._whole(key)
            if whole.size > limit:
                raise ObjectTooLarge(f"{key} has {whole.size} bytes; at most {limit} are read.")
            return whole

        return self._request("read", key, effect)

    def read_range(self, key: str, start: int, length: int) -> Slice:
        def effect() -> Slice:
            whole = self._whole(key)
            return Slice(whole.body[start : start + length], whole.size, whole.etag)

        return self._request("read_range", key, effect)

    def create(self, key: str, body: bytes) -> Creation:
        def effect() -> Creation:
            absent = not self.bucket.holds(key)
            if absent:
                check_record(key, body)
                self.bucket.write(key, body)
            return Creation(absent, self.bucket.date())

        return self._request("create", key, effect)

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        self._request("put", key, lambda: self.bucket.write(key, body, content_type))

    def list(self, prefix: str, after: str = "", limit: int | None = None) -> Iterator[Entry]:
        """Page by page, as OSS lists: each page is the truth of its own moment."""
        left = limit
        while left is None or left > 0:
            size = self.page if left is None else min(left, self.page)
            page = self._page(prefix, after, size + 1)
            yield from page[:size]
            if len(page) <= size:
                return
            after = page[size - 1].key
            left = None if left is None else left - size

    def delete(self, key: str) -> None:
        self._request("delete", key, lambda: self.bucket.remove(key))

    def presign(self, key: str, seconds: int, download_as: str = "") -> str:
        named = f"&download={download_as}" if download_as else ""
        return f"https://bucket.invalid/{key}?expires={seconds}{named}"

    def presign_put(self, key: str, seconds: int, content_type: str) -> str:
        return f"https://bucket.invalid/{key}?put={seconds}&type={content_type}"

    def _page(self, prefix: str, after: str, size: int) -> Entries:
        def effect() -> Entries:
            keys = self.bucket.keys(prefix)
            behind = [key for key in keys if key.encode() > after.encode()]
            return [self.bucket.entry(key) for key in behind[:size]]

        return self._request("list", prefix, effect)

    def _whole(self, key: str) -> Slice:
        if not self.bucket.holds(key):
            raise ObjectMissing(f"Could not read {key}: the object does not exist.")
        body = self.bucket.peek(key)
        return Slice(body, len(body), self.bucket.entry(key).etag)

    def _request(self, kind: str, key: str, effect: Callable[[], T]) -> T:
        call = Call(kind, key, self.instance)
        self.bucket.note(call)
        self._delay(self.request_delay)
        for hook in list(self.before):
            hook(call)
        result = effect()
        for hook in list(self.after):
            hook(call)
        self._delay(self.answer_delay)
        return result

    def _delay(self, delay: Delay | None) -> None:
        if delay is not None:
            self.bucket.timeline.wait(delay())


def once(kind: str, key_part: str, action: Callable[[], object]) -> Hook:
    """A hook that acts on the first request of a kind whose key holds `key_part`."""
    done = False

    def hook(call: Call) -> None:
        nonlocal done
        if not done and call.kind == kind and key_part in call.key:
            done = True
            action()

    return hook


def at(number: int, action: Callable[[], object]) -> Hook:
    """A hook that acts at an instance's request `number`, counted from 1."""
    seen = 0

    def hook(_call: Call) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            action()

    return hook


def at_every_request(play: Callable[[int], bool]) -> int:
    """Call `play` for request 1, 2, … until there is no such request; how many there were."""
    return next(number - 1 for number in count(1) if not play(number))


def fail() -> None:
    """As a hook's action: the request or its answer is lost."""
    raise StoreError("Could not reach OSS.")


def die() -> None:
    """As a hook's action: the instance is killed."""
    raise Killed
