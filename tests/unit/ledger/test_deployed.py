"""Which code is deployed: said once, seen in a listing that is made anyway."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared.ledger.deployed import Deployed
from shared.ledger.queue import PAGE, Queue
from shared.platform.running_code import running_code
from shared.poller.scheduler import HEAD
from shared.storage import layout
from shared.storage.objects import Slice
from tests.kit.hooks import fail, once
from tests.kit.records import draft
from tests.kit.store import Bucket, Store
from tests.kit.world import MODEL, World, store_of
from tests.simulation.kernel import Kernel

OLD, NEW = "1" * 64, "2" * 64


@pytest.fixture
def bucket() -> Bucket:
    return Bucket(Kernel())


def sees(bucket: Bucket, code: str) -> bool:
    """Whether a poller that runs `code` sees that other code is deployed."""
    queue = Queue(Store(bucket))
    queue.heads(9)
    return Deployed(Store(bucket), code).is_other(queue.deployed)


def test_the_code_that_was_said_last_counts(bucket: Bucket) -> None:
    assert not sees(bucket, OLD), "nobody has said anything"
    for said, other in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
        Deployed(Store(bucket), said).say()
        assert not sees(bucket, said)
        assert sees(bucket, other)


def test_what_is_said_already_is_not_written_again(bucket: Bucket) -> None:
    for _ in range(3):
        Deployed(Store(bucket), NEW).say()
    assert (bucket.count("put"), bucket.count("read")) == (1, 3)


def test_where_nobody_knows_what_runs_nothing_is_said_and_nobody_makes_room(
    bucket: Bucket,
) -> None:
    Deployed(Store(bucket), "").say()
    assert bucket.count() == 0
    Deployed(Store(bucket), NEW).say()
    assert not sees(bucket, "")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"version": 2, "code": "x"}', b"\xff"])
def test_whatever_a_newer_release_says_there_is_other_code(bucket: Bucket, body: bytes) -> None:
    bucket.write(layout.DEPLOYED, body)
    assert sees(bucket, OLD)


class Sealed(Store):
    """A bucket that encrypts with a key of KMS: its ETags are no digests of the content."""

    def read(self, key: str, limit: int) -> Slice:
        return replace(super().read(key, limit), etag="NO-DIGEST")


def test_an_etag_that_is_no_digest_is_read_once(bucket: Bucket) -> None:
    Deployed(Store(bucket), OLD).say()
    queue = Queue(Store(bucket))
    queue.heads(9)
    assert queue.deployed is not None
    seen = type(queue.deployed)(layout.DEPLOYED, 64, "NO-DIGEST", 0.0)
    for code, is_other in ((OLD, False), (NEW, True)):
        before, deployed = bucket.count("read"), Deployed(Sealed(bucket), code)
        assert [deployed.is_other(seen) for _ in range(3)] == [is_other] * 3
        assert bucket.count("read") == before + 1


def test_a_store_that_does_not_answer_leaves_the_question_open(bucket: Bucket) -> None:
    Deployed(Store(bucket), NEW).say()
    queue, store = Queue(Store(bucket)), Store(bucket)
    queue.heads(9)
    deployed = Deployed(store, OLD)
    store.before.append(once("read", layout.DEPLOYED, fail))
    assert [deployed.is_other(queue.deployed) for _ in range(2)] == [False, True]


def test_it_is_no_marker_and_costs_no_listing(bucket: Bucket) -> None:
    queue = Queue(Store(bucket))
    for number in range(PAGE - 1):
        queue.add(draft(f"job-{number:03d}", 1, model=MODEL, queued_ms=number))

    def listings() -> int:
        before = bucket.count("list")
        assert len(queue.heads(HEAD)[MODEL]) == PAGE - 1
        return bucket.count("list") - before

    assert listings() == 1
    assert queue.deployed is None
    Deployed(Store(bucket), NEW).say()
    assert listings() == 2, "the page is full"
    assert queue.deployed is not None
    empty = Bucket(Kernel())
    Deployed(Store(empty), NEW).say()
    assert Queue(Store(empty)).empty()
    assert Queue(Store(empty)).heads(9) == {}


def test_an_instance_says_it_once() -> None:
    world = World()
    app = world.app("api")
    app.code = NEW
    for _ in range(3):
        app.say_code()
    assert world.bucket.peek(layout.DEPLOYED) == NEW.encode()
    assert sum(call.key == layout.DEPLOYED for call in world.bucket.calls) == 2


def test_an_instance_that_could_not_say_it_makes_no_request_wait_again() -> None:
    world = World()
    app = world.app("api")
    app.code = NEW
    store_of(app).before.append(once("read", layout.DEPLOYED, fail))
    for _ in range(3):
        app.say_code()
    assert sum(call.key == layout.DEPLOYED for call in world.bucket.calls) <= 1


@pytest.mark.parametrize(
    ("stamp", "code"),
    [
        (json.dumps({"code": NEW, "commit": None}), NEW),
        ("{}", ""),
        ('{"code": 1}', ""),
        ("[]", ""),
        ("{", ""),
        (None, ""),
    ],
)
def test_a_package_says_what_it_was_built_from(
    tmp_path: Path, stamp: str | None, code: str
) -> None:
    if stamp is not None:
        (tmp_path / "BUILD.json").write_text(stamp)
    assert running_code(tmp_path) == code


def test_a_checkout_is_no_package() -> None:
    assert running_code() == ""


def test_what_was_said_after_the_listing_is_not_taken_for_what_it_showed(bucket: Bucket) -> None:
    """Two versions say in turn what is deployed, while both still run."""
    store, queue = Store(bucket), Queue(Store(bucket))
    poller = Deployed(store, OLD)
    Deployed(Store(bucket), NEW).say()
    queue.heads(9)
    seen = queue.deployed
    Deployed(Store(bucket), OLD).say()
    assert not poller.is_other(seen), "by now its own code is deployed"
    Deployed(Store(bucket), NEW).say()
    queue.heads(9)
    assert poller.is_other(queue.deployed)
