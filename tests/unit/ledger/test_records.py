"""Records and queue: one winner for every number, and an order of service."""

from __future__ import annotations

import random

import pytest

from shared.ledger.codec import decode, encode
from shared.ledger.queue import Queue
from shared.ledger.record import PENDING, QUEUED, RUNNING, STATES, SUBMITTING, Record
from shared.ledger.records import Records
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.interleaving import Chooser, Stage, explore
from tests.kit.records import draft
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import InstanceClock, Kernel


def records(bucket: Bucket, name: str = "a", turns: bool = False) -> Records:
    store = Store(bucket, name, (lambda: 0.0) if turns else None)
    return Records(store, InstanceClock(bucket.kernel), random.Random(name))


def test_a_number_is_won_once_in_any_order() -> None:
    def play(choose: Chooser) -> None:
        stage = Stage(choose)
        bucket = Bucket(stage)
        winners: list[Record] = []

        def move(name: str) -> None:
            made = records(bucket, name, turns=True).append(draft("cat", 1, model=name))
            if made is not None:
                winners.append(made)

        stage.play(lambda: move("a"), lambda: move("b"), lambda: move("c"))
        assert len(winners) == 1
        assert records(bucket).get("cat", 1) == winners[0]

    assert explore(play) == 6  # orders of three requests


def test_the_last_record_is_the_state_for_chains_of_any_length() -> None:
    bucket = Bucket(Kernel())
    chain = records(bucket)
    assert chain.last("cat") is None
    for seq in range(1, 12):
        made = chain.append(draft("cat", seq, STATES[seq % 3], attempt=seq))
        assert chain.last("cat") == made
    assert [record.seq for record in chain.chain("cat")] == list(range(1, 12))


def test_the_state_of_a_usual_job_is_had_without_a_billed_listing() -> None:
    bucket = Bucket(Kernel())
    chain = records(bucket)
    for seq in range(1, 6):
        chain.append(draft("cat", seq, QUEUED))
    bucket.calls.clear()
    chain.last("cat")
    assert bucket.count("list") <= 1
    bucket.calls.clear()
    records(bucket).append(draft("dog", 1, QUEUED))
    chain.last("dog")
    assert bucket.count("list") == 0
    assert bucket.count("read") == 2


def test_following_a_chain_from_a_known_record_costs_one_request_when_nothing_happened() -> None:
    bucket = Bucket(Kernel())
    chain = records(bucket)
    first = chain.append(draft("cat", 1, QUEUED))
    assert first is not None
    before = bucket.count()
    assert chain.last_from(first) == first
    assert bucket.count() == before + 1
    chain.append(draft("cat", 2, SUBMITTING))
    third = chain.append(draft("cat", 3, PENDING))
    assert chain.last_from(first) == third


def test_jobs_whose_names_begin_alike_do_not_mix() -> None:
    chain = records(Bucket(Kernel()))
    chain.append(draft("cat", 1, QUEUED))
    chain.append(draft("cat-2", 1, QUEUED))
    chain.append(draft("cat-2", 2, RUNNING))
    assert [(r.job, r.state) for r in chain.chain("cat")] == [("cat", QUEUED)]


def test_a_record_survives_the_store_with_its_text() -> None:
    record = draft("cat", 3, at="2026-11-20T05:12:00.123Z", nonce="00", unknown="一只猫")
    assert decode(encode(record), "state/records/cat/000003.json") == record


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"null",
        b'{"job": "cat"}',
        b"\xff\xfe",
        b"[]",
    ],
)
def test_a_record_changed_by_hand_is_named_as_such(body: bytes) -> None:
    with pytest.raises(StoreError, match=r"state/records/cat/000003\.json .* changed by hand"):
        decode(body, "state/records/cat/000003.json")


def waiting(job: str, priority: int, queued_ms: int) -> Record:
    return draft(job, 1, model="brush", priority=priority, queued_ms=queued_ms)


def queue_with(*jobs: tuple[str, int, int]) -> Queue:
    queue = Queue(Store(Bucket(Kernel())))
    for job, priority, queued_ms in jobs:
        queue.add(waiting(job, priority, queued_ms))
    return queue


def served(queue: Queue, limit: int = 10) -> list[str]:
    return [layout.job_of_marker(marker) for marker in queue.head("brush", limit)]


def test_priority_comes_first_then_the_time_of_arrival() -> None:
    queue = queue_with(("late", 5, 2000), ("early", 5, 999), ("urgent", 0, 3000), ("never", 9, 1))
    assert served(queue) == ["urgent", "early", "late", "never"]
    assert served(queue, 2) == ["urgent", "early"]


def test_queueing_twice_is_queueing_once() -> None:
    queue = queue_with(("cat-1.2", 5, 1), ("cat-1.2", 5, 1))
    assert served(queue) == ["cat-1.2"]
    for _ in range(2):
        queue.remove(waiting("cat-1.2", 5, 1))
        assert queue.empty()
