"""Synchronous models: called once, recorded before they are fetched, handed over while open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.models import SYNC, Limits
from shared.jobs.billing import price_at_most
from shared.jobs.cancel import NotCancelable
from shared.ledger.lease import POLLER, Timing
from shared.platform.fc.events import TimerEvent
from shared.storage import layout
from shared.storage.objects import ObjectForbidden, StoreError
from tests.kit.hooks import Call
from tests.kit.studio import ScriptedStudio, accept_with, refuse
from tests.kit.world import MODEL, OTHER, World, run, store_of, submit
from tests.simulation.studio import SimTask
from tests.simulation.synchronous import Synchronous
from tests.unit.poller.calling import FAST, LATE, TICK, lose, pause, poll, synchronous


def test_a_job_is_called_and_stored() -> None:
    world = synchronous()
    world.queued("cat")
    world.studio.seconds = 90.0
    assert run(world) == "nothing left"
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "RUNNING", "SUCCEEDED"]
    assert len(world.studio.posts) == 1
    assert world.studio.queries == []
    assert (world.slots(), world.markers(), world.bucket.keys(layout.CALLS)) == ([], [], [])
    assert len(world.manifest("cat")["images"]) == 1
    assert world.app().ledger.durations.of(MODEL)[0] == pytest.approx(90.0, abs=2.0)


def test_the_answer_is_recorded_before_the_first_download() -> None:
    world = synchronous()
    world.queued("cat")
    app, recorded = world.app("poller"), list[bool]()
    session: Any = app.http
    fetch = session.get

    def get(url: str, **options: Any) -> Any:
        recorded.append(world.state("cat") == "RUNNING" and "answer" in world.record("cat"))
        return fetch(url, **options)

    session.get = get
    run(world, app=app)
    assert recorded == [True]


def test_a_download_that_failed_is_tried_again_by_the_next_poller() -> None:
    world = synchronous()
    world.queued("cat")
    first = world.app("first")

    def refuse_images(call: Call) -> None:
        if call.kind == "put" and "/image" in call.key:
            raise StoreError("full")

    store_of(first).before.append(refuse_images)
    run(world, 30.0, app=first)
    assert world.state("cat") == "RUNNING"
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert len(world.studio.posts) == 1
    assert world.studio.queries == []


@pytest.mark.parametrize("http", [0, 500, 503])
def test_a_lost_answer_is_put_before_a_person(http: int) -> None:
    world = synchronous()
    world.queued("cat", parameters={"n": 2})
    world.studio.script.append(refuse("InternalError", http) if http else lose)
    assert run(world) == "nothing left"
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "NEEDS_ATTENTION"]
    error = world.manifest("cat")["error"]
    assert error["code"] == "CallLost"
    assert "2 images" in error["message"]
    assert len(world.studio.posts) == 1
    assert (world.slots(), world.bucket.keys(layout.DOUBTS)) == ([], [])


def test_a_lost_call_is_made_again_where_the_job_asks_for_it() -> None:
    world = synchronous()
    world.queued("cat", on_unknown="resend")
    world.studio.script += [lose, lose]
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert world.record("cat")["attempt"] == 3
    assert len(world.studio.posts) == 3
    manifest = world.manifest("cat")
    price = manifest["price"]
    assert (price["total"], price["images"], price["lost_images"]) == (0.3, 3, 2)
    assert price["at_most"] is True
    assert manifest["usage"]["image_count"] == 1


def test_a_lost_call_that_is_put_before_a_person_may_have_been_billed() -> None:
    world = synchronous()
    world.queued("cat", parameters={"n": 2})
    world.studio.script.append(lose)
    run(world)
    manifest = world.manifest("cat")
    assert (manifest["price"]["total"], manifest["price"]["at_most"]) == (0.2, True)
    assert manifest["usage"] is None
    app = world.app("person")
    app.lost_calls.decide("cat", "failed")
    assert world.manifest("cat")["price"] == manifest["price"]


@pytest.mark.parametrize(
    ("price", "images", "lost"), [(0.1, 1, 4), (0.1, 2, 8), (4.0, 1, 1), (4.0, 2, 0)]
)
def test_the_most_that_a_job_costs_counts_calls_that_are_made_again(
    price: float, images: int, lost: int
) -> None:
    world = synchronous(price=price)
    last = world.queued("cat", on_unknown="resend", parameters={"n": images})
    rules = world.app("intake").rules
    assert last.spec is not None
    for record in (None, last):
        most = price_at_most(rules, last.spec, record)
        assert most is not None
        told = (most["images"], most.get("lost_images", 0), most["total"])
        assert told == (images + lost, lost, pytest.approx(price * (images + lost)))


def test_what_a_call_cost_that_was_lost_counts_in_the_most_that_its_job_costs() -> None:
    world = synchronous()
    world.queued("cat", on_unknown="resend")
    world.studio.script += [lose] * 9
    most: list[float] = []
    app = world.app("poller")
    run(world, app=app)
    for record in app.ledger.records.chain("cat"):
        spec = app.ledger.records.with_spec(record).spec
        price = spec and price_at_most(app.rules, spec, record)
        assert price
        most.append(price["total"])
    assert most == [pytest.approx(0.5)] * len(most)
    assert world.manifest("cat")["price"]["total"] == 0.5


def test_calls_that_are_lost_again_and_again_come_to_an_end() -> None:
    world = synchronous()
    world.queued("cat", on_unknown="resend")
    world.studio.script += [lose] * 9
    run(world)
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert len(world.studio.posts) == world.policy.attempts["after_backoff"]


def test_a_call_that_would_cost_too_much_is_not_made_again() -> None:
    world = synchronous(price=4.0)
    world.queued("cat", on_unknown="resend", parameters={"n": 2})
    world.studio.script.append(lose)
    run(world)
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert len(world.studio.posts) == 1


def test_a_refused_prompt_ends_the_job_and_closes_an_open_breaker() -> None:
    """The service has worked on the call: nothing is wrong with the account."""
    world = synchronous()
    app = world.app("poller")
    pause(world, app)
    world.queued("cat")
    world.studio.script.append(refuse("DataInspectionFailed", 400))
    run(world, app=app)
    assert world.state("cat") == "FAILED"
    assert app.ledger.model_states.get(MODEL).pause is None


def test_too_many_requests_close_no_breaker() -> None:
    world = synchronous()
    app = world.app("poller")
    pause(world, app)
    world.queued("cat")
    world.studio.script += [refuse("Throttling.RateQuota", 429)] * 9
    run(world, 10.0, app=app)
    assert world.studio.posts
    assert app.ledger.breakers.is_open(MODEL)


def test_too_many_requests_cost_nothing() -> None:
    world = synchronous()
    world.queued("cat")
    world.studio.script += [refuse("Throttling.RateQuota", 429)] * 4
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert world.record("cat")["attempt"] == 1
    sent = [post.at for post in world.studio.posts]
    assert sent[-1] - sent[-2] > 2 * (sent[1] - sent[0]), "the pauses become longer"


def test_submit_leaves_calls_to_the_poller_and_wakes_it() -> None:
    world = synchronous()
    app = world.app("submit")
    key = "jobs/dog.json"
    app.store.put(key, json.dumps(_document("dog")).encode())
    app.acceptance.job_file(key)
    assert world.studio.posts == []
    assert world.bucket.holds(layout.WAKE)


def _document(job: str) -> dict[str, Any]:
    pictures = "https://pictures.invalid/"
    urls = {f"{name}_image_url": f"{pictures}{name}.png" for name in ("base", "mask")}
    return {"model": MODEL, "input": {"prompt": "a dog", **urls}, "job": {"id": job}}


def test_an_open_call_cannot_be_canceled_and_that_is_said() -> None:
    world = synchronous()
    world.studio.seconds = 60.0
    world.queued("cat", expires_after="1m")
    said: list[str] = []

    def cancel() -> None:
        with pytest.raises(NotCancelable) as caught:
            world.app("person").cancellation.cancel("cat")
        said.append(str(caught.value))

    world.timeline.after(30.0, cancel)
    run(world)
    assert "a call cannot be canceled" in said[0]
    assert world.state("cat") == "SUCCEEDED", "nor does its time end while the call is open"


@pytest.mark.parametrize("submissions", [2])
@pytest.mark.parametrize(("seconds", "share"), [(1.0, 0.45), (60.0, 0.95)])
def test_nearly_the_whole_rate_is_used_however_late_the_answers(
    submissions: int, seconds: float, share: float
) -> None:
    """A permit returns when a call was written, not when it is answered."""
    world = synchronous(Limits(submissions, seconds, None, 0))
    world.studio.seconds = 4.0 if seconds == 1.0 else LATE
    span, count = 600.0 * seconds / 60.0, 0
    while count < 2 * span * submissions / seconds / 1.9:
        world.queued(f"job-{count:03}")
        count += 1
    run(world, 2 * span, world.app("poller", most_open_calls=16))
    began = world.studio.posts[0].at
    sent = sum(post.at - began <= span for post in world.studio.posts)
    assert sent >= share * span * submissions / seconds


def test_no_more_calls_are_open_than_allowed_over_all_models() -> None:
    world = synchronous()
    world.models = tuple(replace(one, mode=SYNC, limits=FAST) for one in world.models)
    world.studio.synchronous = Synchronous(frozenset({MODEL, OTHER}))
    world.studio.limits = {MODEL: FAST, OTHER: FAST}
    world.studio.seconds, opened = LATE, list[int]()
    for number in range(8):
        world.queued(f"job-{number}", (MODEL, OTHER)[number % 2])
    following = world.app("next", most_open_calls=3)
    world.timeline.after(45.0, lambda: world.timeline.thread(lambda: run(world, 2000.0, following)))
    world.timeline.after(120.0, lambda: opened.append(len(world.studio.posts)))
    poll(world, 30.0, world.app("poller", most_open_calls=3))
    world.timeline.wait(2000.0)
    assert opened == [3], "those of the poller that drains count too"
    assert {world.state(f"job-{number}") for number in range(8)} == {"SUCCEEDED"}
    assert len(world.studio.posts) == 8


def test_who_waits_longest_is_called_next_whichever_its_model() -> None:
    world = synchronous()
    world.models = tuple(replace(one, mode=SYNC, limits=FAST) for one in world.models)
    world.studio.synchronous = Synchronous(frozenset({MODEL, OTHER}))
    world.studio.limits = {MODEL: FAST, OTHER: FAST}
    for number in range(8):
        world.queued(f"job-{number}", (MODEL, OTHER)[number % 2])
        world.timeline.wait(1.0)
    run(world, 2000.0, world.app("poller", most_open_calls=1))
    assert [post.body["model"] for post in world.studio.posts] == [MODEL, OTHER] * 4


def test_calls_of_a_model_that_left_the_catalogue_count_too() -> None:
    """Other code was deployed while they are open."""
    world = synchronous()
    world.models = tuple(replace(one, mode=SYNC, limits=FAST) for one in world.models)
    world.studio.synchronous = Synchronous(frozenset({MODEL, OTHER}))
    world.studio.limits = {MODEL: FAST, OTHER: FAST}
    world.studio.seconds, opened = 2 * LATE, list[int]()
    for number in range(3):
        world.queued(f"old-{number}")

    def deploy() -> None:
        world.models = world.models[1:]
        for number in range(3):
            world.queued(f"new-{number}", OTHER)
        following = world.app("next", most_open_calls=3)
        world.timeline.thread(lambda: run(world, 900.0, following))

    world.timeline.after(45.0, deploy)
    world.timeline.after(120.0, lambda: opened.append(len(world.studio.posts)))
    poll(world, 30.0, world.app("poller", most_open_calls=3))
    world.timeline.wait(900.0)
    assert opened == [3]
    assert {world.state(f"new-{number}") for number in range(3)} == {"SUCCEEDED"}


def test_calls_of_nobody_are_looked_for_in_no_list() -> None:
    world = synchronous()
    world.queued("cat")
    world.studio.script.append(lose)
    listed: list[bool] = []
    world.studio.on_listed = lambda: listed.append(True)
    run(world)
    assert listed == []


def test_a_rebuild_makes_the_slot_of_an_open_call_again() -> None:
    world = synchronous()
    world.studio.seconds = LATE
    world.queued("cat")

    def rebuild() -> None:
        for key in world.slots():
            world.app("person").store.delete(key)
        world.app("person").rebuild.run(from_start=True)
        assert world.held() == [f"{MODEL}/cat~000002"]

    world.timeline.after(30.0, rebuild)
    run(world)
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize("event", [TICK, None])
def test_a_run_that_a_minute_timer_follows_leaves_at_once_while_a_poller_is_at_work(
    event: TimerEvent | None,
) -> None:
    world = World()
    holder = world.app("holder")
    assert holder.ledger.lease.take(POLLER)
    world.timeline.wait(Timing().renew_after)
    app, began = world.app("tick"), world.timeline.now
    word = app.poller.run(app.clock.monotonic() + 600.0, event)
    assert word == "another instance is at work"
    assert world.timeline.now - began < 1.0


def test_a_tick_of_every_minute_takes_over_from_a_poller_that_is_late() -> None:
    world = World()
    assert world.app("holder").ledger.lease.take(POLLER)
    world.timeline.wait(Timing().renew_after + 10.0)
    app = world.app("tick")
    word = app.poller.run(app.clock.monotonic() + 600.0, TICK)
    assert word == "nothing left"


def test_an_image_that_may_not_be_written_holds_up_nobody() -> None:
    world = synchronous()
    for job in ("cat", "dog"):
        world.queued(job)
    app = world.app("poller")

    def forbid(call: Call) -> None:
        if call.kind == "put" and "cat/image" in call.key:
            raise ObjectForbidden("no")

    store_of(app).before.append(forbid)
    run(world, 60.0, app=app)
    assert world.state("dog") == "SUCCEEDED"
    assert world.state("cat") == "RUNNING"


def test_part_of_the_images_is_made_again_by_another_call() -> None:
    world = synchronous()
    world.queued("cat", parameters={"n": 2}, on_partial="retry-failed")
    world.studio.script.append(_half)
    run(world)
    assert world.state("cat") == "SUCCEEDED"
    assert [post.body["parameters"]["n"] for post in world.studio.posts] == [2, 1]
    assert len(world.manifest("cat")["images"]) == 2


def _half(studio: ScriptedStudio, body: Any) -> SimTask:
    task = accept_with()(studio, body)
    task.good = (True, False)
    return task


def test_a_person_who_submits_by_hand_cannot_make_submit_call() -> None:
    """`submit` has no time for a call, whatever its own time-out."""
    world = synchronous()
    world.queued("cat")
    app = world.app("submit")
    app.submission.calls.end_in(600.0)
    assert submit(app, "cat") is not None
    assert world.studio.posts == []
