"""Rebuilding many jobs: what it costs, several at once, and going on after an interruption."""

from __future__ import annotations

import json
import threading
from collections import Counter

import pytest

from shared.jobs.rebuild import AT_ONCE, CLAIMS_FOR, Rebuild
from shared.jobs.rebuilt import KEPT_FOR, MOST_NAMED, Progress, Rebuilt
from shared.platform.concurrency import in_threads
from shared.storage import layout
from tests.kit.hooks import Call, Killed, die, once
from tests.kit.world import World, job_file, run, store_of, submit

NAMES = ("a-b", "a.b", "a", "a1", "b", "b-c-d", "b-c")
"""In byte order of `<name>/`, which is not that of the names."""


@pytest.fixture()
def world() -> World:
    """Seven jobs that are over, so long ago that no list shows their tasks."""
    made = World()
    for job in NAMES:
        made.queued(job)
    run(made)
    made.timeline.wait(CLAIMS_FOR)
    return made


def rebuild(world: World, batch: int = 2) -> Rebuild:
    made = world.app("operator").rebuild
    made.batch = batch
    return made


def asked(world: World, first: int = 0) -> Counter[str]:
    """How often the bucket was asked, by kind of request and of object."""
    calls = world.bucket.calls[first:]
    return Counter(f"{one.kind} {'/'.join(one.key.split('/')[:2])}" for one in calls)


def read_jobs(world: World, first: int) -> list[str]:
    """The jobs whose records were read since request number `first`."""
    reads = (one.key for one in world.bucket.calls[first:] if one.kind == "read")
    return [layout.parse_record(key)[0] for key in reads if key.startswith(layout.RECORDS)]


def damage(world: World, job: str) -> None:
    """Spoil a job's last record."""
    world.bucket.write(world.bucket.keys(f"{layout.RECORDS}{job}/")[-1], b"{")


LISTINGS = {"list state/jobs", "list state/records", "list results/", "list state/queue"}


def test_a_job_that_lacks_nothing_costs_one_request(world: World) -> None:
    before = world.bucket.count()
    done = rebuild(world, batch=1000).run()
    assert done == Rebuilt(jobs=7)
    counts = asked(world, before)
    assert {kind: number for kind, number in counts.items() if not kind.startswith("list")} == {
        "read state/records": 7,
        "read state/rebuild.json": 1,
    }
    assert set(counts) > LISTINGS
    assert max(counts[kind] for kind in LISTINGS) <= 2, "a thousand keys at a time"


def test_a_job_that_only_lacks_its_index_entry_costs_two_requests(world: World) -> None:
    before_loss = world.bucket.keys(layout.JOBS)
    for key in before_loss:
        world.bucket.remove(key)
    before = world.bucket.count()
    assert rebuild(world, batch=1000).run() == Rebuilt(jobs=7, index_entries_made=7)
    counts = asked(world, before)
    assert (counts["read state/records"], counts["create state/jobs"]) == (7, 7)
    assert world.bucket.keys(layout.JOBS) == before_loss


def test_a_job_that_only_lacks_its_manifest_costs_two_requests(world: World) -> None:
    manifests = {job: world.bucket.peek(layout.result(job)) for job in NAMES}
    for job in NAMES:
        world.bucket.remove(layout.result(job))
    before = world.bucket.count()
    assert rebuild(world, batch=1000).run() == Rebuilt(jobs=7, manifests_made=7)
    counts = asked(world, before)
    assert (counts["read state/records"], counts["create results/a"]) == (7, 1)
    assert counts["read results/a"] == 0
    assert {job: world.bucket.peek(layout.result(job)) for job in NAMES} == manifests


def test_a_manifest_that_is_written_otherwise_is_read_and_left(world: World) -> None:
    """As an older version may have written it."""
    other = json.dumps(world.manifest("a")).encode()
    world.bucket.write(layout.result("a"), other)
    before = world.bucket.count()
    assert rebuild(world, batch=1000).run() == Rebuilt(jobs=7)
    counts = asked(world, before)
    assert (counts["read state/records"], counts["read results/a"]) == (7, 1)
    assert world.bucket.peek(layout.result("a")) == other


