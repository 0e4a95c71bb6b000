"""When to ask again: never too often, never much too late."""

from __future__ import annotations

import random

import pytest

from shared.ledger.breaker import AHEAD_OFF, BLOCKED_PAUSE, LONGEST_PAUSE
from shared.ledger.durations import REMEMBERED
from shared.ledger.ledger import Ledger
from shared.modelstudio.client import ServiceError
from shared.poller.poll_intervals import (
    LONGEST,
    SHORTEST,
    first_question,
    next_question,
    while_waiting,
)
from tests.kit.store import Bucket, Store
from tests.kit.world import error_table
from tests.simulation.kernel import InstanceClock, Kernel

SEEN: list[list[float]] = [
    [],
    [20.0] * 4,
    [26.0] * 40,
    [5.0, 6.0, 7.0, 8.0, 30.0],
    [float(second) for second in range(1, 41)],
    [0.05] * 10,
]


@pytest.mark.parametrize("durations", SEEN)
def test_the_pause_is_bounded_and_grows_with_the_wait(durations: list[float]) -> None:
    pauses = [next_question(tenth / 10, durations) for tenth in range(3000)]
    assert all(SHORTEST <= pause <= LONGEST for pause in pauses)
    assert pauses == sorted(pauses)


@pytest.mark.parametrize("durations", SEEN)
def test_the_first_question_is_soon_enough_for_the_quickest_tasks(durations: list[float]) -> None:
    first = first_question(durations)
    assert SHORTEST <= first <= max([1.0, *durations])
    kept_waiting = [seen for seen in durations if SHORTEST < seen < first]
    assert len(kept_waiting) <= len(durations) * 0.1


@pytest.mark.parametrize("task", [3.0, 26.0, 60.0, 115.0])
def test_without_experience_a_result_waits_at_most_an_eighth_of_its_task(task: float) -> None:
    moment, questions = first_question([]), 1
    while moment < task:
        moment += next_question(moment, [])
        questions += 1
    assert moment - task <= max(SHORTEST, task / 8)
    assert questions < 80


def states(bucket: Bucket, skew: float = 0.0) -> Ledger:
    return Ledger(Store(bucket), InstanceClock(bucket.kernel, skew), random.Random(1))


def refuse(known: Ledger, code: str, http: int = 429, beyond: bool = False) -> float:
    rule = error_table().classify(code, "", http)
    known.breakers.refused("brush", ServiceError(code, "why", http), rule)
    if beyond:
        known.breakers.not_ahead("brush")
    return known.model_states.get("brush").paused_for(known.clock.now())


def test_what_was_learned_outlives_the_instance() -> None:
    bucket = Bucket(Kernel())
    first = states(bucket)
    for number in range(REMEMBERED + 5):
        first.durations.learn("brush", float(number))
    refuse(first, "Throttling")
    second = states(bucket).model_states.get("brush")
    assert second.durations == [float(number) for number in range(5, REMEMBERED + 5)]
    assert second.pause == first.model_states.get("brush").pause


def test_pauses_double_up_to_a_bound_and_end_with_a_success() -> None:
    bucket = Bucket(Kernel())
    known = states(bucket)
    waits = [refuse(known, "Throttling") for _ in range(12)]
    assert all(0 < wait <= LONGEST_PAUSE for wait in waits)
    assert waits[5] > waits[0] * 4
    known.breakers.accepted("brush", bucket.kernel.now)
    assert known.model_states.get("brush").paused_for(known.clock.now()) == 0


def test_what_a_person_must_mend_is_waited_for_longer_and_says_why() -> None:
    code = "AllocationQuota.FreeTierOnly"
    known = states(Bucket(Kernel()))
    assert BLOCKED_PAUSE / 2 <= refuse(known, code) <= BLOCKED_PAUSE
    pause = known.model_states.get("brush").pause
    assert pause is not None
    assert (pause.blocked, pause.code, pause.message) == (True, code, "why")


def test_the_window_shrinks_to_the_concurrency_for_an_hour() -> None:
    bucket = Bucket(Kernel())
    known = states(bucket)
    assert known.model_states.get("brush").window(1, 2, known.clock.now()) == 3
    refuse(known, "Throttling", beyond=False)
    assert known.model_states.get("brush").window(1, 2, known.clock.now()) == 3
    refuse(known, "Throttling", beyond=True)
    assert known.model_states.get("brush").window(1, 2, known.clock.now()) == 1
    bucket.kernel.wait(AHEAD_OFF)
    assert known.model_states.get("brush").window(1, 2, known.clock.now()) == 3


@pytest.mark.parametrize("body", [b"", b"{", b'{"pause": {"x": 1}}', b'{"durations": 3}'])
def test_a_lost_or_broken_state_is_an_empty_one(body: bytes) -> None:
    bucket = Bucket(Kernel())
    bucket.write("state/models/brush.json", body)
    assert states(bucket).model_states.get("brush").durations == []


def test_a_model_is_read_once_a_run() -> None:
    bucket = Bucket(Kernel())
    known = states(bucket)
    for _ in range(5):
        known.model_states.get("brush")
    assert bucket.count() == 1


def test_one_task_that_took_very_long_is_no_experience_of_how_long_they_take() -> None:
    """Else each that takes a little longer would be asked for every second, for minutes."""
    durations = [20.0] * 8 + [600.0]
    assert next_question(30.0, durations) < 1.0
    assert next_question(200.0, durations) == LONGEST


@pytest.mark.parametrize("durations", SEEN)
def test_a_task_that_waits_at_the_service_is_asked_for_before_it_could_end(
    durations: list[float],
) -> None:
    waits = [while_waiting(waited, durations) for waited in (0.0, 1.0, 60.0, 3600.0)]
    assert waits == sorted(waits)
    assert all(SHORTEST <= wait <= LONGEST for wait in waits)
    if len(durations) > 4:
        assert waits[-1] <= first_question(durations)
