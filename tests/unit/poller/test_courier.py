"""Telling receivers from the poller: when, how often, and what it costs where nobody is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import requests

from shared.app import App
from shared.jobs.deliveries import Deliveries
from shared.jobs.intake import Source
from shared.ledger.outbox import Entry
from shared.platform.webhook_settings import Receiver, WebhookSettings
from shared.storage import layout
from tests.kit.calls import Calls
from tests.kit.hooks import Killed, die, once
from tests.kit.studio import accept_with
from tests.kit.world import MODEL, World, job_file, run, store_of
from tests.simulation.wire import SimAnswer
from tests.unit.poller.calling import LATE, poll, synchronous

URL = "https://hooks.example.com/a"
SHOP = Receiver("https://shop.example.com/h", ("succeeded", "submitted"), prompts=True, urls=True)
HOOKS = WebhookSettings(("k" * 32,), {"shop": SHOP})


@dataclass
class Receivers:
    """Answers as it is told to: a status, with headers, or an error; 204 when nothing is left."""

    world: World
    answers: list[Any] = field(default_factory=list)
    heard: list[tuple[float, str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def post(self, url: str, *, data: bytes, headers: dict[str, str], **_: Any) -> SimAnswer:
        self.heard.append((self.world.timeline.now, url, headers, json.loads(data)))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        status, more = answer if isinstance(answer, tuple) else (answer, {})
        return SimAnswer(status, b"", cast("Mapping[str, str]", more))

    def events(self) -> list[str]:
        return [body["type"] for *_, body in self.heard]

    def times(self) -> list[int]:
        """Seconds from the first request to each."""
        return [round(at - self.heard[0][0]) for at, *_ in self.heard]


@pytest.fixture()
def world() -> World:
    return World()


@pytest.fixture()
def receivers(world: World) -> Receivers:
    return Receivers(world)


def poller(world: World, receivers: Receivers, hooks: WebhookSettings = HOOKS) -> App:
    app = world.app("poller", webhooks=hooks)
    app.receivers = cast("requests.Session", receivers)
    return app


def told(world: World, receivers: Receivers, hours: float = 24.0) -> None:
    """Let pollers run, as the timer starts them, for so long."""
    end = world.timeline.now + hours * 3600
    while world.timeline.now < end and _anything_left(world):
        run(world, 540.0, poller(world, receivers))
        world.timeline.wait(60.0)


def _anything_left(world: World) -> bool:
    return bool(world.bucket.keys(layout.OUTBOX) or world.slots() or world.markers())


def queued(world: World, job: str, **own: Any) -> None:
    app = world.app("intake", webhooks=HOOKS)
    body = job_file(f"prompt of {job}", id=job, **own)
    taken = app.acceptance.intake.take(body, Source(f"jobs/{job}.json", "ETAG"))
    assert not taken[0].violations, taken[0].violations


def tries(world: World, job: str) -> list[dict[str, Any]]:
    keys = world.bucket.keys(layout.deliveries_of(job))
    return [json.loads(world.bucket.peek(key)) for key in keys]


def test_a_job_that_names_nobody_is_told_to_nobody(world: World, receivers: Receivers) -> None:
    queued(world, "quiet")
    told(world, receivers)
    assert receivers.heard == []
    assert world.bucket.keys(layout.DELIVERIES) == []


def test_a_deployment_without_a_key_never_looks_at_the_outbox(world: World) -> None:
    world.queued("quiet")
    app = world.app("poller")
    run(world, 60.0, app)
    assert not [call for call in world.bucket.calls if call.key.startswith(layout.OUTBOX)]


def test_a_job_is_told_of_at_once_and_once(world: World, receivers: Receivers) -> None:
    queued(world, "cat", webhook=URL)
    told(world, receivers)
    assert receivers.events() == ["wanx.job.succeeded"]
    assert [one["outcome"] for one in tries(world, "cat")] == ["delivered"]
    assert world.bucket.keys(layout.OUTBOX) == []


def test_prompts_and_links_go_to_those_alone_who_asked_for_them(
    world: World, receivers: Receivers
) -> None:
    queued(world, "plain", webhook=URL)
    queued(world, "named", webhook="shop")
    told(world, receivers)
    of = {(body["subject"], body["type"]): body["data"] for *_, body in receivers.heard}
    plain, named = of["plain", "wanx.job.succeeded"], of["named", "wanx.job.succeeded"]
    assert "prompt" not in json.dumps(plain)
    assert "url" not in plain["images"][0]
    assert named["prompt"] == "prompt of named"
    assert named["images"][0]["url"].startswith("https://")
    assert ("named", "wanx.job.submitted") in of
    assert ("plain", "wanx.job.submitted") not in of


def test_tries_follow_the_schedule_under_one_id_until_it_is_given_up(
    world: World, receivers: Receivers
) -> None:
    receivers.answers += [500] * 20
    queued(world, "cat", webhook=URL)
    told(world, receivers)
    expected = [0, 5, 305, 2105, 9305, 27305, 63305]
    late = [found - due for found, due in zip(receivers.times(), expected, strict=True)]
    assert all(0 <= one <= 65 * place for place, one in enumerate(late)), late
    assert len({headers["webhook-id"] for _, _, headers, _ in receivers.heard}) == 1
    outcomes = [one["outcome"] for one in tries(world, "cat")]
    assert outcomes == ["failed"] * 6 + ["given_up"]


def test_retry_after_postpones_the_next_try(world: World, receivers: Receivers) -> None:
    receivers.answers.append((429, {"Retry-After": "200"}))
    queued(world, "cat", webhook=URL)
    told(world, receivers)
    assert 200 <= receivers.times()[1] <= 265


def test_retry_after_postpones_nothing_beyond_a_day(world: World, receivers: Receivers) -> None:
    receivers.answers += [(429, {"Retry-After": "999999"})] * 5
    queued(world, "cat", webhook=URL)
    told(world, receivers, 30.0)
    assert 24 * 3600 <= receivers.times()[1] <= 24 * 3600 + 120
    assert [one["outcome"] for one in tries(world, "cat")] == ["failed", "given_up"]


def test_a_receiver_that_says_410_hears_of_no_other_job(world: World, receivers: Receivers) -> None:
    receivers.answers.append(410)
    queued(world, "first", webhook=URL)
    told(world, receivers)
    queued(world, "second", webhook=URL)
    told(world, receivers)
    assert len(receivers.heard) == 1
    assert [one["outcome"] for one in tries(world, "second")] == ["given_up"]
    app = poller(world, receivers)
    assert app.webhooks.enable(URL)
    app.webhooks.redeliver(_last(app, "second"))
    told(world, receivers)
    assert receivers.heard[-1][3]["subject"] == "second"


def _last(app: App, job: str) -> Any:
    last = app.ledger.records.last(job)
    assert last is not None
    return last


def test_what_was_delivered_is_told_again_only_if_a_person_asks(
    world: World, receivers: Receivers
) -> None:
    queued(world, "cat", webhook=URL)
    told(world, receivers)
    app = poller(world, receivers)
    assert app.rebuild.run(from_start=True).outbox_entries_made == 0
    app.ledger.outbox.announce(_last(app, "cat"))
    told(world, receivers)
    assert len(receivers.heard) == 1
    app.webhooks.redeliver(_last(app, "cat"))
    told(world, receivers)
    assert len(receivers.heard) == 2
    assert len({headers["webhook-id"] for _, _, headers, _ in receivers.heard}) == 1


def test_an_outbox_that_was_deleted_is_made_again(world: World, receivers: Receivers) -> None:
    receivers.answers.append(500)
    queued(world, "cat", webhook=URL)
    run(world, 30.0, poller(world, receivers, WebhookSettings()))
    for key in world.bucket.keys(layout.OUTBOX):
        world.bucket.remove(key)
    app = poller(world, receivers)
    assert app.rebuild.run(from_start=True).outbox_entries_made == 1
    told(world, receivers)
    assert receivers.events() == ["wanx.job.succeeded"] * 2


def test_an_instance_that_dies_before_the_answer_is_noted_leaves_the_entry(
    world: World, receivers: Receivers
) -> None:
    queued(world, "cat", webhook=URL)
    app = poller(world, receivers)
    store_of(app).before.append(once("create", layout.DELIVERIES, die))
    with pytest.raises(Killed):
        run(world, 60.0, app)
    assert len(world.bucket.keys(layout.OUTBOX)) == 1
    world.timeline.wait(120.0)
    told(world, receivers)
    assert len(receivers.heard) == 2
    assert len({headers["webhook-id"] for _, _, headers, _ in receivers.heard}) == 1


def test_a_file_that_comes_again_tells_what_two_instances_that_died_have_owed(
    world: World, receivers: Receivers
) -> None:
    queued(world, "cat", webhook="shop")
    for kind, place in (("create", layout.OUTBOX), ("delete", layout.SLOTS)):
        app = poller(world, receivers)
        store_of(app).before.append(once(kind, place, die))
        with pytest.raises(Killed):
            run(world, 60.0, app)
        world.timeline.wait(120.0)
    assert world.markers(), "the first one died before it removed it"
    queued(world, "cat", webhook="shop")
    assert not world.markers()
    told(world, receivers)
    assert sorted(receivers.events()) == ["wanx.job.submitted", "wanx.job.succeeded"]


def test_a_task_that_nobody_was_told_of_is_told_when_its_job_is_queued_again(
    world: World, receivers: Receivers
) -> None:
    busy = accept_with(status="FAILED", code="InternalError", message="busy")
    world.studio.script.append(busy)
    queued(world, "cat", webhook="shop")
    app = poller(world, receivers)
    store_of(app).before.append(once("create", layout.OUTBOX, die))
    with pytest.raises(Killed):
        run(world, 60.0, app)
    for key in world.bucket.keys(layout.QUEUE):  # a stale marker would tell it, too
        world.bucket.remove(key)
    world.timeline.wait(120.0)
    told(world, receivers)
    assert receivers.events() == [*["wanx.job.submitted"] * 2, "wanx.job.succeeded"]


def test_nobody_hears_of_a_record_that_is_not_there(world: World, receivers: Receivers) -> None:
    made_up = layout.outbox(1, 1, "0" * 12, 7, "nobody")
    world.bucket.write(made_up, b"")
    told(world, receivers)
    assert receivers.heard == []
    assert world.bucket.keys(layout.OUTBOX) == []


def test_a_dead_receiver_holds_up_nobody_else(world: World, receivers: Receivers) -> None:
    """A receiver that takes its time for each of many jobs has two places, and no more, also where
    each job has an address of its own there."""
    dead = "https://dead.example.com/?job="
    busy: list[int] = []
    under_way = [0]
    tell = Deliveries.send

    def slow(self: Deliveries, message: str, url: str, body: bytes) -> Any:
        if url.startswith(dead):
            under_way[0] += 1
            busy.append(under_way[0])
            world.timeline.wait(15.0)
            under_way[0] -= 1
        return tell(self, message, url, body)

    app = poller(world, receivers)
    for number in range(6):
        queued(world, f"dead-{number}", webhook=f"{dead}{number}")
    queued(world, "quick", webhook=URL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Deliveries, "send", slow)
        run(world, 540.0, app)
    assert max(busy) == 2
    assert "quick" in [body["subject"] for *_, body in receivers.heard]


@pytest.mark.parametrize("is_paused", [False, True])
def test_an_entry_that_comes_as_the_poller_rests_and_is_due_in_a_moment_is_not_left(
    world: World, receivers: Receivers, is_paused: bool
) -> None:
    """Its maker's clock is ahead, and saw a poller that lived; no timer comes for hours."""
    if is_paused:
        world.queued("paused")
        pause = {"until": world.timeline.now + 500.0, "code": "x", "message": "", "blocked": True}
        world.bucket.write(layout.model_state(MODEL), json.dumps({"pause": pause}).encode())
    calls, app = Calls(world), poller(world, receivers)
    app.calls = calls
    soon = Entry(int(world.timeline.now * 1000) + 8000, 1, "0" * 12, 1, "cat")
    come = once("put", layout.LEASE, lambda: world.bucket.write(soon.key, b""))
    store_of(app).before.append(come)
    app.poller.run(app.clock.monotonic() + 600.0)
    if calls.made and world.bucket.holds(soon.key):
        assert calls.made[-1][0] <= soon.due_ms / 1000 + 2.0
    else:
        assert not world.bucket.holds(soon.key)


def test_who_announces_something_after_its_lease_is_given_back_wakes_the_next_one() -> None:
    """The answer to a call comes when nobody else is awake any more."""
    world = synchronous()
    world.studio.seconds = LATE
    queued(world, "cat", webhook=URL)
    world.timeline.after(LATE - 10.0, lambda: world.bucket.remove(layout.WAKE))
    app = poller(world, Receivers(world))
    poll(world, 30.0, app)
    assert world.state("cat") == "SUCCEEDED"
    assert world.bucket.keys(layout.OUTBOX), "its own rounds are over"
    assert world.bucket.holds(layout.WAKE)
