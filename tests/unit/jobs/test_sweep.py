"""Job files whose event never came are taken in, once, whatever else lies in the folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.jobfile import SUFFIXES
from shared.jobs.sweep import RECENT, UNDER_WAY, Swept
from shared.storage import layout
from tests.kit.hooks import Call, Hook, Killed, die, fail, once
from tests.kit.world import World, job_file, run, store_of

SECONDS = 20.0


@pytest.fixture()
def world() -> World:
    return World()


def written(world: World, *keys: str, body: bytes | None = None) -> None:
    """Job files, and time in which their event would have come."""
    for key in keys:
        world.bucket.write(key, body or job_file())
    world.timeline.wait(UNDER_WAY + 2)


def sweep(world: World, seconds: float = SECONDS, **options: Any) -> Swept:
    return world.app("sweeper").sweep.run(seconds, **options)


def lost(kind: str, key: str) -> Hook:
    """Requests of a kind for a key are lost, as often as they are repeated."""

    def hook(call: Call) -> None:
        if (call.kind, call.key) == (kind, key):
            fail()

    return hook


def jobs(world: World) -> set[str]:
    return {layout.parse_record(key)[0] for key in world.bucket.keys(layout.RECORDS)}


def test_a_file_without_a_job_is_taken_in_and_a_poller_is_woken(world: World) -> None:
    written(world, "jobs/cat.json")
    assert sweep(world).taken == ["jobs/cat.json"]
    assert world.bucket.holds(layout.WAKE)
    run(world)
    assert len(world.studio.posts) == 1


@pytest.mark.parametrize("own", [{}, {"id": "cat"}])
@pytest.mark.parametrize("swept_first", [False, True])
def test_a_file_is_one_job_whether_its_event_or_the_sweep_comes_first(
    world: World, own: dict[str, str], swept_first: bool
) -> None:
    written(world, "jobs/cat.json", body=job_file(**own))
    for sweeps in (swept_first, not swept_first):
        if sweeps:
            sweep(world)
        else:
            world.app().acceptance.job_file("jobs/cat.json")
        run(world)
    assert sweep(world).taken == []
    assert (len(jobs(world)), len(world.studio.posts)) == (1, 1)


def test_a_file_that_is_known_is_not_read(world: World) -> None:
    written(world, "jobs/cat.json")
    sweep(world)
    before = world.bucket.count("read")
    sweep(world)
    assert world.bucket.count("read") == before


def test_a_file_that_is_wrong_gets_its_answer(world: World) -> None:
    written(world, "jobs/cat.json", body=b'{"model": "none"}')
    assert sweep(world).taken == ["jobs/cat.json"]
    (job,) = jobs(world)
    assert world.bucket.holds(layout.result(job))


def test_files_that_are_new_or_old_are_left_alone(world: World) -> None:
    world.bucket.write("jobs/old.json", job_file())
    world.timeline.wait(RECENT - UNDER_WAY + 1)
    written(world, "jobs/due.json")
    world.bucket.write("jobs/new.json", job_file())
    world.timeline.wait(UNDER_WAY / 2)
    assert sweep(world).taken == ["jobs/due.json"]


def test_only_what_is_a_job_file_by_its_suffix_is_read(world: World) -> None:
    fit = [f"jobs/fit{suffix}" for suffix in (*SUFFIXES, ".YAML")]
    written(world, *fit, "jobs/cat.yaml.txt", "jobs/folder/", "jobs/cat.png")
    swept = sweep(world)
    assert sorted(swept.taken) == sorted(fit)
    assert swept.unread == ["jobs/cat.png", "jobs/cat.yaml.txt"]


def test_a_file_that_cannot_be_taken_in_keeps_no_other_one_out(world: World) -> None:
    written(world, "jobs/a.json", "jobs/b.json")
    app = world.app("sweeper")
    store_of(app).before.append(lost("read", "jobs/a.json"))
    swept = app.sweep.run(SECONDS)
    assert (swept.failed, swept.taken) == (["jobs/a.json"], ["jobs/b.json"])


def test_a_defect_that_one_file_shows_keeps_no_other_one_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(world, "jobs/a.json", "jobs/b.json")
    app = world.app("sweeper")
    take = app.sweep.intake.take_object

    def broken(key: str) -> Any:
        if key == "jobs/a.json":
            raise RecursionError
        return take(key)

    monkeypatch.setattr(app.sweep.intake, "take_object", broken)
    swept = app.sweep.run(SECONDS)
    assert (swept.failed, swept.taken) == (["jobs/a.json"], ["jobs/b.json"])


# The safety net's sweeps, one after the other


def goes_on(world: World, seconds: float = SECONDS) -> None:
    world.app("poll").sweep.go_on(seconds)


def test_each_file_is_looked_at_once(world: World) -> None:
    written(world, "jobs/a.json", "jobs/b.json")
    goes_on(world)
    known = jobs(world)
    for key in world.bucket.keys(layout.RECORDS):  # somebody deletes what was made of them
        world.bucket.remove(key)
    world.timeline.wait(3600.0)
    written(world, "jobs/c.json")
    goes_on(world)
    assert len(known) == 2
    assert [name.split("-")[0] for name in jobs(world)] == ["c"]


def test_a_sweep_whose_time_ends_goes_on_there(world: World) -> None:
    written(world, *(f"jobs/{number}.json" for number in range(4)))
    app = world.app("poll")
    store_of(app).after.append(lambda _call: world.timeline.wait(1.0))
    seen = list[int]()
    while len(jobs(world)) < 4:
        app.sweep.go_on(3.0)
        seen.append(len(jobs(world)))
    assert seen[0] < 4
    assert len(seen) <= 5


def test_a_file_that_failed_is_looked_at_again(world: World) -> None:
    written(world, "jobs/a.json", "jobs/b.json")
    app = world.app("poll")
    store_of(app).before.append(lost("read", "jobs/a.json"))
    app.sweep.go_on(SECONDS)
    world.timeline.wait(6 * 3600.0)
    goes_on(world)
    assert len(jobs(world)) == 2


def test_a_file_that_failed_in_an_earlier_part_of_the_pass_is_looked_at_again(world: World) -> None:
    written(world, "jobs/a.json", "jobs/b.json", "jobs/c.json")
    app = world.app("poll")
    store_of(app).before.append(lost("read", "jobs/a.json"))
    store_of(app).after.append(lambda _call: world.timeline.wait(1.0))
    while len(jobs(world)) < 2:
        app.sweep.go_on(3.0)
    world.timeline.wait(6 * 3600.0)
    goes_on(world)
    assert len(jobs(world)) == 3


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"until": "x"}', b'{"until": null}'])
def test_progress_that_cannot_be_read_begins_anew(world: World, body: bytes) -> None:
    written(world, "jobs/a.json")
    world.bucket.write(layout.SWEEP, body)
    goes_on(world)
    assert len(jobs(world)) == 1
    assert json.loads(world.bucket.peek(layout.SWEEP))["until"] > 0


def test_a_bucket_that_does_not_answer_ends_the_sweep_alone(world: World) -> None:
    written(world, "jobs/a.json")
    app = world.app("poll")
    store_of(app).before.append(lost("list", layout.JOB_FILES))
    app.sweep.go_on(SECONDS)
    assert jobs(world) == set()


def test_a_job_that_never_got_its_place_in_the_queue_gets_it_and_a_poller(world: World) -> None:
    """Its instance died between the record and the marker, and its event never came again."""
    app = world.app()
    store_of(app).before.append(once("create", layout.QUEUE, die))
    world.bucket.write("jobs/cat.json", job_file(id="cat"))
    with pytest.raises(Killed):
        app.acceptance.job_file("jobs/cat.json")
    world.timeline.wait(UNDER_WAY + 2)
    assert sweep(world).taken == []
    assert world.bucket.holds(layout.WAKE)
    run(world)
    assert world.state("cat") == "SUCCEEDED"
