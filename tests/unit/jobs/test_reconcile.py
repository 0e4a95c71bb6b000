"""Attempts whose outcome is not known: adopted, queued again, or put before a person."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import requests

from shared.catalogue.models import Limits
from shared.jobs.reconcile import BLIND
from shared.ledger.lease import POLLER
from shared.modelstudio.client import ServiceError
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.doubt import GRACE, in_doubt, resolve, resolve_for_long
from tests.kit.hooks import Killed, die, fail, once
from tests.kit.studio import UNREACHABLE, accept_with, lose_answer
from tests.kit.world import MODEL, OTHER, World, model, run, store_of, submit
from tests.simulation.studio import SimTask
from tests.simulation.wire import SimAnswer

CREATE_TIMEOUT = 30.0
DAY = 24 * 3600.0
FAR = 300.0
"""Seconds between a task of nobody we know and an attempt; one list shows both."""
FIRST_TASK = 8.0
"""Seconds until a first task has failed and is recorded."""


@pytest.fixture()
def world() -> World:
    return World(models=(model(limits=Limits(5, 1, 4, 0)),))


def test_the_one_unknown_task_is_adopted(world: World) -> None:
    in_doubt(world, "cat", made=True)
    resolve(world, "cat")
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "SUBMITTING", "PENDING"]
    record = world.record("cat")
    assert record["task_id"] == "task-1"
    assert record["submitted_at"] < record["at"], "the service's 24 hours count from the POST"
    assert world.markers() == []
    assert world.held() == [f"{MODEL}/cat~000002"]


def test_it_is_found_under_the_id_that_the_region_knows(world: World) -> None:
    world.models = (replace(world.models[0], ids={"cn-beijing": "brush-of-beijing"}),)
    in_doubt(world, "cat", made=True)
    resolve(world, "cat")
    assert world.studio.posts[0].body["model"] == "brush-of-beijing"
    assert world.record("cat")["task_id"] == "task-1"


def test_the_tasks_of_other_jobs_are_no_candidates(world: World) -> None:
    world.queued("dog")
    submit(world.app(), "dog")
    world.timeline.wait(2)
    in_doubt(world, "cat", made=True)
    world.queued("cow")
    submit(world.app(), "cow")
    resolve(world, "cat")
    assert world.record("cat")["task_id"] == "task-2"


def test_where_another_program_uses_the_account_a_person_decides(world: World) -> None:
    world.studio.make(MODEL)
    world.timeline.wait(60)
    in_doubt(world, "cat", made=True)
    resolve(world, "cat")
    assert world.state("cat") == "SUBMITTING", "the one task at the right time may be theirs"
    world.timeline.wait(GRACE)
    resolve(world, "cat")
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert "task-2" in world.manifest("cat")["error"]["message"]


def test_no_task_is_waited_for_until_the_grace_is_over(world: World) -> None:
    in_doubt(world, "cat", made=False)
    world.timeline.wait(BLIND * GRACE - 5)
    resolve(world, "cat")
    assert world.state("cat") == "SUBMITTING"
    world.timeline.wait(10)
    resolve(world, "cat")
    assert world.state("cat") == "SUBMITTING", "one empty list is not believed"
    resolve_for_long(world, "cat")
    assert world.state("cat") == "QUEUED"
    record = world.record("cat")
    assert record["error"]["code"] == "NoTaskMade"
    assert record["attempt"] == 1
    assert (world.markers(), world.slots()) == (["cat"], [])
    assert len(world.studio.posts) == 1


def test_a_list_that_shows_a_later_task_of_ours_is_believed_after_the_grace(world: World) -> None:
    in_doubt(world, "cat", made=False)
    world.timeline.wait(CREATE_TIMEOUT + 5)
    world.queued("dog")
    submit(world.app(), "dog")
    world.timeline.wait(GRACE - CREATE_TIMEOUT - 10)
    resolve(world, "cat")
    assert world.state("cat") == "SUBMITTING"
    world.timeline.wait(10)
    resolve(world, "cat")
    assert world.record("cat")["error"]["code"] == "NoTaskMade"


def test_a_list_may_show_a_task_that_was_made_at_the_same_time_sooner(world: World) -> None:
    in_doubt(world, "cat", made=True)
    world.studio.tasks["task-1"].listed_from = world.timeline.now + 2 * GRACE
    world.queued("dog")
    submit(world.app(), "dog")
    world.timeline.wait(GRACE + 10)
    resolve_for_long(world, "cat")
    assert world.record("cat")["task_id"] == "task-1"


def test_an_empty_list_is_not_believed_where_the_job_had_a_task_before(world: World) -> None:
    """Nor where what pollers remember of the model is lost."""
    world.queued("cat")
    world.studio.script.extend([accept_with("FAILED", code="InternalError"), lose_answer])
    submit(world.app("first"), "cat")
    run(world, FIRST_TASK)
    world.bucket.remove(layout.model_state(MODEL))
    submit(world.app("second"), "cat")
    world.studio.task_list.lag = DAY
    world.timeline.wait(BLIND * GRACE)
    resolve_for_long(world, "cat")
    assert world.state("cat") == "SUBMITTING", "the list does not even show the first task"
    world.studio.task_list.lag = 0.0
    resolve(world, "cat")
    assert world.record("cat")["task_id"] == "task-2"


def test_an_empty_list_is_not_believed_after_one_that_showed_a_task(world: World) -> None:
    world.studio.make(MODEL)
    world.timeline.wait(FAR)
    in_doubt(world, "cat", made=True)
    world.studio.tasks["task-2"].listed_from = world.timeline.now + DAY
    app = world.app("resolver")
    resolve(app, "cat")
    world.studio.task_list.lag = DAY
    world.timeline.wait(BLIND * GRACE)
    for _ in range(3):
        resolve(app, "cat")
        world.timeline.wait(GRACE)
    assert world.state("cat") == "SUBMITTING", "the other task cannot have gone"


@pytest.mark.parametrize("later", [6.0, 40.0, 100.0])
def test_another_programs_task_is_not_adopted(world: World, later: float) -> None:
    in_doubt(world, "cat", made=False)
    world.timeline.wait(later)
    world.studio.make(MODEL)
    world.timeline.wait(1)
    resolve(world, "cat")
    assert world.state("cat") == "SUBMITTING"
    world.timeline.wait(BLIND * GRACE)
    resolve_for_long(world, "cat")
    assert world.state("cat") == ("NEEDS_ATTENTION" if later < CREATE_TIMEOUT else "QUEUED")
    assert world.record("cat").get("task_id") is None


def test_an_attempt_in_doubt_for_a_day_ends_and_frees_its_place(world: World) -> None:
    in_doubt(world, "cat", made=False)
    world.studio.refusal = UNREACHABLE
    world.timeline.wait(DAY)
    resolve(world, "cat")
    assert world.manifest("cat")["error"]["code"] == "SubmissionUnclear"
    assert world.slots() == []


@pytest.mark.parametrize("made", [0, 10**400])
def test_a_task_that_is_listed_with_no_possible_time_is_not_a_missing_one(
    world: World, made: int
) -> None:
    in_doubt(world, "cat", made=True)
    row = {"task_id": "task-1", "status": "RUNNING", "gmt_create": made}
    listed = {"data": [row], "total_page": 1, "total": 1}
    world.studio.answered[""] = SimAnswer(200, json.dumps(listed).encode())
    run(world, 2 * BLIND * GRACE)
    assert (world.state("cat"), len(world.studio.posts)) == ("SUBMITTING", 1)
    world.studio.answered.clear()
    run(world)
    assert (world.state("cat"), len(world.studio.posts)) == ("SUCCEEDED", 1)


def test_a_task_listed_late_is_adopted_within_the_grace(world: World) -> None:
    in_doubt(world, "cat", made=False)
    resolve(world, "cat")
    world.studio.make(MODEL)
    world.timeline.wait(30)
    resolve(world, "cat")
    assert world.state("cat") == "PENDING"


def test_several_candidates_are_put_before_a_person(world: World) -> None:
    in_doubt(world, "cat", made=True)
    world.studio.make(MODEL)
    resolve(world, "cat")
    assert world.state("cat") == "SUBMITTING", "one of them may still turn out to be another job's"
    world.timeline.wait(GRACE)
    resolve(world, "cat")
    assert world.state("cat") == "NEEDS_ATTENTION"
    error = world.manifest("cat")["error"]
    assert error["code"] == "SubmissionUnclear"
    assert "task-1" in error["message"]
    assert "task-2" in error["message"]
    assert world.slots() == []
    assert len(world.studio.posts) == 1


def test_with_another_job_in_doubt_nobody_adopts(world: World) -> None:
    in_doubt(world, "cat", made=False)
    in_doubt(world, "dog", made=True)
    for job in ("cat", "dog"):
        resolve(world, job)
        assert world.state(job) == "SUBMITTING", "the one task may be either job's"


def test_an_attempt_of_a_dead_holder_is_resolved_by_the_next_one(world: World) -> None:
    world.queued("cat")
    app = world.app()
    store_of(app).before.append(once("create", "records/cat/000003", die))
    with pytest.raises(Killed):
        submit(app, "cat")
    resolve(world, "cat")
    assert world.record("cat")["task_id"] == "task-1"


def test_an_attempt_of_its_own_epoch_is_given_the_time_of_a_request(world: World) -> None:
    """Its answer may still be on its way."""
    world.queued("cat")
    app = world.app("poller")
    assert app.ledger.lease.take(POLLER)
    last = app.ledger.records.last("cat")
    assert last is not None
    store_of(app).before.append(once("create", "records/cat/000003", fail))
    with pytest.raises(StoreError):
        app.submission.submit(last, 2.5)
    for wait, state in ((40, "SUBMITTING"), (10, "PENDING")):
        world.timeline.wait(wait)
        assert app.ledger.lease.renew()
        now = app.ledger.records.last("cat")
        assert now is not None
        app.poller.follower.reconciliation.resolve(now)
        assert world.state("cat") == state


def test_an_attempt_of_a_newer_epoch_is_left_alone(world: World) -> None:
    """Its holder lives; the one that looks was frozen and has not noticed."""
    old, new = world.app("old"), world.app("new")
    assert old.ledger.lease.take(POLLER)
    world.queued("cat")
    world.timeline.wait(old.ledger.timing.dead_after + 1)
    assert new.ledger.lease.take(POLLER)
    world.studio.script.append(lose_answer)
    world.timeline.wait(GRACE)  # the permits of a holder that died count as spent
    assert new.ledger.lease.renew()
    last = new.ledger.records.last("cat")
    assert last is not None
    new.submission.submit(last, 2.5)
    world.timeline.wait(BLIND * GRACE)
    last = old.ledger.records.last("cat")
    assert last is not None and last.unknown is not None
    assert old.poller.follower.reconciliation.resolve(last) == last
    assert world.state("cat") == "SUBMITTING"


def test_an_attempt_that_had_claimed_its_task_when_its_instance_died_is_adopted(
    world: World,
) -> None:
    """The claim tells its task even from others of the same second."""
    in_doubt(world, "cat", made=True)
    victim = world.app("victim")
    store_of(victim).before.append(once("create", "records/cat/000004", die))
    with pytest.raises(Killed):
        resolve(victim, "cat")
    assert world.bucket.keys(layout.TASKS) == [layout.task("task-1")]
    world.studio.make(MODEL).created = world.studio.tasks["task-1"].created
    resolve(world, "cat")
    assert world.record("cat")["task_id"] == "task-1"


def test_a_list_that_cannot_be_had_changes_nothing(world: World) -> None:
    in_doubt(world, "cat", made=True)
    world.studio.refusal = UNREACHABLE
    with pytest.raises(ServiceError):
        resolve(world, "cat")
    assert world.state("cat") == "SUBMITTING"


def test_two_in_doubt_far_apart_each_adopt_their_own(world: World) -> None:
    in_doubt(world, "cat", made=True, pause=10.0)
    in_doubt(world, "dog", made=True)
    for job in ("dog", "cat"):
        resolve(world, job)
    assert [world.record(job)["task_id"] for job in ("cat", "dog")] == ["task-1", "task-2"]


def test_two_in_doubt_close_together_are_told_apart_by_their_order(world: World) -> None:
    in_doubt(world, "cat", made=True, pause=0.1)
    in_doubt(world, "dog", made=True)
    first, second = (world.studio.tasks[name].created for name in ("task-1", "task-2"))
    assert second - first < 1.5
    resolve(world, "dog")
    assert world.record("dog")["task_id"] == "task-2"
    resolve(world, "cat")
    assert world.record("cat")["task_id"] == "task-1"


def test_one_task_of_two_in_doubt_far_apart_lets_the_other_go_round_again(world: World) -> None:
    in_doubt(world, "cat", made=False, pause=10.0)
    in_doubt(world, "dog", made=True)
    world.timeline.wait(BLIND * GRACE)
    resolve_for_long(world, "cat")
    assert world.state("cat") == "QUEUED", "the one task cannot be cat's"
    resolve(world, "dog")
    assert world.record("dog")["task_id"] == "task-1"


def test_whoever_decides_for_themselves_is_asked(world: World) -> None:
    in_doubt(world, "cat", made=True)
    world.timeline.wait(GRACE)
    resolve(world.app("resolver", unknown_policy="ask"), "cat")
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert "task-1" in world.manifest("cat")["error"]["message"]
    assert world.slots() == []


def test_asked_even_where_no_task_is_listed(world: World) -> None:
    in_doubt(world, "cat", made=False)
    world.timeline.wait(GRACE)
    run(world, app=world.app("poller", unknown_policy="ask"))
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert "none" in world.manifest("cat")["error"]["message"]
    assert len(world.studio.posts) == 1


def test_two_resolvers_adopt_once(world: World) -> None:
    in_doubt(world, "cat", made=True)
    first = world.app("first")
    frozen = once("create", "records/cat/000004", lambda: resolve(world, "cat"))
    store_of(first).before.append(frozen)
    assert resolve(first, "cat") is None
    assert world.states("cat") == ["QUEUED", "SUBMITTING", "SUBMITTING", "PENDING"]


def test_after_the_second_attempt_the_first_ones_task_is_known(world: World) -> None:
    """A job queued again by mistake of the list must not adopt another job's task."""
    in_doubt(world, "cat", made=False)
    world.timeline.wait(BLIND * GRACE)
    resolve_for_long(world, "cat")
    world.studio.script.append(lose_answer)
    submit(world.app("again"), "cat")
    resolve(world, "cat")
    record = world.record("cat")
    assert (record["state"], record["attempt"], record["task_id"]) == ("PENDING", 2, "task-1")


