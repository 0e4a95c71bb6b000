"""The bucket in memory and the stage keep the promises that the other tests lean on."""

from __future__ import annotations

import pytest

from shared.storage.objects import ObjectMissing, ObjectStore, ObjectTooLarge
from tests.kit.clock import START, FakeClock, Timeline
from tests.kit.interleaving import Stage, explore
from tests.kit.memory_store import Call, MemoryBucket, MemoryStore


def bucket_with(*names: str) -> MemoryBucket:
    bucket = MemoryBucket(Timeline())
    for name in names:
        bucket.write(name, name.encode())
    return bucket


def test_create_wins_once_and_put_always() -> None:
    bucket = bucket_with()
    store: ObjectStore = MemoryStore(bucket)
    assert store.create("a", b"1").created
    assert not store.create("a", b"2").created
    assert store.read("a", 10).body == b"1"
    store.put("a", b"3", "text/plain")
    assert (bucket.peek("a"), bucket.content_type("a")) == (b"3", "text/plain")


def test_reads_are_bounded_and_missing_keys_named() -> None:
    store = MemoryStore(bucket_with("abc"))
    assert store.read_range("abc", 1, 9).body == b"bc"
    assert store.read_range("abc", 9, 9).size == 3
    with pytest.raises(ObjectTooLarge):
        store.read("abc", 2)
    with pytest.raises(ObjectMissing):
        store.read_range("b", 0, 1)
    store.delete("b")


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_listings_are_in_byte_order_on_any_number_of_pages(page: int) -> None:
    names = ["p/\U0001f600", "p/\ufffd", "p/B", "p/a", "p/a/b", "q"]
    store = MemoryStore(bucket_with(*names), page=page)
    listed = [entry.key for entry in store.list("p/")]
    assert listed == ["p/B", "p/a", "p/a/b", "p/\ufffd", "p/\U0001f600"]
    assert [entry.key for entry in store.list("p/", after="p/a", limit=2)] == listed[2:4]


def test_the_buckets_clock_is_its_own_and_counts_whole_seconds() -> None:
    timeline = Timeline(START + 0.9)
    bucket = MemoryBucket(timeline, skew=3.2)
    made = MemoryStore(bucket).create("a", b"")
    assert made.at == START + 4
    assert FakeClock(timeline, -2.0).now() == START - 1.1


def test_requests_are_counted_and_hooks_see_them() -> None:
    bucket = bucket_with("a")
    seen: list[Call] = []
    store = MemoryStore(bucket, "i1", before=[seen.append])
    store.read("a", 1)
    list(store.list("a"))
    assert seen == [Call("read", "a", "i1"), Call("list", "a", "i1")]
    assert (bucket.count(), bucket.count("list")) == (2, 1)


def test_what_is_planned_happens_on_the_way() -> None:
    timeline = Timeline()
    seen: list[float] = []
    timeline.plan(2.0, lambda: seen.append(timeline.at - START))
    timeline.plan(1.0, lambda: seen.append(timeline.at - START))
    clock = FakeClock(timeline)
    before = clock.monotonic()
    clock.sleep(1.5)
    assert seen == [1.0]
    clock.sleep(10)
    assert seen == [1.0, 2.0]
    assert clock.monotonic() - before == 11.5


def test_actors_take_turns_in_the_order_of_time() -> None:
    stage = Stage()
    seen: list[str] = []

    def actor(name: str, pause: float) -> None:
        for _ in range(3):
            stage.wait(pause)
            seen.append(f"{name}{stage.at - START:g}")

    stage.play(lambda: actor("a", 2), lambda: actor("b", 3))
    assert seen == ["a2", "b3", "a4", "a6", "b6", "b9"], "of equals the first"


def test_an_actors_failure_is_the_plays_failure() -> None:
    stage = Stage()

    def fails() -> None:
        stage.wait(1)
        raise KeyError("here")

    with pytest.raises(KeyError, match="here"):
        stage.play(fails, lambda: stage.wait(100))


def test_every_order_is_explored_once() -> None:
    orders: set[str] = set()

    def play(choose: object) -> None:
        assert callable(choose)
        stage = Stage(choose)
        seen: list[str] = []

        def actor(name: str) -> None:
            for _ in range(2):
                stage.wait(0)
                seen.append(name)

        stage.play(lambda: actor("a"), lambda: actor("b"))
        orders.add("".join(seen))

    assert explore(play) == len(orders) == 6


def test_a_run_without_end_is_stopped() -> None:
    bucket = MemoryBucket(Timeline(), most_calls=5)
    with pytest.raises(AssertionError, match="more than 5 requests"):
        for _ in range(6):
            MemoryStore(bucket).delete("a")
