"""Other code is deployed: the poller that runs makes room, and the next one goes on."""

from __future__ import annotations

import json

import pytest

from shared.poller.poller import PATIENCE
from shared.poller.schedule import LAST_LOOK
from shared.storage import layout
from tests.kit.world import LONG, OTHER, World, run

OLD, NEW = "1" * 64, "2" * 64
ROOM = "made room for other code"


@pytest.fixture
def world() -> World:
    made = World()
    made.studio.seconds = 100.0
    return made


def polls(world: World, code: str, seconds: float = LONG) -> str:
    app = world.app("poller")
    app.code = code
    return run(world, seconds, app)


def deploy(world: World, code: str) -> None:
    """The first instance of submit, or of api, starts from it."""
    front = world.app("submit")
    front.code = code
    front.say_code()


def made_room(world: World) -> int:
    """How often in a row, as the released lease says."""
    said = json.loads(world.bucket.peek(world.bucket.keys(layout.LEASE)[0]))
    assert said["released"]
    count: int = said.get("made_room", 0)
    return count


@pytest.mark.parametrize(("first", "then"), [(OLD, NEW), (NEW, OLD)])
def test_the_run_of_other_code_ends_and_the_next_goes_on(
    world: World, first: str, then: str
) -> None:
    """An upgrade, and a roll-back: other code, older or newer."""
    for job in ("cat", "dog"):
        world.queued(job)
    world.queued("cow", OTHER)
    deploy(world, first)
    world.timeline.after(20.0, lambda: deploy(world, then))
    began = world.timeline.now
    assert polls(world, first) == ROOM
    assert world.timeline.now - began <= 20.0 + LAST_LOOK + 3.0
    assert world.bucket.holds(layout.WAKE)
    assert world.lease_is_free()
    assert polls(world, then) == "nothing left"
    assert {world.state(job) for job in ("cat", "dog", "cow")} == {"SUCCEEDED"}
    assert len(world.studio.posts) == 3, "paid once"


def test_the_permits_go_along(world: World) -> None:
    """The next run knows what was sent: it need not wait as after a dead one."""
    world.queued("cat")
    deploy(world, OLD)
    world.timeline.after(5.0, lambda: deploy(world, NEW))
    assert polls(world, OLD) == ROOM
    world.queued("cow", OTHER)
    began = world.timeline.now
    polls(world, NEW)
    assert world.studio.posts[1].at - began < 2.0


def test_code_that_is_deployed_runs_on(world: World) -> None:
    world.queued("cat")
    deploy(world, NEW)
    assert polls(world, NEW) == "nothing left"


def test_a_laptop_that_does_not_know_its_code_runs_on(world: World) -> None:
    world.queued("cat")
    deploy(world, NEW)
    assert polls(world, "") == "nothing left"


def test_two_versions_at_once_hand_over_more_and_more_rarely(world: World) -> None:
    """Only submit has been deployed; poll goes on to be the old one."""
    world.studio.seconds = 3000.0
    world.queued("cat")
    deploy(world, NEW)
    lasted = []
    for _ in range(7):
        began = world.timeline.now
        polls(world, OLD, 540.0)
        lasted.append(world.timeline.now - began)
    looks = LAST_LOOK + 3.0
    assert lasted[0] < looks
    for number, seconds in enumerate(lasted[1:]):
        wanted = min(540.0, PATIENCE * 2**number)
        assert wanted - looks < seconds < wanted + looks
    assert made_room(world) == 6, "the last run has ended at its deadline"


def test_the_code_that_is_deployed_makes_an_end_of_it(world: World) -> None:
    world.studio.seconds = 300.0
    world.queued("cat")
    deploy(world, NEW)
    for _ in range(3):
        assert polls(world, OLD) == ROOM
    assert made_room(world) == 3
    polls(world, NEW, 30.0)
    assert made_room(world) == 0
    deploy(world, OLD)
    began = world.timeline.now
    assert polls(world, NEW) == ROOM
    assert world.timeline.now - began < LAST_LOOK + 3.0, "at once again"


def test_what_is_deployed_next_need_not_wait_for_what_came_to_nothing(world: World) -> None:
    """poll alone was deployed, so the others say other code and it made room again and again; then
    all functions are deployed."""
    world.studio.seconds = 3000.0
    world.queued("cat")
    deploy(world, OLD)
    for _ in range(6):
        polls(world, "3" * 64, 540.0)
    assert made_room(world) == 6, "it would make room next only after 16 minutes: never"
    world.timeline.after(20.0, lambda: deploy(world, NEW))
    began = world.timeline.now
    assert polls(world, "3" * 64, 540.0) == ROOM
    assert world.timeline.now - began <= 20.0 + LAST_LOOK + 3.0


def test_a_submitter_in_between_does_not_forget_how_often(world: World) -> None:
    world.queued("cat")
    deploy(world, NEW)
    assert polls(world, OLD) == ROOM
    lease = world.app("submit").ledger.lease
    assert lease.take("submitter")
    lease.release()
    assert made_room(world) == 1


def test_the_poller_asks_nothing_for_it(world: World) -> None:
    world.queued("cat")
    deploy(world, NEW)
    before = len(world.bucket.calls)
    polls(world, NEW)
    assert all(call.key != layout.DEPLOYED for call in world.bucket.calls[before:])


def test_other_code_is_read_about_once(world: World) -> None:
    world.queued("cat")
    deploy(world, NEW)
    assert polls(world, OLD) == ROOM
    before = len(world.bucket.calls)
    polls(world, OLD, 25.0)
    about = [call for call in world.bucket.calls[before:] if call.key == layout.DEPLOYED]
    assert len(about) == 1
