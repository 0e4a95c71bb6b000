"""Whose a task is, and which attempts may have a task that nobody knows."""

from __future__ import annotations

import pytest

from shared.ledger.slots import Slot
from shared.ledger.task_claims import TaskClaims
from shared.storage import layout
from tests.kit.interleaving import Chooser, Stage, explore
from tests.kit.lease import at_once
from tests.kit.store import Bucket, Store
from tests.simulation.kernel import Kernel

CAT = Slot("-", "brush", "cat", 2, "0" * 12)
DOG = Slot("-", "brush", "dog-v1.2", 12, "1" * 12)
AGAIN = Slot("-", "brush", "cat", 4, "2" * 12)


@pytest.fixture()
def bucket() -> Bucket:
    return Bucket(Kernel())


@pytest.fixture()
def claims(bucket: Bucket) -> TaskClaims:
    return TaskClaims(Store(bucket))


def test_a_task_belongs_to_the_first_attempt_that_claims_it(claims: TaskClaims) -> None:
    assert claims.owner("task-1") is None
    assert claims.claim("task-1", CAT)
    assert claims.claim("task-1", CAT), "its own claim, made before it died, is a yes"
    assert not claims.claim("task-1", DOG)
    assert not claims.claim("task-1", AGAIN), "another attempt of the same job"
    assert claims.owner("task-1") == ("cat", 2)


def test_tasks_are_claimed_one_by_one(claims: TaskClaims) -> None:
    assert claims.claim("task-1", CAT)
    assert claims.claim("task-2", DOG)
    assert claims.owner("task-2") == ("dog-v1.2", 12)
    assert claims.owner("task") is None


def test_two_attempts_claim_a_task_once_in_any_order_of_their_requests() -> None:
    def play(choose: Chooser) -> None:
        stage = Stage(choose)
        bucket = Bucket(stage)
        won: list[Slot] = []

        def claim(slot: Slot) -> None:
            if TaskClaims(Store(bucket, slot.job, at_once)).claim("task-1", slot):
                won.append(slot)

        stage.play(lambda: claim(CAT), lambda: claim(DOG))
        (winner,) = won
        assert TaskClaims(Store(bucket)).owner("task-1") == (winner.job, winner.seq)

    assert explore(play) >= 2


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"{}", b"null"])
def test_a_claim_that_cannot_be_read_is_somebody_elses(
    bucket: Bucket, claims: TaskClaims, body: bytes
) -> None:
    bucket.write(layout.task("task-1"), body)
    assert not claims.claim("task-1", CAT)
    assert claims.owner("task-1") not in (None, ("cat", 2))


@pytest.mark.parametrize("seq", [b'"x"', b"null", b"[]"])
def test_a_claim_whose_number_cannot_be_read_is_somebody_elses(
    bucket: Bucket, claims: TaskClaims, seq: bytes
) -> None:
    bucket.write(layout.task("task-1"), b'{"job": "cat", "seq": %s}' % seq)
    assert not claims.claim("task-1", CAT)


def test_doubts_since_a_time_by_model(bucket: Bucket, claims: TaskClaims) -> None:
    claims.doubt(CAT)
    bucket.kernel.wait(60)
    since = float(bucket.second())
    claims.doubt(DOG)
    claims.doubt(AGAIN)
    claims.doubt(Slot("-", "pencil", "cow", 2, "3" * 12))
    assert claims.doubts("brush", 0.0) == [CAT, AGAIN, DOG]
    assert claims.doubts("brush", since) == [AGAIN, DOG]
    assert claims.doubts("brush", since + 1) == []
    assert [slot.job for slot in claims.doubts("pencil", 0.0)] == ["cow"]


def test_a_doubt_repeated_later_keeps_its_time(bucket: Bucket, claims: TaskClaims) -> None:
    """What is repeated after a crash must not make an old attempt a new one."""
    claims.doubt(CAT)
    bucket.kernel.wait(60)
    claims.doubt(CAT)
    assert claims.doubts("brush", float(bucket.second())) == []


@pytest.mark.parametrize("name", ["", "x", "cat-000002", ".DS_Store"])
def test_junk_among_the_doubts_is_ignored(bucket: Bucket, claims: TaskClaims, name: str) -> None:
    claims.doubt(CAT)
    bucket.write(f"{layout.DOUBTS}-/brush/{name}", b"")
    assert claims.doubts("brush", 0.0) == [CAT]
