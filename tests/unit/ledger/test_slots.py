"""Slots: the window is never exceeded, whatever the order of requests."""

from __future__ import annotations

import random

import pytest

from shared.ledger.slots import Slot, Slots
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import Call, fail, once
from tests.kit.interleaving import Chooser, Stage, explore
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import Kernel


class Floor:
    """A bucket and any number of instances that claim slots in it."""

    def __init__(self, timeline: Kernel | None = None) -> None:
        self.timeline = timeline or Kernel()
        self.bucket = Bucket(self.timeline)

    def slots(self, name: str, turns: bool = False) -> Slots:
        store = Store(self.bucket, name, (lambda: 0.0) if turns else None)
        return Slots(store, random.Random(name))

    def held(self) -> list[str]:
        return [key.rsplit("/", 1)[1].rsplit("~", 1)[0] for key in self.bucket.keys(layout.SLOTS)]


def claimed(slots: Slots, job: str, window: int = 1) -> Slot:
    """A slot for a job's first attempt."""
    slot = slots.claim("brush", job, 2, window)
    assert slot is not None
    return slot


@pytest.mark.parametrize("window", [1, 2])
def test_two_claimants_never_exceed_the_window_in_any_order_of_their_requests(window: int) -> None:
    best = 0

    def play(choose: Chooser) -> None:
        nonlocal best
        stage = Stage(choose)
        floor = Floor(stage)
        for number in range(window - 1):
            assert floor.slots("before").claim("brush", f"old-{number}", 2, window)
        won: list[str] = []

        def claimant(job: str) -> None:
            if floor.slots(job, turns=True).claim("brush", job, 2, window):
                won.append(job)

        stage.play(lambda: claimant("cat"), lambda: claimant("dog"))
        assert len(won) <= 1
        assert len(floor.held()) == window - 1 + len(won), "a claimant that lost left its slot"
        best = max(best, len(won))

    assert explore(play) >= 6
    assert best == 1, "nobody ever got the free place"


def test_a_claim_meeting_a_release_never_exceeds_the_window() -> None:
    def play(choose: Chooser) -> None:
        stage = Stage(choose)
        floor = Floor(stage)
        old = claimed(floor.slots("old"), "old")
        released = floor.slots("old", turns=True)
        stage.play(
            lambda: released.free(old),
            lambda: floor.slots("cat", turns=True).claim("brush", "cat", 2, 1),
            lambda: floor.slots("dog", turns=True).claim("brush", "dog", 2, 1),
        )
        assert len(floor.held()) <= 1

    assert explore(play) > 100


def test_two_claims_for_one_attempt_are_two_slots() -> None:
    """The attempt's record says whose it is; the loser gives back its own slot alone."""
    floor = Floor()
    loser, winner = (claimed(floor.slots(name), "cat", window=5) for name in "ab")
    assert floor.held() == ["cat~000002", "cat~000002"]
    for _ in range(2):
        floor.slots("a").free(loser)
        assert floor.bucket.keys(layout.SLOTS) == [winner.key]


def test_freeing_an_attempt_late_leaves_the_next_attempt_alone() -> None:
    floor = Floor()
    slots = floor.slots("a")
    first = claimed(slots, "cat")
    slots.free(first)
    assert slots.claim("brush", "cat", 4, 1)
    slots.free(first)
    assert floor.held() == ["cat~000004"]


def test_a_delete_repeated_after_stepping_back_leaves_the_next_claimant_alone() -> None:
    floor = Floor()
    old = claimed(floor.slots("old"), "old")
    late, next_one = floor.slots("late"), floor.slots("next")

    def answer_is_lost(call: Call) -> None:
        if call.kind == "delete":
            floor.slots("old").free(old)
            assert next_one.claim("brush", "cat", 2, 1)
            floor.bucket.remove(call.key)  # the same DELETE, sent once more

    store = late.store
    assert isinstance(store, Store)
    store.after.append(answer_is_lost)
    assert not late.claim("brush", "cat", 2, 1)
    assert floor.held() == ["cat~000002"]


def test_models_have_windows_of_their_own() -> None:
    slots = Floor().slots("a")
    assert slots.claim("brush", "cat", 2, 1)
    assert slots.claim("pencil", "dog", 2, 1)
    assert [one.slot.job for one in slots.held()] == ["cat", "dog"]
    assert [one.slot.job for one in slots.held("pencil")] == ["dog"]


def test_a_slot_says_since_when_it_is_held() -> None:
    floor = Floor()
    floor.slots("a").claim("brush", "cat-v1.2", 12, 1)
    (held,) = floor.slots("b").held()
    assert (held.slot.model, held.slot.job, held.slot.seq) == ("brush", "cat-v1.2", 12)
    assert held.since == floor.bucket.second()


def test_a_claim_whose_listing_fails_claims_nothing_to_be_used() -> None:
    floor = Floor()
    slots = floor.slots("a")
    store = slots.store
    assert isinstance(store, Store)
    store.before.append(once("list", "", fail))
    with pytest.raises(StoreError):
        slots.claim("brush", "cat", 2, 1)
