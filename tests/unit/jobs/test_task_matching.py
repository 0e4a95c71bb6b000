"""Which listed task belongs to which attempt of unknown outcome."""

from __future__ import annotations

import math
from itertools import permutations, product

import pytest

from shared.jobs.task_matching import APART, EARLY, LATE, Evidence, Sent
from shared.modelstudio.client import ListedTask

T = 1_790_000_000.0
PATIENCE = 30.0


def tasks(*moments: float) -> tuple[ListedTask, ...]:
    """Tasks named a, b, … made so many seconds after T."""
    names = zip("abcdef", moments, strict=False)
    return tuple(ListedTask(name, "RUNNING", T + at, "r") for name, at in names)


def sent(at: float, epoch: int = 1) -> Sent:
    """So many seconds after T; the store dates in whole seconds."""
    return Sent(math.floor(T + at), epoch, T + at)


def judged(mine: float, others: tuple[float, ...], found: tuple[ListedTask, ...]) -> Evidence:
    """All attempts of one holder of the lease."""
    return Evidence(sent(mine), tuple(sent(at) for at in others), found, PATIENCE)


def verdict(evidence: Evidence) -> str | None:
    task = evidence.verdict()
    return None if task is None else task.task_id


def possible(evidence: Evidence) -> list[str]:
    return [task.task_id for task in evidence.possible()]


def test_alone_in_doubt_the_sole_task_of_its_time_is_its_own() -> None:
    evidence = judged(0, (), tasks(0.5))
    assert (verdict(evidence), possible(evidence)) == ("a", ["a"])


@pytest.mark.parametrize("at", [-60.0, -6.0, PATIENCE + LATE + 0.1, 60.0])
def test_a_task_of_another_time_is_another_programs(at: float) -> None:
    evidence = judged(0, (), tasks(at))
    assert (verdict(evidence), possible(evidence)) == (None, [])
    assert verdict(judged(0, (), tasks(0.5, at))) is None, "another program uses the account"


@pytest.mark.parametrize("at", [-3.0, LATE + 0.1, PATIENCE + LATE])
def test_a_task_that_a_slow_submission_can_have_made_is_put_before_a_person(at: float) -> None:
    evidence = judged(0, (), tasks(at))
    assert (verdict(evidence), possible(evidence)) == (None, ["a"])


@pytest.mark.parametrize("foreign", [0.2, 0.9, 20.0])
def test_a_foreign_task_of_the_same_time_is_put_before_a_person(foreign: float) -> None:
    evidence = judged(0, (), tasks(0.5, foreign))
    assert (verdict(evidence), len(possible(evidence))) == (None, 2)


def test_without_any_task_there_is_none() -> None:
    for others in ((), (1.0,), (30.0,)):
        evidence = judged(0, others, ())
        assert (verdict(evidence), possible(evidence)) == (None, [])


def test_another_in_doubt_far_away_does_not_matter() -> None:
    assert verdict(judged(0, (30,), tasks(0.5, 30.5))) == "a"
    assert verdict(judged(30, (0,), tasks(0.5, 30.5))) == "b"


def test_the_task_of_one_far_away_is_not_even_possible() -> None:
    evidence = judged(0, (30,), tasks(30.5))
    assert (verdict(evidence), possible(evidence)) == (None, [])


def test_close_together_one_task_may_be_either_ones() -> None:
    for mine, other in permutations((0.0, 1.0)):
        evidence = judged(mine, (other,), tasks(0.8))
        assert (verdict(evidence), possible(evidence)) == (None, ["a"])


def test_close_together_as_many_tasks_as_attempts_follow_each_other() -> None:
    assert verdict(judged(0, (3,), tasks(3.4, 0.5))) == "b"
    assert verdict(judged(3, (0,), tasks(3.4, 0.5))) == "a"


def test_of_one_moment_no_order_can_be_told() -> None:
    assert verdict(judged(0, (0,), tasks(0.4, 0.5))) is None