def test_a_job_put_before_a_person_keeps_its_candidate_from_the_others(world: World) -> None:
    in_doubt(world, "cat", made=True, pause=0.2)
    in_doubt(world, "dog", made=False)
    world.timeline.wait(GRACE)
    for job in ("cat", "dog", "dog"):
        resolve(world, job)
    assert world.state("cat") == "NEEDS_ATTENTION"
    assert world.record("dog").get("task_id") is None, "dog has taken the task made for cat"


def test_a_task_whose_sender_is_slow_to_write_it_down_is_nobody_elses(world: World) -> None:
    in_doubt(world, "cat", made=False, pause=0.1)
    world.queued("dog")
    frozen = world.app("frozen")
    store_of(frozen).before.append(
        once("create", "records/dog/000003", lambda: resolve(world, "cat"))
    )
    submit(frozen, "dog")
    assert world.state("cat") == "SUBMITTING", "cat has taken the task made for dog"
    assert world.record("dog")["task_id"] == "task-1"
    world.timeline.wait(BLIND * GRACE)
    resolve_for_long(world, "cat")
    assert world.state("cat") == "QUEUED"


def test_a_given_up_attempt_keeps_its_possible_task_from_others(world: World) -> None:
    """The list was far behind, so cat was queued again; then it shows the task of cat."""
    in_doubt(world, "cat", made=True, pause=0.1)
    in_doubt(world, "dog", made=False)
    world.studio.tasks["task-1"].listed_from = world.timeline.now + (BLIND + 1) * GRACE + 10
    world.timeline.wait(BLIND * GRACE)
    resolve_for_long(world, "cat")
    assert world.state("cat") == "QUEUED"
    world.timeline.wait(20)
    resolve(world, "dog")
    assert world.record("dog").get("task_id") is None, "dog has taken the task made for cat"
    assert world.state("dog") == "NEEDS_ATTENTION"


