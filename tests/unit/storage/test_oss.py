"""The store on OSS, over real HTTP with answers as OSS gives them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from shared.platform.settings import Credentials, SettingsError
from shared.storage.objects import ObjectMissing, ObjectTooLarge, StoreError
from shared.storage.oss import TRIES, OssStore, VersionedBucket, open_store
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, Seen, refusing_port, scripted_http
from tests.kit.world import settings
from tests.simulation.kernel import START, InstanceClock, Kernel

SECRET = Credentials("ID-of-the-key", "SECRET-of-the-key", "TOKEN-of-the-role")
DATE = {"Date": formatdate(START + 7, usegmt=True), "x-oss-request-id": "REQ1"}
MADE = Answer(200, headers=DATE | {"ETag": '"E1"'})
BUSY = Answer(503, b"", DATE)
LISTING = """<?xml version="1.0"?><ListBucketResult><Name>studio</Name><Prefix></Prefix>
<MaxKeys>{size}</MaxKeys><IsTruncated>{more}</IsTruncated>{token}{rows}</ListBucketResult>"""
ROW = """<Contents><Key>{key}</Key><LastModified>2026-11-20T05:12:00.000Z</LastModified>
<ETag>"E-{key}"</ETag><Type>Normal</Type><Size>3</Size><StorageClass>Standard</StorageClass>
</Contents>"""


def error(status: int, code: str, message: str = "as OSS says it") -> Answer:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, body.encode(), DATE | {"Content-Type": "application/xml"})


def holding(body: bytes, **headers: str) -> Answer:
    return Answer(200, body, DATE | {"ETag": '"E1"'} | headers)


EXISTS = error(409, "FileAlreadyExists")


@pytest.fixture()
def oss() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


class NotingClock(InstanceClock):
    """Notes its pauses."""

    def __init__(self) -> None:
        super().__init__(Kernel())
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)


@pytest.fixture()
def clock() -> NotingClock:
    return NotingClock()


@pytest.fixture()
def store(oss: HttpScript, clock: NotingClock) -> OssStore:
    url = oss.url.replace("127.0.0.1", "localhost")
    endpoints = settings(oss_endpoint=oss.url, oss_public_endpoint=url)
    return open_store(endpoints, SECRET, clock, random.Random(1))


def test_create_is_a_put_that_must_not_overwrite(store: OssStore, oss: HttpScript) -> None:
    oss.then(MADE)
    made = store.create("state/records/cat/000001.json", b"{}")
    assert made.created
    assert made.at == START + 7, "the time must be the store's, not ours"
    (put,) = oss.seen
    assert (put.method, put.body) == ("PUT", b"{}")
    assert put.headers["x-oss-forbid-overwrite"] == "true"
    assert put.headers["content-md5"] == "mZFLkyvTelC5g8XnyQrpOw=="


def test_an_existing_key_is_an_answer_and_not_tried_again(
    store: OssStore, oss: HttpScript, clock: NotingClock
) -> None:
    oss.then(EXISTS)
    made = store.create("state/a", b"{}")
    assert (made.created, made.at) == (False, START + 7)
    assert not clock.slept


def test_a_busy_store_is_asked_again_after_a_pause(
    store: OssStore, oss: HttpScript, clock: NotingClock
) -> None:
    oss.then(BUSY, error(409, "StaleFile"), MADE)
    assert store.create("state/a", b"{}").created
    assert [put.body for put in oss.seen] == [b"{}"] * 3, "the body was not sent whole again"
    assert len(clock.slept) == 2
    assert all(pause > 0 for pause in clock.slept)


@pytest.mark.parametrize("lost", [NOTHING, BUSY], ids=["connection cut", "503"])
@pytest.mark.parametrize(("stored", "won"), [(b"mine", True), (b"other", False), (b"", False)])
def test_a_lost_answer_is_settled_by_the_stored_body(
    store: OssStore, oss: HttpScript, lost: Answer, stored: bytes, won: bool
) -> None:
    oss.then(lost, EXISTS, holding(stored))
    assert store.create("state/a", b"mine").created is won


def test_without_a_lost_answer_an_equal_body_is_still_somebody_elses(
    store: OssStore, oss: HttpScript
) -> None:
    oss.then(EXISTS)
    assert not store.create("state/a", b"same").created
    assert len(oss.seen) == 1


def test_an_outcome_that_stays_unknown_is_an_error(store: OssStore, oss: HttpScript) -> None:
    oss.then(*[NOTHING] * TRIES)
    with pytest.raises(StoreError, match="create state/a"):
        store.create("state/a", b"{}")


def test_read_gives_body_size_and_bare_etag(store: OssStore, oss: HttpScript) -> None:
    oss.then(holding(b"hello"))
    read = store.read("jobs/cat.yaml", 100)
    assert (read.body, read.size, read.etag) == (b"hello", 5, "E1")


def test_a_body_cut_short_is_fetched_again(store: OssStore, oss: HttpScript) -> None:
    oss.then(Answer(200, b"hello", DATE | {"ETag": '"E1"'}, cut=2), holding(b"hello"))
    assert store.read("jobs/cat.yaml", 100).body == b"hello"


def test_an_object_over_the_limit_is_not_read(store: OssStore, oss: HttpScript) -> None:
    oss.then(holding(b"x" * 101))
    with pytest.raises(ObjectTooLarge, match="101 bytes; at most 100"):
        store.read("jobs/cat.yaml", 100)


def test_a_missing_object_is_told_apart_from_a_missing_bucket(
    store: OssStore, oss: HttpScript
) -> None:
    oss.then(error(404, "NoSuchKey"), error(404, "NoSuchBucket"))
    with pytest.raises(ObjectMissing):
        store.read("jobs/cat.yaml", 100)
    with pytest.raises(StoreError, match="NoSuchBucket") as caught:
        store.read("jobs/cat.yaml", 100)
    assert not isinstance(caught.value, ObjectMissing)


def test_a_range_comes_with_the_size_of_the_whole(store: OssStore, oss: HttpScript) -> None:
    headers = DATE | {"ETag": '"E1"', "Content-Range": "bytes 2-4/10"}
    oss.then(Answer(206, b"llo", headers))
    part = store.read_range("inputs/cat.png", 2, 3)
    assert (part.body, part.size) == (b"llo", 10)
    assert oss.seen[0].headers["range"] == "bytes=2-4"
    assert oss.seen[0].headers["x-oss-range-behavior"] == "standard"


def test_a_range_past_the_end_is_empty(store: OssStore, oss: HttpScript) -> None:
    oss.then(error(416, "InvalidRange"), holding(b"0123456789"))
    part = store.read_range("inputs/cat.png", 50, 3)
    assert (part.body, part.size, part.etag) == (b"", 10, "E1")
    assert [seen.method for seen in oss.seen] == ["GET", "HEAD"]


def listing(*names: str, token: str = "", size: int = 1000) -> Answer:
    rows = "".join(ROW.format(key=name) for name in names)
    shown = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    more = "true" if token else "false"
    text = LISTING.format(rows=rows, token=shown, more=more, size=size)
    return Answer(200, text.encode(), DATE | {"Content-Type": "application/xml"})


def test_a_listing_follows_its_pages(store: OssStore, oss: HttpScript) -> None:
    oss.then(listing("state/a", "state/b", token="T"), BUSY, listing("state/c"))
    entries = list(store.list("state/", after="state/0"))
    assert [entry.key for entry in entries] == ["state/a", "state/b", "state/c"]
    assert entries[0].size == 3
    assert entries[0].modified == 1795151520.0, "2026-11-20T05:12:00Z"
    assert "start-after=state%2F0" in oss.seen[0].target
    assert "continuation-token=T" in oss.seen[2].target


def test_a_listing_with_a_limit_asks_for_no_more(store: OssStore, oss: HttpScript) -> None:
    oss.then(listing("state/a", "state/b", token="T", size=2))
    assert len(list(store.list("state/", limit=2))) == 2
    assert "max-keys=2" in oss.seen[0].target


def test_a_plain_write_replaces_and_names_its_type(store: OssStore, oss: HttpScript) -> None:
    oss.then(MADE)
    store.put("results/cat/image-1.png", b"PNG", "image/png")
    (put,) = oss.seen
    assert put.headers["content-type"] == "image/png"
    assert "x-oss-forbid-overwrite" not in put.headers


def test_deleting_is_repeatable(store: OssStore, oss: HttpScript) -> None:
    oss.then(NOTHING, Answer(204, headers=DATE))
    store.delete("state/slots/brush/cat~000002")
    assert [seen.method for seen in oss.seen] == ["DELETE", "DELETE"]


def test_temporary_keys_travel_in_their_header_and_the_v4_signature(
    store: OssStore, oss: HttpScript
) -> None:
    oss.then(MADE)
    store.put("a", b"")
    headers = oss.seen[0].headers
    assert headers["x-oss-security-token"] == SECRET.token
    assert headers["authorization"].startswith("OSS4-HMAC-SHA256 Credential=ID-of-the-key/")
    assert SECRET.key_secret not in str(headers)


def test_presigned_urls_point_to_the_public_endpoint(store: OssStore) -> None:
    url = store.presign("inputs/a cat.png", 3600)
    assert url.startswith("http://localhost:") or "//studio.localhost:" in url
    assert "/inputs/a%20cat.png?" in url
    assert "x-oss-expires=3600" in url
    assert SECRET.key_secret not in url


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_a_bucket_with_versioning_is_refused(store: OssStore, oss: HttpScript, status: str) -> None:
    body = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
    oss.then(Answer(200, body.encode(), DATE))
    with pytest.raises(VersionedBucket, match=rf"studio has versioning {status}.*never had"):
        store.refuse_versioned()


def test_a_bucket_that_never_had_versioning_is_fine(store: OssStore, oss: HttpScript) -> None:
    oss.then(Answer(200, b"<VersioningConfiguration></VersioningConfiguration>", DATE))
    store.refuse_versioned()


def test_no_error_message_holds_a_secret(store: OssStore, oss: HttpScript) -> None:
    leak = f"<StringToSign>{SECRET.key_secret} {SECRET.token}</StringToSign>"
    body = f"<Error><Code>SignatureDoesNotMatch</Code><Message>They differ.</Message>{leak}</Error>"

    def echo(seen: Seen) -> Answer:
        return Answer(403, body.replace("They", seen.headers["authorization"][:4]).encode(), DATE)

    oss.then(echo)
    with pytest.raises(StoreError, match=r"403 SignatureDoesNotMatch.*REQ1") as caught:
        store.read("jobs/cat.yaml", 10)
    assert SECRET.key_secret not in str(caught.value)
    assert str(SECRET.token) not in str(caught.value)
    assert caught.value.__cause__ is None, "the cause would show the request in a traceback"


def test_an_unreachable_store_is_said_to_be_so(clock: NotingClock) -> None:
    with refusing_port() as port:
        nowhere = settings(oss_endpoint=f"http://127.0.0.1:{port}")
        store = open_store(nowhere, SECRET, clock, random.Random(1))
        with pytest.raises(StoreError, match="could not be reached"):
            store.delete("a")
    assert len(clock.slept) == TRIES - 1


@pytest.mark.parametrize("name", ["b", "-ab", "ab-", "My-images", "a_b", "a.b", "a" * 64, "abc\n"])
def test_a_name_that_no_bucket_can_have_is_an_error_of_the_settings(
    name: str, clock: InstanceClock
) -> None:
    with pytest.raises(SettingsError, match=r"OSS_BUCKET is .+ expected 3 to 63 lower-case"):
        open_store(settings(oss_bucket=name), SECRET, clock, random.Random(1))


@pytest.mark.parametrize("name", ["abc", "a-1", "1" * 63])
def test_a_name_that_a_bucket_can_have_is_taken(name: str, clock: InstanceClock) -> None:
    opened = open_store(settings(oss_bucket=name), SECRET, clock, random.Random(1))
    assert opened.bucket.bucket_name == name


@pytest.mark.parametrize("variable", ["OSS_ENDPOINT", "OSS_PUBLIC_ENDPOINT"])
@pytest.mark.parametrize(
    "address",
    ["https://oss;beijing", "http://", "http://[::1", "http://x:99999", "http://.", "ftp://x"],
)
def test_an_address_that_cannot_be_one_is_an_error_of_the_settings(
    variable: str, address: str, clock: InstanceClock
) -> None:
    wrong = settings(**{variable.lower(): address})
    with pytest.raises(SettingsError, match=f"^{variable} is {re.escape(repr(address))}; expected"):
        open_store(wrong, SECRET, clock, random.Random(1))
