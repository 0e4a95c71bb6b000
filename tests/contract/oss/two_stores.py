"""Does every operation twice, on the OSS server and on moto, and compares the answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import oss2
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from oss2.models import PartInfo

from tests.contract.oss.moto_translation import moto_bucket
from tests.kit.oss_server import REGION, OssServer

MIN_PART = 100 * 1024
Act = Callable[[Any], object]

_NAMES = st.sampled_from(
    ["a", "b", "a b", "é", "中", "😀", "%41", "x+y", "~", "-", "A", "\\", "?#&"]
)
_MADE_KEYS = st.builds(
    lambda parts, end: "/".join(parts) + end,
    st.lists(_NAMES, min_size=1, max_size=4),
    st.sampled_from(["", "", "/", "//z"]),
).filter(lambda key: key[0] != "\\")  # "key that begins with a backslash"
# Few keys, so that operations meet; odd ones, so that they are told apart.
KEYS = st.sampled_from(["a", "a/b", "a/b/c", "a//b", "a b+c%41~", "中/é", "a/", "\U0001f600"])
KEYS = st.one_of(KEYS, KEYS, _MADE_KEYS)
BODIES = st.binary(max_size=20) | st.binary(min_size=8, max_size=20)
PREFIXES = st.sampled_from(["", "", "a", "a/", "a//", "中/", "é", "%", "a b", "/", "none"])
AFTER = st.just("") | KEYS
DELIMITERS = st.sampled_from(["", "/", "/", "b", "//", "é"])
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["image/png", "text/x-odd; charset=utf-8"]),
        "x-oss-meta-who": st.sampled_from(["me", "a b", "x=1&y"]),
        "Cache-Control": st.just("no-cache"),
    },
)
# Number, body, and whether it is filled up to the least size of a part.
PARTS = st.tuples(st.integers(1, 4), BODIES, st.sampled_from([True] * 12 + [False]))


def answer(act: Act, bucket: Any) -> object:
    """Return what an operation answers, errors as status and code."""
    try:
        return act(bucket)
    except oss2.exceptions.ServerError as error:
        return error.status, error.code


def entries(page: Any) -> object:
    listed = [(item.key, item.size, item.etag) for item in page.object_list]
    return listed, page.prefix_list, page.is_truncated


def pages_v1(bucket: Any, **query: Any) -> list[object]:
    pages = [bucket.list_objects(**query)]
    while pages[-1].is_truncated:
        pages.append(bucket.list_objects(**{**query, "marker": pages[-1].next_marker}))
    return [(entries(page), page.next_marker) for page in pages]


def pages_v2(bucket: Any, **query: Any) -> list[object]:
    pages = [bucket.list_objects_v2(**query)]
    while pages[-1].is_truncated:
        token = pages[-1].next_continuation_token
        pages.append(bucket.list_objects_v2(**{**query, "continuation_token": token}))
    return [entries(page) for page in pages]


def described(result: Any) -> object:
    kept = {n.lower(): v for n, v in result.headers.items()}
    names = ("x-oss-meta-who", "cache-control", "content-length", "content-range")
    return result.status, result.etag, result.content_type, [kept.get(name) for name in names]


def everything(bucket: Any) -> object:
    found = [item.key for item in oss2.ObjectIterator(bucket, max_keys=7)]
    objects = [bucket.get_object(key) for key in found]
    return [(key, described(got), got.read()) for key, got in zip(found, objects, strict=True)]


def upload_part(bucket: Any, *, key: str, ids: dict[int, str], number: int, body: bytes) -> object:
    return bucket.upload_part(key, ids[id(bucket)], number, body).etag


def listed_parts(bucket: Any, key: str, to: str, size: int) -> object:
    parts = oss2.PartIterator(bucket, key, to, max_parts=size)
    # Sorted: "order of uploads".
    known = sorted(upload.key for upload in bucket.list_multipart_uploads().upload_list)
    return known, [(part.part_number, part.size, part.etag) for part in parts]


def spoiled(wanted: list[Any], how: str | None) -> list[Any]:
    if how == "etag":
        return [*wanted[:-1], PartInfo(wanted[-1].part_number, "0" * 32)]
    if how == "number":
        return [*wanted, PartInfo(9, "0" * 32)]
    return wanted  # oss2 puts them into order


class TwoStores(RuleBasedStateMachine):
    """Does everything twice."""

    server: OssServer
    numbers = count(1)
    compared = 0

    @initialize(start=st.lists(st.tuples(KEYS, BODIES, METADATA), min_size=3, max_size=9))
    def buckets(self, start: list[tuple[str, bytes, dict[str, str]]]) -> None:
        name = f"second-opinion-{next(self.numbers)}"
        ours = oss2.Bucket(self.server.bucket().auth, self.server.url, name, region=REGION)
        self.both_buckets = (ours, moto_bucket(name))
        self.known: list[str] = []
        self.same(lambda bucket: bucket.create_bucket().status)
        for key, body, headers in start:
            self.put(key, body, headers, once=False)

    def draw(self, data: st.DataObject) -> str:
        """Draw a key, mostly one that was written and not deleted."""
        written = st.sampled_from(self.known or ["a"])
        return data.draw(written | written | KEYS)

    def same(self, act: Act) -> Any:
        ours, moto = (answer(act, bucket) for bucket in self.both_buckets)
        assert ours == moto
        type(self).compared += 1
        return ours

    @rule(data=st.data(), body=BODIES, headers=METADATA, once=st.booleans())
    def put_object(
        self, data: st.DataObject, body: bytes, headers: dict[str, str], once: bool
    ) -> None:
        self.put(self.draw(data), body, headers, once)

    def put(self, key: str, body: bytes, headers: dict[str, str], once: bool) -> None:
        self.known.append(key)
        sent = {"Content-Type": "text/plain", **headers}
        if once:
            sent["x-oss-forbid-overwrite"] = "true"
        self.same(lambda bucket: bucket.put_object(key, body, headers=dict(sent)).etag)

    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        key = self.draw(data)

        def act(bucket: Any) -> object:
            got = bucket.get_object(key)
            return described(got), got.read()

        self.same(act)

    @rule(data=st.data())
    def head(self, data: st.DataObject) -> None:
        key = self.draw(data)

        def act(bucket: Any) -> object:
            try:
                return described(bucket.head_object(key))
            except oss2.exceptions.NotFound as error:
                return error.status

        self.same(act)

    @rule(
        data=st.data(), first=st.integers(0, 21), length=st.integers(1, 25), form=st.integers(0, 2)
    )
    def get_range(self, data: st.DataObject, first: int, length: int, form: int) -> None:
        key = self.draw(data)
        asked = [(first, first + length - 1), (first, None), (None, length)][form]

        def act(bucket: Any) -> object:
            if bucket.get_object(key).content_length == 0:
                return "no bytes"  # "suffix of an empty object"
            headers = {"x-oss-range-behavior": "standard"}
            got = bucket.get_object(key, byte_range=asked, headers=headers)
            return described(got), got.read()

        self.same(act)

    @rule(data=st.data(), header=st.sampled_from(["If-Match", "If-None-Match"]))
    def get_if(self, data: st.DataObject, header: str) -> None:
        key, other = self.draw(data), self.draw(data)

        def act(bucket: Any) -> object:
            etag = bucket.get_object(other).etag
            return bucket.get_object(key, headers={header: f'"{etag}"'}).read()

        self.same(act)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = self.draw(data)
        self.same(lambda bucket: bucket.delete_object(key).status)
        self.known = [name for name in self.known if name != key]

    @rule(data=st.data(), number=st.integers(1, 3))
    def delete_many(self, data: st.DataObject, number: int) -> None:
        keys = list({self.draw(data): None for _ in range(number)})
        self.same(lambda bucket: sorted(bucket.batch_delete_objects(keys).deleted_keys))
        self.known = [name for name in self.known if name not in keys]

    @rule(data=st.data(), once=st.booleans(), headers=st.none() | METADATA)
    def copy(self, data: st.DataObject, once: bool, headers: dict[str, str] | None) -> None:
        source, key = self.draw(data), self.draw(data)
        sent = {"x-oss-forbid-overwrite": "true"} if once else {}
        if headers is not None:
            kind = {"Content-Type": "text/plain", "x-oss-metadata-directive": "REPLACE"}
            sent = {**sent, **kind, **headers}
        elif source == key:
            return  # "copy onto itself"
        self.known.append(key)

        def act(bucket: Any) -> object:
            bucket.get_object(source)  # "two reasons to refuse a copy"
            return bucket.copy_object(bucket.bucket_name, source, key, headers=dict(sent)).etag

        self.same(act)

    @rule(prefix=PREFIXES, delimiter=DELIMITERS, after=AFTER, size=st.integers(1, 8))
    def list_first_form(self, prefix: str, delimiter: str, after: str, size: int) -> None:
        query = {"prefix": prefix, "delimiter": delimiter, "marker": after, "max_keys": size}
        self.same(lambda bucket: pages_v1(bucket, **query))

    @rule(prefix=PREFIXES, delimiter=DELIMITERS, after=AFTER, size=st.integers(1, 8))
    def list_second_form(self, prefix: str, delimiter: str, after: str, size: int) -> None:
        query = {"prefix": prefix, "delimiter": delimiter, "start_after": after, "max_keys": size}
        self.same(lambda bucket: pages_v2(bucket, **query))

    @rule(
        data=st.data(),
        parts=st.lists(PARTS, min_size=2, max_size=4),
        size=st.integers(1, 6),
        spoil=st.sampled_from([None, None, "etag", "number", "abort", "leave"]),
    )
    def multipart(
        self,
        data: st.DataObject,
        parts: list[tuple[int, bytes, bool]],
        size: int,
        spoil: str | None,
    ) -> None:
        key = self.draw(data)
        self.known.append(key)
        typed = {"Content-Type": "text/plain"}  # "content type where none was said"
        ids = {
            id(b): b.init_multipart_upload(key, headers=dict(typed)).upload_id
            for b in self.both_buckets
        }
        sent: dict[int, Any] = {}
        for number, seed, padded in parts:
            body = seed.ljust(MIN_PART, b".") if padded else seed
            act = partial(upload_part, key=key, ids=ids, number=number, body=body)
            sent[number] = self.same(act)
        if sorted(sent) != list(range(1, len(sent) + 1)):
            size = 1000  # "pages of parts with gaps"
        self.same(lambda bucket: listed_parts(bucket, key, ids[id(bucket)], size))
        if spoil == "abort":
            self.same(lambda b: b.abort_multipart_upload(key, ids[id(b)]).status)
        if spoil in ("abort", "leave"):
            return  # "complete after abort"
        if not all(padded for _, _, padded in parts):
            spoil = None  # "two reasons to refuse a completion"
        wanted = spoiled([PartInfo(number, sent[number]) for number in sorted(sent)], spoil)
        self.same(lambda b: b.complete_multipart_upload(key, ids[id(b)], wanted).etag)

    def teardown(self) -> None:
        if hasattr(self, "both_buckets"):
            self.same(everything)