@pytest.mark.parametrize("made", [True, False])
def test_a_job_that_is_never_answered_is_put_before_a_person_and_holds_up_nobody(
    made: bool,
) -> None:
    """Each attempt may have a task that no list shows: there is a bound to what they cost."""
    world = World(models=(model(price=0.2), model(OTHER)))
    world.studio.list_lag = 1e9 if made else 0.0
    accept, sent = world.studio.accept, list[float]()

    def lose(body: dict[str, dict[str, str]]) -> SimTask:
        if "odd" not in body["input"]["prompt"]:
            return accept(body)
        sent.append(world.timeline.now)
        if made:
            accept(body)
        raise requests.ReadTimeout

    world.studio.accept = lose  # type: ignore[method-assign,assignment]
    world.queued("odd", prompt="odd one")
    if not made:
        world.queued("good", prompt="good one")
    run(world, 6 * 3600)
    assert world.state("odd") == "NEEDS_ATTENTION"
    assert len(sent) == world.policy.attempts["after_backoff"]
    if not made:
        assert world.state("good") == "SUCCEEDED"


def test_no_attempt_is_made_that_may_cost_more_than_a_job_may() -> None:
    world = World(models=(model(price=4.0), model(OTHER)))
    world.studio.list_lag = 1e9
    world.studio.script += [lose_answer] * 9
    world.queued("odd")
    run(world, 6 * 3600)
    assert world.state("odd") == "NEEDS_ATTENTION"
    assert 4.0 * len(world.studio.posts) <= world.policy.most_price
