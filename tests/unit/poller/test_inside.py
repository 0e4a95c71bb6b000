"""What poll answers `wanx verify-cloud`, and that it answers nobody else so."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.app import App
from shared.platform.fc.events import LookEvent, WakeUpEvent, read_event
from shared.platform.fc.invoke import CallRefused
from shared.poller.inside import CALL, KEY, ONCE, run_of
from shared.storage import layout
from tests.kit.fc_events import TIMER, oss_event
from tests.kit.world import API_KEY, World

RUN = "0123456789ab"
LOOK = f"{layout.WAKE_LOOK}{RUN}-a+b 中.txt"


@dataclass
class Calls:
    """Keeps what poll sends itself."""

    refused: bool = False
    made: list[tuple[float, Any]] = field(default_factory=list)

    def call(self, delay: float, event: bytes) -> None:
        if self.refused:
            raise CallRefused("no right")
        self.made.append((delay, read_event(event)))


@pytest.fixture()
def world() -> World:
    return World()


@pytest.fixture()
def calls() -> Calls:
    return Calls()


@pytest.fixture()
def app(world: World, calls: Calls) -> App:
    made = world.app("poll")
    made.itself = lambda: calls
    return made


def seen(app: App, delay: int = 0) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(app.answered(LookEvent(RUN, delay, 0.0)) or "")
    return said


def noted(world: World, what: str) -> Any:
    return json.loads(world.bucket.peek(layout.look_note(RUN, what)))


def test_it_says_what_it_sees_and_no_secret(world: World, app: App, calls: Calls) -> None:
    said = seen(app)
    assert (said["bucket"], said["missing"], said["twice"]) == ("studio", "missing", False)
    assert (said["secret"], said["key_trouble"], said["due"]) == ("", "", 0.0)
    assert abs(said["now"] - said["store_now"]) <= 1.0
    assert API_KEY not in json.dumps(said)
    assert calls.made == []
    assert world.bucket.keys("") == [layout.look_note(RUN, ONCE)]


def test_it_calls_itself_once_and_notes_that_the_call_came(
    world: World, app: App, calls: Calls
) -> None:
    said = seen(app, 20)
    [(delay, event)] = calls.made
    assert (delay, event) == (20, LookEvent(RUN, 0, said["due"]))
    assert said["due"] == pytest.approx(said["now"] + 20)
    world.timeline.wait(20.0)
    assert app.answered(event) == "noted"
    assert noted(world, CALL)["came"] == pytest.approx(said["due"], abs=1.0)
    assert len(calls.made) == 1, "the call that came makes none"


def test_a_call_that_is_refused_is_part_of_the_answer(app: App, calls: Calls) -> None:
    calls.refused = True
    assert seen(app, 20)["call_refused"] == "no right"


@pytest.mark.parametrize("form", [LOOK, LOOK.replace("+", "%2B").replace("/", "%2F")])
def test_the_key_of_a_looks_object_is_noted_as_the_event_has_it(
    world: World, app: App, form: str
) -> None:
    assert app.answered(read(oss_event(form))) == "noted"
    assert noted(world, KEY) == {"key": form}


@pytest.mark.parametrize(
    "event",
    [
        oss_event(layout.WAKE),
        oss_event(LOOK, layout.WAKE),
        oss_event(f"{layout.WAKE_LOOK}nothing-a"),
        oss_event("state/wake/other"),
        TIMER,
    ],
)
def test_every_other_event_wakes_the_poller(app: App, event: dict[str, Any]) -> None:
    assert app.answered(read(event)) is None


def test_a_delayed_call_for_work_wakes_the_poller(app: App) -> None:
    assert app.answered(WakeUpEvent(1.0)) is None


def read(document: dict[str, Any]) -> Any:
    return read_event(json.dumps(document).encode())


def test_a_key_that_is_no_looks_has_no_run() -> None:
    assert run_of(LOOK) == RUN
    assert [run_of(f"{layout.WAKE_LOOK}{name}") for name in ("", "-a", "ABCDEF012345-a")] == [
        ""
    ] * 3
