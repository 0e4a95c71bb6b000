"""Long queues and lists are looked at no further, and no more often, than an answer needs."""

from __future__ import annotations

import math
from dataclasses import replace

from shared.ledger.queue import Queue
from shared.ledger.record import QUEUED, Record
from shared.ledger.snapshots import SNAPSHOT_TTLS, QueueSnapshots, SnapshotTtl
from shared.platform.clock import iso
from shared.storage import layout
from tests.kit.http import ask
from tests.kit.store import Bucket, Store
from tests.kit.world import MODEL, World
from tests.simulation.kernel import Kernel

NEAR, FAR = SNAPSHOT_TTLS


def waiting(job: str, queued_ms: int) -> Record:
    return Record(job=job, seq=1, state=QUEUED, model=MODEL, priority=5, queued_ms=queued_ms)


def listings(world: World, prefix: str) -> int:
    return sum(call.kind == "list" and call.key == prefix for call in world.bucket.calls)


def test_one_look_serves_for_a_while() -> None:
    world = World()
    for name in ("one", "two"):
        world.queued(name)
    app, queue = world.app("api"), layout.queue_of(MODEL)
    app.instance.snapshots = QueueSnapshots(kept=True)
    before = listings(world, queue)
    assert [ask(app, "GET", f"/jobs/{name}").json["position"] for name in ("one", "two")] == [
        1,
        2,
    ]
    assert listings(world, queue) == before + 1
    world.queued("first", priority=0)
    assert ask(app, "GET", "/jobs/first").json["position"] == 1, "a new job: looked again"
    assert ask(app, "GET", "/jobs/two").json["position"] == 3
    assert listings(world, queue) == before + 2
    world.timeline.wait(NEAR.seconds)
    world.queued("second", priority=1)
    assert ask(app, "GET", "/jobs/two").json["position"] == 4, "the look has grown old"


def test_a_job_far_behind_is_not_looked_for_again() -> None:
    bucket, span = Bucket(Kernel()), SnapshotTtl(2, 5.0)
    queue, snapshots = Queue(Store(bucket)), QueueSnapshots(kept=True)
    jobs = [waiting(f"job-{number}", number) for number in range(4)]
    for one in jobs:
        queue.add(one)
    look = snapshots.take(queue, MODEL, span, now=100.0)
    assert dict(look.places) == {"job-0": 1, "job-1": 2}
    assert look.covers(jobs[3])
    assert not look.covers(replace(jobs[0], job="newcomer", priority=0))
    assert snapshots.recent(MODEL, span, 104.0) is look
    assert snapshots.recent(MODEL, span, 105.0) is None
    assert snapshots.recent(MODEL, span, 99.0) is None, "the clock was set back"


def test_a_place_far_behind_is_told_from_a_longer_look_that_is_kept_longer() -> None:
    world = World()
    for number in range(NEAR.markers + 3):
        world.queued(f"job-{number:02d}")
    app, queue = world.app("api"), layout.queue_of(MODEL)
    app.instance.snapshots = QueueSnapshots(kept=True)
    before, last = listings(world, queue), f"/jobs/job-{NEAR.markers + 2:02d}"
    assert ask(app, "GET", last).json["position"] == NEAR.markers + 3
    assert listings(world, queue) == before + 2
    world.timeline.wait(NEAR.seconds)
    assert ask(app, "GET", last).json["position"] == NEAR.markers + 3
    assert listings(world, queue) == before + 3, "near the head alone"
    world.timeline.wait(FAR.seconds)
    assert ask(app, "GET", last).json["position"] == NEAR.markers + 3
    assert listings(world, queue) == before + 5


def test_reminders_are_read_as_far_as_they_are_due() -> None:
    bucket = Bucket(Kernel())
    queue = Queue(Store(bucket))
    for number in range(1, 1101):
        queue.add(replace(waiting(f"job-{number}", number), expires_at=iso(number)))
    bucket.calls.clear()
    due, following = queue.due(5.5, 1000)
    assert [layout.job_of_reminder(key) for key in due] == [f"job-{n}" for n in range(1, 6)]
    assert following == 6
    assert bucket.count("list") == 1
    due, following = queue.due(1e9, 1000)
    assert len(due) == 1000
    assert following == 1001
    assert Queue(Store(Bucket(Kernel()))).due(1e9, 1000) == ([], math.inf)


def test_a_page_of_jobs_lists_what_it_shows() -> None:
    world = World()
    for number in range(30):
        world.queued(f"job-{number:02d}")
    store = Store(world.bucket)
    app = world.app("api")
    app.__dict__["store"] = store
    asked: list[int | None] = []
    listed = store.list

    def noted(prefix: str, after: str = "", limit: int | None = None) -> object:
        if prefix == layout.JOBS:
            asked.append(limit)
        return listed(prefix, after, limit)

    store.list = noted  # type: ignore[assignment]
    reply = ask(app, "GET", "/jobs?limit=5").json
    assert [row["job"] for row in reply["jobs"]] == [f"job-{n:02d}" for n in range(29, 24, -1)]
    assert asked == [6]
    following = ask(app, "GET", f"/jobs?limit=100&cursor={reply['next']}").json
    assert [row["job"] for row in following["jobs"]][:1] == ["job-24"]
    assert (len(following["jobs"]), following["next"]) == (25, None)
