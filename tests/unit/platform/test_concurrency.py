"""A file's jobs taken in by several threads: the same jobs, in the same order, each once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from shared.jobs.intake import IntakeOutcome, Source
from shared.platform.concurrency import THREADS, MapFn, Room, in_threads, in_turn
from shared.storage.objects import StoreError
from tests.kit.hooks import fail, once
from tests.kit.world import World, job_file, store_of

EACH = pytest.mark.parametrize("map_fn", [in_turn, in_threads])
JOBS = 3 * THREADS
T = TypeVar("T")
R = TypeVar("R")


def several(*bodies: bytes) -> bytes:
    return b"\n".join(bodies) + b"\n"


def take(world: World, body: bytes, map_fn: MapFn = in_threads) -> list[IntakeOutcome]:
    app = world.app("submit")
    app.instance.map_fn = map_fn
    return app.acceptance.intake.take(body, Source("jobs/many.jsonl", "ETAG"))


@EACH
def test_outcomes_come_in_the_order_of_the_things(map_fn: MapFn) -> None:
    assert map_fn(str, range(JOBS)) == [str(number) for number in range(JOBS)]
    assert map_fn(str, []) == []


@EACH
def test_what_goes_wrong_with_one_reaches_the_caller(map_fn: MapFn) -> None:
    def work(number: int) -> None:
        if number == 1:
            raise StoreError("no")

    with pytest.raises(StoreError, match="no"):
        map_fn(work, range(JOBS))


def test_several_are_under_way_at_once() -> None:
    met = threading.Barrier(THREADS, timeout=30)
    in_threads(lambda _: met.wait(), range(THREADS))


def last_first(work: Callable[[T], R], things: Sequence[T]) -> list[R]:
    """The worst that threads may do to the order."""
    return [work(thing) for thing in reversed(things)][::-1]


@pytest.mark.parametrize("map_fn", [in_threads, last_first])
def test_the_jobs_of_a_file_queue_up_in_its_order(map_fn: MapFn) -> None:
    world, names = World(), [f"job-{number}" for number in range(JOBS)]
    taken = take(world, several(*(job_file(id=name) for name in names)), map_fn)
    assert [one.job for one in taken] == names
    assert world.markers() == names


@pytest.mark.parametrize("map_fn", [in_threads, last_first])
def test_of_several_jobs_of_one_id_the_first_gets_it(map_fn: MapFn) -> None:
    world = World()
    bodies = [job_file(f"prompt {number}", id="cat") for number in range(4)]
    taken = take(world, several(*bodies, job_file("a dog")), map_fn)
    assert [one.record.state for one in taken] == ["QUEUED", *["REJECTED"] * 3, "QUEUED"]
    assert world.record("cat")["spec"]["input"]["prompt"] == "prompt 0"


def test_the_event_of_a_file_half_taken_in_does_the_rest() -> None:
    world, names = World(), [f"job-{number}" for number in range(JOBS)]
    body = several(*(job_file(id=name) for name in names))
    app = world.app("submit")
    app.instance.map_fn = in_threads
    store_of(app).before.append(once("create", "job-3", fail))
    with pytest.raises(StoreError):
        app.acceptance.intake.take(body, Source("jobs/many.jsonl", "ETAG"))

    take(world, body)

    assert sorted(world.markers()) == sorted(names)
    assert [world.states(name) for name in names] == [["QUEUED"]] * JOBS


def test_things_share_room_and_a_large_one_has_it_alone() -> None:
    room = Room(10, patience=0.0)
    assert room.take(6)
    assert not room.take(5)
    assert room.take(4)
    room.give(6)
    room.give(4)
    assert room.take(50)
    assert not room.take(1)


def test_whoever_finds_no_room_waits_for_it() -> None:
    room = Room(10, patience=600.0)
    with ThreadPoolExecutor(1) as pool:
        for _ in range(100):
            assert room.take(10)
            waiting = pool.submit(room.take, 10)
            room.give(10)
            assert waiting.result(timeout=60)
            room.give(10)
