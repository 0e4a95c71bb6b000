"""The bucket, the account and the stage keep the promises that the other tests rely on."""

from __future__ import annotations

import pytest

from shared.ledger.lease import POLLER
from shared.modelstudio.client import OutcomeUnknown, ServiceError, TaskCreated
from shared.storage.objects import ObjectMissing, ObjectTooLarge, StoreError
from tests.kit.hooks import Call, fail, once
from tests.kit.interleaving import Chooser, Stage, explore
from tests.kit.store import Bucket, Store
from tests.kit.studio import UNREACHABLE, lose_answer, lose_request, refuse
from tests.kit.world import MODEL, World
from tests.simulation.kernel import Kernel

BODY = {"model": MODEL, "input": {"prompt": "a cat"}}


def bucket_with(*names: str) -> Bucket:
    bucket = Bucket(Kernel())
    for name in names:
        bucket.write(name, name.encode())
    return bucket


def test_create_wins_once_and_put_always() -> None:
    bucket = bucket_with()
    store = Store(bucket)
    assert store.create("a", b"1").created
    assert not store.create("a", b"2").created
    assert store.read("a", 10).body == b"1"
    store.put("a", b"3", "text/plain")
    assert (bucket.peek("a"), bucket.objects["a"].content_type) == (b"3", "text/plain")


def test_reads_are_bounded_and_missing_keys_named() -> None:
    bucket = bucket_with("abc")
    store = Store(bucket)
    assert store.read_range("abc", 1, 9).body == b"bc"
    past = store.read_range("abc", 9, 9)
    assert (past.body, past.size, bucket.count("head")) == (b"", 3, 1)
    with pytest.raises(ObjectTooLarge):
        store.read("abc", 2)
    with pytest.raises(ObjectMissing):
        store.read_range("b", 0, 1)
    store.delete("b")


def test_listings_come_in_byte_order_and_in_pages() -> None:
    names = ["p/B", "p/a", "p/a/b", "p/\ufffd", "p/\U0001f600"]
    bucket = bucket_with(*reversed(names), "q", *(f"r/{number:04d}" for number in range(2001)))
    store = Store(bucket)
    assert [entry.key for entry in store.list("p/")] == names
    assert [entry.key for entry in store.list("p/", after="p/a", limit=2)] == names[2:4]
    assert len(list(store.list("r/"))) == 2001
    assert bucket.count("list") == 1 + 1 + 3


def test_requests_are_counted_and_hooks_see_them() -> None:
    bucket = bucket_with("a")
    seen: list[Call] = []
    store = Store(bucket, "i1")
    store.before.append(seen.append)
    store.read("a", 1)
    assert (seen, bucket.count()) == ([Call("read", "a", "i1")], 1)


def test_a_request_is_lost_before_its_effect_and_an_answer_after_it() -> None:
    bucket = bucket_with()
    store = Store(bucket)
    store.before.append(once("create", "a", fail))
    store.after.append(once("create", "b", fail))
    for key in "ab":
        with pytest.raises(StoreError):
            store.create(key, b"")
    assert bucket.keys() == ["b"]


def test_a_run_without_end_is_stopped() -> None:
    bucket = Bucket(Kernel(), most_calls=5)
    with pytest.raises(AssertionError, match="more than 5 requests"):
        for _ in range(6):
            Store(bucket).delete("a")


def test_the_account_answers_by_its_script_and_then_accepts() -> None:
    world = World()
    world.studio.script.extend(
        [refuse("Arrearage", 400), refuse("Unreachable", 0), lose_answer, lose_request]
    )
    client = world.app().model_studio
    outcomes = [client.create("/images", BODY) for _ in range(5)]
    assert outcomes[0] == ServiceError("Arrearage", "no", 400, "x")
    assert isinstance(outcomes[1], ServiceError) and outcomes[1].http == 0
    assert [type(one) for one in outcomes[2:]] == [OutcomeUnknown, OutcomeUnknown, TaskCreated]
    assert list(world.studio.tasks) == ["task-1", "task-2"]
    assert [post.endpoint for post in world.studio.posts] == ["/images"] * 5


def test_an_account_that_cannot_be_reached_answers_no_question() -> None:
    world = World()
    world.studio.make(MODEL)
    world.studio.refusal = UNREACHABLE
    client = world.app().model_studio
    for question in (client.query, client.cancel):
        with pytest.raises(ServiceError) as caught:
            question("task-1")
        assert caught.value == UNREACHABLE


def test_the_lease_is_free_when_its_last_holder_has_given_it_back() -> None:
    world = World()
    assert world.lease_is_free()
    for _ in range(2):
        lease = world.app().ledger.lease
        assert lease.take(POLLER)
        assert not world.lease_is_free()
        lease.release()
        assert world.lease_is_free()


def test_an_actors_failure_is_the_plays_failure() -> None:
    stage = Stage()

    def fails() -> None:
        stage.wait(1)
        raise KeyError("here")

    with pytest.raises(KeyError, match="here"):
        stage.play(fails, lambda: stage.wait(100))


def test_every_order_is_explored_once() -> None:
    orders: set[str] = set()

    def play(choose: Chooser) -> None:
        stage = Stage(choose)
        seen: list[str] = []

        def actor(name: str) -> None:
            for _ in range(2):
                stage.wait(0)
                seen.append(name)

        stage.play(lambda: actor("a"), lambda: actor("b"))
        orders.add("".join(seen))

    assert explore(play) == len(orders) == 6
