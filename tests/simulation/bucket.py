"""OSS as oss2 shows it: atomic create-if-absent, strong reads and lists, a clock in whole seconds.

The real `shared.storage.oss.OssStore` runs on this in place of an `oss2.Bucket`; promises are those
of the OSS basic concepts and PutObject pages, and no others.
"""

from __future__ import annotations

import copy
import hashlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlencode

from oss2.exceptions import NoSuchKey, RequestError, ServerError

from tests.simulation.network import Transport
from tests.simulation.record_schema import wrong_record

Watcher = Callable[[str, bytes | None, bytes | None], None]
"""Gets key, body before and body after each change; None stands for absent."""


@dataclass(frozen=True, slots=True)
class Stored:
    body: bytes
    etag: str
    modified: int
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """As oss2's results: to be read once, with the headers that are asked for."""

    headers: Mapping[str, str]
    body: bytes = b""
    etag: str = ""
    content_range: str | None = None

    @property
    def resp(self) -> Answer:
        return self

    @property
    def response(self) -> Answer:
        return self

    def close(self) -> None:
        """Nothing is open."""

    @property
    def content_length(self) -> int:
        return len(self.body)

    def read(self) -> bytes:
        return self.body


@dataclass(frozen=True, slots=True)
class Item:
    key: str
    size: int
    etag: str
    last_modified: int


@dataclass(frozen=True, slots=True)
class Page:
    object_list: list[Item]
    is_truncated: bool
    next_continuation_token: str
    headers: Mapping[str, str]