def test_a_job_of_the_last_day_costs_two_requests() -> None:
    world = World()
    world.queued("cat")
    run(world)
    before = world.bucket.count()
    assert rebuild(world).run() == Rebuilt(jobs=1)
    kinds = [call.kind for call in world.bucket.calls[before:] if call.kind != "list"]
    assert kinds == ["read"] * 3, "the place, the last record, the task's claim"


def test_a_job_that_waits_costs_four_requests(world: World) -> None:
    """One of which finds that no record follows, and one makes its reminder."""
    world.queued("zebra", expires_after="1h")
    before = world.bucket.count()
    assert rebuild(world, batch=1000).run() == Rebuilt(jobs=8)
    asked_of_it = [call for call in world.bucket.calls[before:] if "zebra" in call.key]
    assert [call.kind for call in asked_of_it] == ["read", "read", "create", "create"]


def test_jobs_that_went_on_after_their_manifest_get_marker_and_slot_back() -> None:
    world = World()
    for job in ("flying", "waiting"):
        key = f"jobs/{job}.json"
        world.bucket.write(key, b'{"model": "brush", "job": {"id": "%s"}}' % job.encode())
        world.app("submit").acceptance.intake.take_object(key)
        assert world.state(job) == "REJECTED"
        world.queued(job)
    submit(world, "flying")
    kept = [*world.bucket.keys(layout.QUEUE), *world.slots(), *world.bucket.keys(layout.JOBS)]
    assert len(kept) == 4
    for key in kept:
        world.bucket.remove(key)
    world.timeline.wait(CLAIMS_FOR)
    done = rebuild(world).run()
    assert done == Rebuilt(jobs=2, markers_made=1, slots_made=1, index_entries_made=2)
    assert all(map(world.bucket.holds, kept))


def test_as_many_requests_are_under_way_as_it_says() -> None:
    world = World()
    for number in range(AT_ONCE):
        world.queued(f"job-{number}")
    app, met = world.app("operator"), threading.Barrier(AT_ONCE, timeout=10)
    app.instance.map_fn = in_threads

    def meet(call: Call) -> None:
        if call.kind == "read" and call.key.endswith("/000001.json") and not met.broken:
            met.wait()
            store_of(app).before.clear()

    store_of(app).before.append(meet)
    assert app.rebuild.run() == Rebuilt(jobs=AT_ONCE)


def test_what_threads_find_is_counted_exactly(world: World) -> None:
    for job in NAMES:
        world.bucket.remove(layout.result(job))
    damage(world, "b")
    app = world.app("operator")
    app.instance.map_fn = in_threads
    app.rebuild.batch = 3
    done = app.rebuild.run()
    assert (done.jobs, done.manifests_made, list(done.damaged)) == (6, 6, ["b"])


def interrupted(world: World, job: str = "a1") -> None:
    """A rebuild that is killed at a job's first request; it lacked the manifest of one before."""
    world.bucket.remove(layout.result("a-b"))
    app = world.app("killed")
    app.rebuild.batch = 2
    store_of(app).before.append(once("read", f"{layout.RECORDS}{job}/", die))
    with pytest.raises(Killed):
        app.rebuild.run()


def test_an_interrupted_rebuild_goes_on_where_it_stopped(world: World) -> None:
    interrupted(world)
    before, told = world.bucket.count(), list[Progress]()
    done = rebuild(world).run(lambda now: told.append(now) if not told else None)
    assert set(read_jobs(world, before)) == set(NAMES[2:])
    assert done == Rebuilt(jobs=7, manifests_made=1), "the sum of both runs"
    assert told[0].before == 2
    before = world.bucket.count()
    rebuild(world).run()
    assert set(read_jobs(world, before)) == set(NAMES), "it was over"