def test_order_tells_nothing_where_a_task_does_not_fit_its_turn() -> None:
    evidence = judged(0, (2,), tasks(1.5, 30))
    assert verdict(evidence) is None
    assert possible(evidence) == ["a", "b"], "the second is nobody's, so it may be anybody's"


def test_more_tasks_than_attempts_are_put_before_a_person() -> None:
    evidence = judged(0, (1,), tasks(0.2, 0.5, 1.4))
    assert (verdict(evidence), possible(evidence)) == (None, ["a", "b", "c"])


@pytest.mark.parametrize(
    ("at", "own"), [(-EARLY, True), (-EARLY - 0.1, False), (LATE, True), (LATE + 0.1, False)]
)
def test_how_far_a_task_may_lie_from_its_record(at: float, own: bool) -> None:
    evidence = judged(0, (at + 60,), tasks(at))
    assert verdict(evidence) == ("a" if own else None)


def test_what_fits_nobody_is_never_taken_for_nothing() -> None:
    evidence = judged(0, (60,), tasks(20))
    assert verdict(evidence) is None
    assert possible(evidence) == ["a"], "a task that nobody claims must not lead to a second one"


@pytest.mark.parametrize("made", [(True, False), (False, True), (True, True), (False, False)])
@pytest.mark.parametrize("gap", [0.0, 0.3, 1.0, 2.0, 3.0, 5.0, 30.0])
def test_no_one_ever_gets_the_task_of_the_other(gap: float, made: tuple[bool, bool]) -> None:
    """Whatever was made, and whichever delay there was: own task, or no verdict."""
    moments = (0.0, gap)
    alike = [(-0.9, -0.9)]  # a date of the store, in whole seconds
    for late in [*alike, *product((0.1, 0.9, 1.4, 2.9), repeat=2)]:
        real = [moments[index] + late[index] for index in range(2) if made[index]]
        owners = [index for index in range(2) if made[index]]
        found = tasks(*real)
        for index in range(2):
            evidence = judged(moments[index], (moments[1 - index],), found)
            own = [found[place].task_id for place, owner in enumerate(owners) if owner == index]
            assert verdict(evidence) in (None, *own)
            assert set(own) <= set(possible(evidence)), "its own task was ruled out"


@pytest.mark.parametrize(("gap", "told"), [(APART, True), (APART - 0.1, False)])
def test_two_of_one_holder_may_overtake_each_other_for_a_while(gap: float, told: bool) -> None:
    found = tasks(0.4, gap + 0.2)
    first, second = judged(0, (gap,), found), judged(gap, (0,), found)
    assert [verdict(first), verdict(second)] == (["a", "b"] if told else [None, None])


def test_the_attempts_of_two_holders_follow_each_other_whatever_their_clocks_say() -> None:
    """One has stopped before the next one begins."""
    early, late = Sent(T, 1, T + 3600), Sent(T, 2, T - 3600)
    found = tasks(0.4, 0.5)
    assert verdict(Evidence(early, (late,), found, PATIENCE)) == "a"
    assert verdict(Evidence(late, (early,), found, PATIENCE)) == "b"


def test_a_task_that_shows_its_prompt_is_its_own_whatever_else_there_is() -> None:
    evidence = judged(0, (0.1,), tasks(0.4, 0.5, 0.6)).judged({"b"}, set())
    assert (verdict(evidence), evidence.certain) == ("b", evidence.tasks[1:2])


def test_two_tasks_that_show_its_prompt_are_put_before_a_person() -> None:
    evidence = judged(0, (), tasks(0.4, 0.5)).judged({"a", "b"}, set())
    assert (verdict(evidence), possible(evidence)) == (None, ["a", "b"])


def test_tasks_of_other_prompts_are_dropped() -> None:
    evidence = judged(0, (), tasks(0.4, 0.5)).judged(set(), {"a"})
    assert (verdict(evidence), possible(evidence)) == ("b", ["b"])
    evidence = judged(0, (), tasks(0.4)).judged(set(), {"a"})
    assert (verdict(evidence), possible(evidence)) == (None, [])
