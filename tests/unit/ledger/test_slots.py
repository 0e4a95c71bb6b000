"""Slots: one for each claim, so that none is freed by mistake."""

from __future__ import annotations

import random

import pytest

from shared.ledger.slots import Slots
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import fail, once
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import Kernel


@pytest.fixture()
def bucket() -> Bucket:
    return Bucket(Kernel())


def slots_of(bucket: Bucket, name: str) -> Slots:
    """One instance's."""
    return Slots(Store(bucket, name), random.Random(name))


def held(bucket: Bucket) -> list[str]:
    return [key.rsplit("/", 1)[1].rsplit("~", 1)[0] for key in bucket.keys(layout.SLOTS)]


def test_two_claims_for_one_attempt_are_two_slots(bucket: Bucket) -> None:
    """The attempt's record says whose it is; the loser gives back its own slot alone."""
    loser, winner = (slots_of(bucket, name).claim("brush", "cat", 2) for name in "ab")
    assert held(bucket) == ["cat~000002", "cat~000002"]
    for _ in range(2):
        slots_of(bucket, "a").free(loser)
        assert bucket.keys(layout.SLOTS) == [winner.key]


def test_freeing_an_attempt_late_leaves_the_next_attempt_alone(bucket: Bucket) -> None:
    slots = slots_of(bucket, "a")
    first = slots.claim("brush", "cat", 2)
    slots.free(first)
    slots.claim("brush", "cat", 4)
    slots.free(first)
    assert held(bucket) == ["cat~000004"]


def test_slots_are_found_by_model_or_all(bucket: Bucket) -> None:
    slots = slots_of(bucket, "a")
    slots.claim("brush", "cat", 2)
    slots.claim("pencil", "dog", 2)
    assert [one.slot.job for one in slots.held()] == ["cat", "dog"]
    assert [one.slot.job for one in slots.held("pencil")] == ["dog"]


def test_a_slot_says_since_when_it_is_held(bucket: Bucket) -> None:
    claimed = slots_of(bucket, "a").claim("brush", "cat-v1.2", 12)
    (held_slot,) = slots_of(bucket, "b").held()
    assert held_slot.slot == claimed
    assert (claimed.model, claimed.job, claimed.seq) == ("brush", "cat-v1.2", 12)
    assert held_slot.since == bucket.second()


@pytest.mark.parametrize("name", ["", "brush/", "brush/cat", "brush/cat~2~0", "brush/~000002~0"])
def test_junk_among_the_slots_is_not_counted(bucket: Bucket, name: str) -> None:
    bucket.write(layout.SLOTS + name, b"")
    assert slots_of(bucket, "a").held() == []


def test_a_claim_that_fails_claims_nothing_to_be_used(bucket: Bucket) -> None:
    slots = slots_of(bucket, "a")
    store = slots.store
    assert isinstance(store, Store)
    store.before.append(once("create", layout.SLOTS, fail))
    with pytest.raises(StoreError):
        slots.claim("brush", "cat", 2)
    assert held(bucket) == []