class SimBucket:
    """The bucket; the methods that instances call have oss2's names and arguments."""

    bucket_name = "studio"

    def __init__(self, network: Transport, skew: float) -> None:
        """`skew`: of its clock; `page`: most keys that one list answer holds; `own`: who was
        refused what it had made itself."""
        self.network = network
        self.skew = skew
        self.page = 1000
        self.objects: dict[str, Stored] = {}
        self.watchers: list[Watcher] = []
        self.own: set[tuple[str, str]] = set()
        self._makers: dict[str, str] = {}
        self._keys: list[str] = []

    # What instances call

    def get_object(
        self, key: str, byte_range: tuple[int, int] | None = None, headers: Any = None
    ) -> Answer:
        def effect(fault: str) -> Answer:
            if fault.startswith("store_"):
                self.own.discard((self.network.caller(), key))
            self._refuse(fault)
            stored = self._stored(key)
            self._lose(fault)
            body, span = stored.body, None
            if byte_range is not None:
                if byte_range[0] >= len(body):
                    raise ServerError(416, self._headers(), b"", {"Code": "InvalidRange"})
                body = body[byte_range[0] : byte_range[1] + 1]
                span = f"bytes {byte_range[0]}-{byte_range[1]}/{len(stored.body)}"
            return Answer(self._headers(), body, stored.etag, span)

        return self.network.call(f"read {key}", "read", effect)

    def head_object(self, key: str) -> Answer:
        def effect(fault: str) -> Answer:
            self._refuse(fault)
            stored = self._stored(key)
            self._lose(fault)
            return Answer(self._headers(), stored.body, stored.etag)

        return self.network.call(f"head {key}", "read", effect)

    def put_object(self, key: str, data: Any, headers: Mapping[str, str]) -> Answer:
        """`data`: bytes, or a file at its beginning."""
        body: bytes = data if isinstance(data, bytes) else data.read()
        absent = headers.get("x-oss-forbid-overwrite") == "true"

        def effect(fault: str) -> Answer:
            self._refuse(fault)
            if absent and key in self.objects:
                self.network.tell("oss", f"409: {key} exists")
                self._lose(fault)
                self._note_own(key, body)
                raise ServerError(409, self._headers(), b"", {"Code": "FileAlreadyExists"})
            for wrong in wrong_record(key, body):
                self.network.violate("records fit their schema", wrong)
            self._makers[key] = self.network.caller()
            self.write(key, body, headers["Content-Type"])
            self._lose(fault)
            return Answer(self._headers())

        return self.network.call(f"{'create' if absent else 'put'} {key}", "write", effect)

    def delete_object(self, key: str) -> Answer:
        def effect(fault: str) -> Answer:
            self._refuse(fault)
            self.remove(key)
            self._lose(fault)
            return Answer(self._headers())

        return self.network.call(f"delete {key}", "delete", effect)

    def list_objects_v2(
        self, prefix: str, start_after: str, continuation_token: str, max_keys: int
    ) -> Page:
        def effect(fault: str) -> Page:
            self._refuse(fault)
            size = min(max_keys, self.page)
            found = self.keys(prefix, max(start_after, continuation_token), size + 1)
            self._lose(fault)
            shown = [self._item(key) for key in found[:size]]
            cut = len(found) > size
            return Page(shown, cut, shown[-1].key if cut else "", self._headers())

        return self.network.call(f"list {prefix}", "read", effect)

    def sign_url(
        self,
        method: str,
        key: str,
        seconds: int,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        slash_safe: bool = False,
    ) -> str:
        """Not signed; it shows what would be."""
        until = {"put" if method == "PUT" else "expires": seconds}
        shown = urlencode({**until, **(params or {}), **(headers or {})})
        return f"https://bucket.invalid/{key}?{shown}"

    # What the world around does

    def over(self, network: Transport) -> SimBucket:
        """The same bucket, reached over another network."""
        other = copy.copy(self)
        other.network = network
        return other

    def write(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        """Put an object, as another program or a person would."""
        before = self.objects.get(key)
        if before is None:
            insort(self._keys, key)
        etag = hashlib.md5(body).hexdigest().upper()
        self.objects[key] = Stored(body, etag, self.second(), content_type)
        for watch in self.watchers:
            watch(key, before.body if before else None, body)

    def stock(self, objects: Mapping[str, bytes]) -> None:
        """Hold many objects from now on as if they had always been there: nobody is told."""
        known: dict[bytes, Stored] = {}
        for key, body in objects.items():
            if body not in known:
                etag = hashlib.md5(body).hexdigest().upper()
                known[body] = Stored(body, etag, self.second())
            self.objects[key] = known[body]
        self._keys[:] = sorted(self.objects)

    def remove(self, key: str) -> None:
        before = self.objects.pop(key, None)
        if before is None:
            return
        del self._keys[bisect_left(self._keys, key)]
        for watch in self.watchers:
            watch(key, before.body, None)

    def keys(self, prefix: str = "", after: str = "", most: int = 1_000_000) -> list[str]:
        """Keys in byte order below a prefix, strictly after `after`."""
        first = bisect_left(self._keys, prefix)
        if after > prefix:
            first = bisect_right(self._keys, after)
        last = bisect_left(self._keys, prefix + "\U0010ffff")
        return self._keys[first : min(last, first + most)]

    def body(self, key: str) -> bytes | None:
        stored = self.objects.get(key)
        return stored.body if stored else None

    def _stored(self, key: str) -> Stored:
        stored = self.objects.get(key)
        if stored is None:
            raise NoSuchKey(404, self._headers(), b"", {"Code": "NoSuchKey"})
        return stored

    def _item(self, key: str) -> Item:
        stored = self.objects[key]
        return Item(key, len(stored.body), stored.etag, stored.modified)

    def second(self) -> int:
        """The bucket's own clock: whole seconds since 1970."""
        return int(self.network.kernel.now + self.skew)

    def _headers(self) -> Mapping[str, str]:
        return _dated(self.second())

    def _note_own(self, key: str, body: bytes) -> None:
        who = self.network.caller()
        if self._makers.get(key) == who and self.objects[key].body == body:
            self.own.add((who, key))

    def _refuse(self, fault: str) -> None:
        """Fail before the effect."""
        if not fault.startswith("store_"):
            return
        fail = partial(ServerError, headers=self._headers(), body=b"")
        if fault == "store_503":
            raise fail(503, details={"Code": "ServiceUnavailable"})
        if fault == "store_stale_file":
            raise fail(409, details={"Code": "StaleFile"})
        if fault == "store_unreachable":
            self.network.kernel.wait(3.05)
            raise RequestError(ConnectionError("no connection"))

    def _lose(self, fault: str) -> None:
        """Fail after the effect: the answer never arrives."""
        if fault == "store_lost":
            self.network.kernel.wait(1.0)
            raise RequestError(ConnectionError("connection reset"))


@lru_cache(maxsize=10_000)
def _dated(second: int) -> Mapping[str, str]:
    return {"Date": formatdate(second, usegmt=True), "x-oss-request-id": "sim"}
