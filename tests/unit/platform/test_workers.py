"""Works beside the caller: what they lead to is done in the caller's own turn."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from shared.platform.concurrency import InThreads, InTurn, Lane, Outcome, Workers

SLOW, QUICK, SINGLE = Lane("slow", 2), Lane("quick"), Lane("single", 1)
LONG = 30.0


def drain(workers: Workers) -> None:
    while workers.busy():
        workers.wait(LONG)
        workers.settle()


@pytest.mark.parametrize("make", [InThreads, lambda: InTurn(lambda _seconds: None)])
def test_a_work_returns_or_raises_where_it_is_settled(make: Callable[[], Workers]) -> None:
    workers, seen = make(), list[object]()

    def done(outcome: Outcome[int]) -> None:
        seen.append(threading.current_thread())
        try:
            seen.append(outcome())
        except ZeroDivisionError as error:
            seen.append(type(error))

    workers.start(QUICK, lambda: 6 * 7, done)
    drain(workers)
    workers.start(QUICK, lambda: 1 // 0, done)
    drain(workers)
    here = threading.current_thread()
    assert seen == [here, 42, here, ZeroDivisionError]


def test_nothing_is_done_before_it_is_settled() -> None:
    workers, seen = InThreads(), list[str]()
    workers.start(QUICK, lambda: "made", lambda outcome: seen.append(outcome()))
    workers.wait(LONG)
    assert workers.busy() and seen == []
    workers.settle()
    assert not workers.busy() and seen == ["made"]


def test_a_lane_that_stands_still_keeps_no_other_waiting() -> None:
    workers, seen, free = InThreads(), list[str](), threading.Event()
    for _ in range(5):
        workers.start(SLOW, lambda: free.wait(LONG), lambda _outcome: seen.append("slow"))
    workers.start(QUICK, lambda: "quick", lambda outcome: seen.append(outcome()))
    workers.wait(LONG)
    workers.settle()
    assert seen == ["quick"]
    free.set()
    drain(workers)
    assert seen == ["quick", *["slow"] * 5]


def test_a_lane_of_one_does_one_thing_at_a_time() -> None:
    workers, at_once, most, lock = InThreads(), [0], [0], threading.Lock()

    def work() -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        threading.Event().wait(0.001)
        with lock:
            at_once[0] -= 1

    for _ in range(20):
        workers.start(SINGLE, work, lambda outcome: outcome())
    drain(workers)
    assert most == [1]


def test_where_no_thread_can_be_started_the_caller_does_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers, seen = InThreads(), list[str]()

    def refuse(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        workers.start(QUICK, lambda: "made", lambda outcome: seen.append(outcome()))
    workers.start(QUICK, lambda: "next", lambda outcome: seen.append(outcome()))
    drain(workers)
    assert sorted(seen) == ["made", "next"]


def test_a_thread_that_ends_itself_is_not_waited_for() -> None:
    workers, seen = InThreads(), list[type]()

    def leave() -> None:
        raise SystemExit

    def done(outcome: Outcome[None]) -> None:
        with pytest.raises(RuntimeError):
            outcome()
        seen.append(RuntimeError)

    workers.start(QUICK, leave, done)
    drain(workers)
    assert seen == [RuntimeError]
