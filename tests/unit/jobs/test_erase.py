"""Erasing a job: nothing of prompt and pictures stays, and the system goes on with what does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import pytest

from cli.backends.bucket import BucketBackend
from shared.catalogue.files import SCHEMAS, read_schema
from shared.jobs.erase import ANSWER_MAY_COME, AT_WORK, NotErasable
from shared.jobs.intake import Source
from shared.jobs.retry import NotRetryable
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import Call, Hook
from tests.kit.http import ask, failed, token
from tests.kit.world import World, job_file, run, store_of
from tests.unit.jobs.erasing import (
    BY_HAND,
    PROMPT,
    UPLOAD,
    holding,
    jobs_of,
    pictured,
    pictured_world,
    taken,
    with_upload,
)


@pytest.fixture()
def world() -> World:
    return pictured_world()


def test_nothing_of_prompt_and_pictures_stays(world: World) -> None:
    taken(world, pictured("heron"))
    run(world)
    assert world.state("heron") == "SUCCEEDED"
    before = [world.record("heron")["at"], world.manifest("heron")["price"], world.states("heron")]
    assert len(holding(world)) > 2
    reply = ask(world, "POST", "/jobs/heron/erase")
    assert reply.status == 200, reply.text
    assert holding(world) == []
    assert world.bucket.keys("results/heron/") == ["results/heron/result.json"]
    gone = {UPLOAD, "jobs/heron.jsonl", "results/heron/image-1.png"}
    assert gone == set(reply.json["removed"])
    assert not gone & set(world.bucket.keys(""))
    assert reply.json["kept"] == []
    after = [world.record("heron")["at"], world.manifest("heron")["price"], world.states("heron")]
    assert after == before


def test_what_stays_is_in_the_form_of_the_schemas(world: World) -> None:
    from jsonschema import Draft202012Validator

    taken(world, pictured("heron"))
    run(world)
    ask(world, "POST", "/jobs/heron/erase")
    record = Draft202012Validator(read_schema(SCHEMAS / "record.schema.yaml"))
    for key in world.bucket.keys("state/records/heron/"):
        document = json.loads(world.bucket.peek(key))
        assert document["erased"]
        record.validate(document)
    result = Draft202012Validator(read_schema(SCHEMAS / "result.schema.yaml"))
    result.validate(world.manifest("heron"))
    assert world.record("heron")["manifest"] == world.manifest("heron")


def test_fronts_still_show_an_erased_job(world: World) -> None:
    taken(world, pictured("heron", labels={"customer": "17"}))
    run(world)
    seen = ask(world, "GET", "/jobs/heron")
    ask(world, "POST", "/jobs/heron/erase")
    again = ask(world, "GET", "/jobs/heron", If_None_Match=seen.headers["etag"])
    assert again.status == 200, "an erased job is another answer"
    assert (again.json["state"], again.json["images"]) == ("SUCCEEDED", [])
    assert again.json["result"]["erased_at"]
    rows = ask(world, "GET", "/jobs?label=customer:17").json["jobs"]
    assert [(row["job"], row["prompt"], row["images"]) for row in rows] == [("heron", "", [])]
    for path in ("events", "result", "jobfile"):
        assert ask(world, "GET", f"/jobs/heron/{path}").status == 200
    assert BucketBackend(world.app("cli")).status("heron") is not None


def test_a_rebuild_brings_nothing_back(world: World) -> None:
    taken(world, pictured("heron"))
    run(world)
    ask(world, "POST", "/jobs/heron/erase")
    store = world.app("person").store
    store.delete(layout.result("heron"))
    for key in world.bucket.keys(layout.JOBS):
        store.delete(key)
    done = world.app("person").rebuild.run()
    assert (done.damaged, done.manifests_made, done.index_entries_made) == ({}, 1, 1)
    assert holding(world) == []
    assert world.app("person").rebuild.run().manifests_made == 0


def test_an_erased_job_is_not_retried_and_not_paid_for_again(world: World) -> None:
    failed(world, "cat")
    assert ask(world, "POST", "/jobs/cat/erase").status == 200
    reply = ask(world, "POST", "/jobs/cat/retry")
    assert reply.status == 409
    assert "was erased" in reply.json["detail"]
    last = world.app("person").ledger.records.last("cat")
    assert last is not None
    with pytest.raises(NotRetryable):
        world.app("person").retries.retry(last)


def test_the_same_file_again_is_still_the_erased_job(world: World) -> None:
    file = job_file(PROMPT, id="heron")
    intake = world.app("intake").acceptance.intake
    intake.take(file, Source("jobs/heron.json", "ETAG"))
    run(world)
    ask(world, "POST", "/jobs/heron/erase")
    again = intake.take(file, Source("jobs/heron.json", "ETAG"))
    run(world)
    assert [(one.job, one.new, one.violations) for one in again] == [("heron", False, ())]
    assert len(world.studio.posts) == 1


def test_a_job_under_way_is_refused_in_words(world: World) -> None:
    taken(world, pictured("heron"))
    reply = ask(world, "POST", "/jobs/heron/erase")
    assert reply.status == 409
    assert "cancel it" in reply.json["detail"]
    assert UPLOAD in world.bucket.keys("")
    assert ask(world, "POST", "/jobs/nobody/erase").status == 404


@pytest.mark.parametrize("given", [token("submit"), token("read"), token("admin", "team-a-")])
def test_only_an_admin_of_everything_erases(world: World, given: str) -> None:
    failed(world, "team-a-cat")
    assert ask(world, "POST", "/jobs/team-a-cat/erase", given=given).status == 403
    assert holding(world, "prompt of team-a-cat")


def test_a_picture_that_another_job_uses_is_kept_until_that_is_erased(world: World) -> None:
    taken(world, pictured("one"), key="jobs/one.json")
    taken(world, pictured("two"), key="jobs/two.json")
    run(world)
    kept = ask(world, "POST", "/jobs/one/erase").json["kept"]
    assert kept == [{"key": UPLOAD, "why": "two uses it"}]
    assert UPLOAD in world.bucket.keys("")
    assert UPLOAD in ask(world, "POST", "/jobs/two/erase").json["removed"]
    assert UPLOAD not in world.bucket.keys("")


def test_a_picture_that_a_hidden_job_uses_is_kept(world: World) -> None:
    taken(world, pictured("one"), key="jobs/one.json")
    taken(world, pictured("two"), key="jobs/two.json")
    run(world)
    assert ask(world, "POST", "/jobs/two/hide").status == 200
    kept = ask(world, "POST", "/jobs/one/erase").json["kept"]
    assert kept == [{"key": UPLOAD, "why": "two uses it"}]
    assert UPLOAD in world.bucket.keys("")


def test_a_job_made_since_the_last_look_keeps_its_picture(world: World) -> None:
    taken(world, pictured("one"), key="jobs/one.json")
    run(world)
    erasure = world.app("person").erasure
    failed(world, "other")
    erasure.erase("other")
    taken(world, pictured("three"), key="jobs/three.json")
    run(world)
    assert erasure.erase("one").kept == {UPLOAD: "three uses it"}


def test_where_too_many_jobs_may_use_a_picture_nothing_is_erased_for_who_waits(
    world: World,
) -> None:
    taken(world, pictured("cat"))
    run(world)
    with_upload(world, BY_HAND)
    taken(world, pictured("dog", BY_HAND), key="jobs/dog.jsonl")
    erasure, before = world.app("person").erasure, world.bucket.keys("")
    with pytest.raises(NotErasable, match="more than 1 jobs"):
        replace(erasure, most_jobs=1).erase("cat")
    assert world.bucket.keys("") == before
    assert UPLOAD in replace(erasure, most_jobs=2).erase("cat").removed


def test_a_picture_put_there_by_hand_goes_only_if_asked_for(world: World) -> None:
    with_upload(world, BY_HAND)
    taken(world, pictured("heron", base=BY_HAND))
    run(world)
    kept = ask(world, "POST", "/jobs/heron/erase").json["kept"]
    assert [one["key"] for one in kept] == [BY_HAND]
    taken(world, pictured("other", base=BY_HAND), key="jobs/other.json")
    run(world)
    assert BY_HAND in ask(world, "POST", "/jobs/other/erase?inputs=all").json["removed"]
    assert ask(world, "POST", "/jobs/other/erase?inputs=some").status == 400


@pytest.mark.parametrize(
    "key",
    [
        "uploads/" + "a" * 2000,
        "uploads/../state/records/cat/000001.json",
        "state/records/cat/000001.json",
        "uploads/",
        "uploads/a\nb",
        "uploads/x\ud83d",
        "jobs/cat.json",
    ],
)
@pytest.mark.parametrize("inputs", ["", "?inputs=all"])
def test_what_is_no_picture_of_a_job_is_never_removed(world: World, key: str, inputs: str) -> None:
    failed(world, "cat")
    before = {one for one in world.bucket.keys("") if "cat" in one}
    document = pictured("heron", base=key)
    document["parameters"] = {"n": PROMPT}
    body = json.dumps(document).encode()
    world.app("intake").acceptance.intake.take(body, Source("http/job.json", "E"))
    made = next(job for job in jobs_of(world) if job != "cat")
    reply = ask(world, "POST", f"/jobs/{made}/erase{inputs}")
    assert (reply.status, reply.json["removed"]) == (200, []), reply.text
    assert before <= set(world.bucket.keys(""))
    assert holding(world) == []


RESULT = f"{layout.RESULTS}heron/image-1.png"


def test_an_image_stays_that_a_job_still_needs(world: World) -> None:
    taken(world, pictured("heron"))
    run(world)
    with_upload(world, RESULT)
    taken(world, pictured("wren", base=RESULT), key="jobs/wren.jsonl")
    reply = ask(world, "POST", "/jobs/heron/erase").json
    assert {"key": RESULT, "why": "wren uses it"} in reply["kept"]
    assert RESULT not in reply["removed"]
    run(world)
    assert world.state("wren") == "SUCCEEDED"
    assert RESULT in ask(world, "POST", "/jobs/wren/erase").json["removed"]


def test_an_image_that_a_job_used_goes_and_one_of_a_job_that_is_not_erased_stays(
    world: World,
) -> None:
    taken(world, pictured("heron"))
    run(world)
    with_upload(world, RESULT)
    for job in ("wren", "owl"):
        taken(world, pictured(job, base=RESULT), key=f"jobs/{job}.jsonl")
    run(world)
    (kept,) = ask(world, "POST", "/jobs/wren/erase").json["kept"]
    assert (kept["key"], "another job" in kept["why"]) == (RESULT, True)
    assert RESULT in ask(world, "POST", "/jobs/heron/erase").json["removed"]


def test_where_too_many_jobs_wait_no_image_is_erased_for_who_waits(world: World) -> None:
    taken(world, pictured("heron"))
    run(world)
    with_upload(world, RESULT)
    for job in ("wren", "owl"):
        taken(world, pictured(job, base=RESULT), key=f"jobs/{job}.jsonl")
    before = world.bucket.keys("")
    with pytest.raises(NotErasable, match="More than 1 jobs wait"):
        replace(world.app("person").erasure, most_jobs=1).erase("heron", all_inputs=True)
    assert world.bucket.keys("") == before


def test_interrupted_anywhere_the_same_call_goes_on(world: World) -> None:
    """However many steps it got to, the next call erases the rest."""
    taken(world, pictured("heron"))
    run(world)
    steps = 0
    while holding(world):
        app = world.app(f"person {steps}")
        store_of(app).before.append(_stopping_after(steps))
        try:
            app.erasure.erase("heron")
        except StoreError:
            steps += 1
        assert steps < 40
    assert steps >= 3, "it was interrupted"
    last = world.app("person").ledger.records.last("heron")
    assert last is not None
    assert last.erased
    assert world.record("heron")["manifest"] == world.manifest("heron")


def _stopping_after(steps: int) -> Hook:
    """Lets so many writes and deletions through, and no other."""
    done = count()

    def stop(call: Call) -> None:
        if call.kind in ("put", "delete", "create") and next(done) >= steps:
            raise StoreError("lost")

    return stop


def test_an_instance_that_is_late_brings_nothing_back(world: World) -> None:
    """It has read the last record before, and repeats what that says."""
    taken(world, pictured("heron"))
    run(world)
    late = world.app("late")
    last = late.ledger.records.last("heron")
    assert last is not None
    ask(world, "POST", "/jobs/heron/erase")
    late.transitions.complete(last)
    assert holding(world) == []
    assert world.manifest("heron")["erased_at"]


@dataclass
class AtStep:
    """Does something right before one request of an instance."""

    step: int
    act: Callable[[], object]
    seen: int = 0

    def __call__(self, call: Call) -> None:
        self.seen += 1
        if self.seen == self.step:
            self.act()


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("late_comes_between", [False, True])
def test_erased_while_another_instance_writes_the_manifest_nothing_stays(
    changed: bool, late_comes_between: bool
) -> None:
    """Whichever step of the one the other comes before. `changed`: what lies there is another."""
    for step in count(1):
        world = World()
        with_upload(world)
        taken(world, pictured("heron"))
        run(world)
        late, erasing = world.app("late"), world.app("person")
        last = late.ledger.records.last("heron")
        assert last is not None
        if changed:
            late.store.put(layout.result("heron"), b"{}")
        writes: Callable[[], object] = partial(late.transitions.complete, last)
        erases: Callable[[], object] = partial(erasing.erasure.erase, "heron")
        first, other = (writes, erases) if late_comes_between else (erases, writes)
        between = AtStep(step, first)
        store_of(erasing if late_comes_between else late).before.append(between)
        other()
        if between.seen < step:
            break
        assert holding(world) == [], step
    assert step > 3


def test_of_a_job_that_ended_just_now_an_image_may_come_late(world: World) -> None:
    """From an instance that still works on it; the same call finds that image later."""
    taken(world, pictured("heron"))
    run(world)
    said = ask(world, "POST", "/jobs/heron/erase").json["remains"]
    assert any("erase the job again" in text for text in said)
    late = f"{layout.RESULTS}heron/image-1.png"
    world.app("late").store.put(late, b"an image")
    world.timeline.wait(AT_WORK)
    again = ask(world, "POST", "/jobs/heron/erase").json
    assert again["removed"] == [late]
    assert not any("erase the job again" in text for text in again["remains"])


def test_retries_are_named(world: World) -> None:
    failed(world, "cat")
    ask(world, "POST", "/jobs/cat/retry")
    run(world)
    assert ask(world, "POST", "/jobs/cat/erase").json["retries"] == ["cat-retry-1"]
    assert ask(world, "POST", "/jobs/cat-retry-1/erase").json["retries"] == []


def test_a_lost_call_is_erased_once_its_answer_cannot_come(world: World) -> None:
    failed(world, "cat")
    app = world.app("person")
    last = app.ledger.records.last("cat")
    assert last is not None
    attention = {**world.record("cat"), "state": "NEEDS_ATTENTION", "call": True}
    key = layout.record("cat", last.seq)
    app.store.put(key, json.dumps(attention).encode())
    with pytest.raises(NotErasable, match="may still come"):
        app.erasure.erase("cat")
    world.timeline.wait(ANSWER_MAY_COME)
    assert app.erasure.erase("cat").job == "cat"