def test_damaged_jobs_of_the_first_run_are_named_by_the_second(world: World) -> None:
    damage(world, "a.b")
    interrupted(world)
    assert list(rebuild(world).run().damaged) == ["a.b"]


def test_one_may_begin_again(world: World) -> None:
    interrupted(world)
    before = world.bucket.count()
    assert rebuild(world).run(from_start=True) == Rebuilt(jobs=7)
    assert set(read_jobs(world, before)) == set(NAMES)


def test_beginning_again_counts_even_if_it_is_interrupted_at_once(world: World) -> None:
    interrupted(world)
    app = world.app("killed again")
    store_of(app).before.append(once("list", layout.JOBS, die))
    with pytest.raises(Killed):
        app.rebuild.run(from_start=True)
    assert not world.bucket.holds(layout.REBUILD)


def test_what_an_interrupted_rebuild_found_is_too_old_after_a_day(world: World) -> None:
    interrupted(world)
    world.timeline.wait(KEPT_FOR)
    before = world.bucket.count()
    rebuild(world).run()
    assert set(read_jobs(world, before)) == set(NAMES)


@pytest.mark.parametrize(
    "said",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"after": "a", "at": "today", "done": {}}',
        b'{"after": "a", "at": "%s", "done": {"damaged": [], "jobs": {}}}',
    ],
)
def test_a_place_that_was_spoiled_by_hand_is_the_beginning(world: World, said: bytes) -> None:
    interrupted(world)
    now = json.loads(world.bucket.peek(layout.REBUILD))["at"]
    world.bucket.write(layout.REBUILD, said.replace(b"%s", now.encode()))
    assert rebuild(world).run().jobs == 7


def test_a_place_that_is_no_job_is_the_beginning(world: World) -> None:
    interrupted(world)
    noted = json.loads(world.bucket.peek(layout.REBUILD))
    world.bucket.write(layout.REBUILD, json.dumps({**noted, "after": "~"}).encode())
    assert rebuild(world).run().jobs == 7


def test_nothing_is_noted_of_a_bucket_that_takes_one_batch(world: World) -> None:
    rebuild(world, batch=1000).run()
    assert not any(call.key == layout.REBUILD and call.kind == "put" for call in world.bucket.calls)


def test_a_job_that_began_with_a_rejection_keeps_its_place_in_the_index() -> None:
    world = World()
    world.bucket.write("jobs/cat.json", b'{"model": "brush", "job": {"id": "cat"}}')
    world.app("submit").acceptance.intake.take_object("jobs/cat.json")
    world.timeline.wait(100)
    world.bucket.write("jobs/cat.json", job_file(id="cat"))
    world.app("submit").acceptance.intake.take_object("jobs/cat.json")
    run(world)
    assert world.states("cat")[0] == "REJECTED"
    assert world.state("cat") == "SUCCEEDED"
    (entry,) = world.bucket.keys(layout.JOBS)
    world.bucket.remove(entry)
    rebuild(world).run()
    assert world.bucket.keys(layout.JOBS) == [entry]


def test_a_job_whose_first_record_is_gone_stays_forgotten(world: World) -> None:
    """As a lifecycle rule removes it, which ages records by the day of writing."""
    world.bucket.remove(layout.record("a", 1))
    world.bucket.remove(layout.result("a"))
    before = world.bucket.count()
    assert rebuild(world).run() == Rebuilt(jobs=6)
    assert "a" not in read_jobs(world, before)


def test_only_so_many_damaged_jobs_are_named() -> None:
    done = Rebuilt()
    for number in range(MOST_NAMED + 5):
        done.add(Rebuilt(damaged={f"job-{number}": "why"}))
    done.add(Rebuilt(damaged={"job-0": "why"}))
    assert (len(done.damaged), done.unnamed) == (MOST_NAMED, 5)
