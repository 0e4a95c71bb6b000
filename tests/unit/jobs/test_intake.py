"""Taking in job files: every document becomes a queued job or a rejection, exactly once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.app import App
from shared.jobs.intake import IntakeOutcome
from shared.ledger.lease import POLLER, SUBMIT
from shared.platform.webhook_settings import read_webhooks
from shared.storage import layout
from shared.storage.objects import StoreError
from tests.kit.hooks import Killed, die, fail, once
from tests.kit.jobfile import image
from tests.kit.world import MODEL, OTHER, World, job_file, model, run, store_of

FILE = "jobs/cat.yaml"
IN_BUCKET = f"""
model: {MODEL}
input:
  prompt: a cat
  base_image_url: oss:///inputs/cat.png
  mask_image_url: oss:///inputs/mask.png
"""


@pytest.fixture()
def world() -> World:
    return World()


def drop(
    world: World, body: bytes | str, key: str = FILE, app: App | None = None
) -> list[IntakeOutcome]:
    """Put a job file into the bucket and deliver its event."""
    world.bucket.write(key, body.encode() if isinstance(body, str) else body)
    return deliver(world, key, app)


def deliver(world: World, key: str = FILE, app: App | None = None) -> list[IntakeOutcome]:
    return (app or world.app("submit")).acceptance.job_file(key)


def one(taken: list[IntakeOutcome]) -> str:
    assert len(taken) == 1
    return taken[0].job


def add_images(world: World) -> None:
    for name, mode in (("cat", "RGB"), ("mask", "L")):
        world.bucket.write(f"inputs/{name}.png", image("PNG", (300, 300), mode))


def test_a_lone_job_is_submitted_at_once_and_somebody_polls(world: World) -> None:
    job = one(drop(world, job_file(), "jobs/my cat.json"))
    assert job.startswith("my-cat-")
    assert world.states(job) == ["QUEUED", "SUBMITTING", "PENDING"]
    assert world.bucket.holds(layout.WAKE)


def test_a_living_poller_is_not_woken(world: World) -> None:
    assert world.app("poller").ledger.lease.take(POLLER)
    drop(world, job_file(), "jobs/cat.json")
    assert not world.bucket.holds(layout.WAKE)


def test_a_full_model_keeps_a_new_job_queued(world: World) -> None:
    drop(world, job_file(id="cat"), "jobs/cat.json")
    drop(world, job_file(id="dog"), "jobs/dog.json")
    assert (world.states("dog"), len(world.studio.posts)) == (["QUEUED"], 1)
    assert world.held() == [f"{MODEL}/cat~000002"]


@pytest.mark.parametrize("kind", [POLLER, SUBMIT])
def test_whoever_holds_the_lease_sends_the_new_job(world: World, kind: str) -> None:
    assert world.app("other").ledger.lease.take(kind)
    job = one(drop(world, job_file(), "jobs/cat.json"))
    assert (world.states(job), world.studio.posts) == (["QUEUED"], [])


def test_the_lease_is_given_back_after_a_submission(world: World) -> None:
    drop(world, job_file(), "jobs/cat.json")
    assert world.bucket.keys(layout.LEASE)
    assert world.lease_is_free()


def test_the_lease_is_given_back_after_a_submission_that_failed(world: World) -> None:
    world.bucket.write("jobs/cat.json", job_file())
    app = world.app()
    store_of(app).before.append(once("create", layout.SLOTS, fail))
    with pytest.raises(StoreError):
        app.acceptance.job_file("jobs/cat.json")
    assert world.lease_is_free()


def test_nobody_is_overtaken(world: World) -> None:
    world.queued("first", priority=5)
    job = one(drop(world, job_file(priority=9), "jobs/cat.json"))
    assert world.states(job) == ["QUEUED"]
    assert world.studio.posts == []


def test_the_same_event_twice_is_one_job(world: World) -> None:
    (first,) = drop(world, job_file(), "jobs/cat.json")
    (second,) = deliver(world, "jobs/cat.json")
    assert (first.job, first.new, second.job, second.new) == (first.job, True, first.job, False)
    assert len(world.studio.posts) == 1
    assert len(world.bucket.keys(layout.RECORDS)) == 3


def test_the_same_content_under_another_key_is_another_job(world: World) -> None:
    first = one(drop(world, job_file(), "jobs/cat.json"))
    assert one(drop(world, job_file(), "jobs/b/cat.json")) != first


@pytest.mark.parametrize(("kind", "where"), [("create", "records"), ("create", "queue")])
def test_killed_while_taking_in_the_repeated_event_does_the_rest(
    world: World, kind: str, where: str
) -> None:
    victim = world.app("victim")
    store_of(victim).after.append(once(kind, where, die))
    with pytest.raises(Killed):
        drop(world, job_file(), "jobs/cat.json", victim)
    job = one(deliver(world, "jobs/cat.json"))
    assert world.state(job) == "PENDING"


def test_a_store_in_trouble_has_the_event_delivered_again(world: World) -> None:
    app = world.app()
    store_of(app).before.append(once("create", "records", fail))
    with pytest.raises(StoreError):
        drop(world, job_file(), "jobs/cat.json", app)
    assert world.state(one(deliver(world, "jobs/cat.json"))) == "PENDING"


def test_a_file_that_vanished_is_no_job(world: World) -> None:
    assert deliver(world, "jobs/gone.json") == []
    assert not world.bucket.keys("state/")


def test_what_is_wrong_is_written_beside_the_results_with_line_and_place(world: World) -> None:
    add_images(world)
    job = one(drop(world, IN_BUCKET.replace("a cat", '""')))
    assert world.states(job) == ["REJECTED"]
    manifest = world.manifest(job)
    assert manifest["state"] == "REJECTED"
    (violation,) = manifest["violations"]
    assert (violation["pointer"], violation["line"]) == ("/input/prompt", 4)
    assert manifest["source"] == {"key": FILE, "etag": violation_etag(world), "document": 1}
    assert world.markers() == []
    assert world.studio.posts == []


def violation_etag(world: World) -> str:
    return world.bucket.objects[FILE].etag


def test_a_rejected_file_dropped_again_once_its_image_is_there_is_queued(world: World) -> None:
    job = one(drop(world, IN_BUCKET))
    assert world.states(job) == ["REJECTED"]
    assert "/input/base_image_url" in {v["pointer"] for v in world.manifest(job)["violations"]}
    add_images(world)
    assert one(deliver(world)) == job
    assert world.states(job) == ["REJECTED", "QUEUED", "SUBMITTING", "PENDING"]
    assert (
        world.studio.posts[0]
        .body["input"]["base_image_url"]
        .startswith("https://bucket.invalid/inputs/cat.png")
    )


def test_a_rejection_delivered_again_is_one_rejection(world: World) -> None:
    job = one(drop(world, IN_BUCKET))
    deliver(world)
    assert world.states(job) == ["REJECTED"]
    (taken,) = deliver(world)
    assert taken.violations
    assert not taken.new


def test_a_rejection_for_another_reason_comes_beside_the_first(world: World) -> None:
    job = one(drop(world, IN_BUCKET))
    before = world.manifest(job)
    world.bucket.write("inputs/cat.png", image("PNG", (300, 300)))
    for _ in range(2):
        beside = one(deliver(world))
        assert beside.startswith(f"{job}-")
        assert world.states(beside) == ["REJECTED"]
        violations = world.manifest(beside)["violations"]
        assert [v["pointer"] for v in violations] == ["/input/mask_image_url"]
    assert (world.states(job), world.manifest(job)) == (["REJECTED"], before)


@pytest.mark.parametrize("own_id", ["", "job: {id: felix}\n"], ids=["derived id", "own id"])
def test_a_late_repeat_of_the_event_leaves_a_job_under_way_alone(world: World, own_id: str) -> None:
    add_images(world)
    job = one(drop(world, IN_BUCKET + own_id))
    assert world.state(job) == "PENDING"
    world.bucket.remove("inputs/cat.png")
    (again,) = deliver(world)
    assert world.state(job) == "PENDING"
    assert again.job == job
    assert not again.violations
    assert not world.bucket.keys(layout.RESULTS)


@pytest.mark.parametrize(
    "other",
    [
        {"labels": {"a": "c"}},
        {"priority": 1},
        {"expires_after": "2h"},
        {"on_partial": "retry-failed"},
        {"on_unknown": "resend"},
        {"webhook": "https://hooks.example.com/b"},
        {"labels": {}},
    ],
)
def test_another_option_under_an_id_that_is_taken_is_refused(
    world: World, other: dict[str, Any]
) -> None:
    hooks = {"WEBHOOK_KEY": "k" * 32}
    app = world.app("submit", webhooks=read_webhooks(hooks))
    mine = {"id": "felix", "labels": {"a": "b"}}
    assert one(drop(world, job_file("a cat", **mine), app=app)) == "felix"
    assert one(drop(world, job_file("a cat", **mine), "jobs/same.json", app=app)) == "felix"
    (clash,) = drop(world, job_file("a cat", **{**mine, **other}), "jobs/two.json", app=app)
    (violation,) = clash.violations
    (name,) = other
    assert clash.job.startswith("two-")
    assert violation.pointer == f"/job/{name}"
    assert (
        f"belongs to a job that asks for the same images with another {name}" in violation.message
    )


def test_an_id_of_another_job_is_refused_under_a_derived_id(world: World) -> None:
    one(drop(world, job_file("a cat", id="felix"), "jobs/one.json"))
    (clash,) = drop(world, job_file("a dog", id="felix"), "jobs/two.json")
    assert clash.job.startswith("two-")
    assert clash.violations[0].pointer == "/job/id"
    assert "felix" in clash.violations[0].message
    assert world.states(clash.job) == ["REJECTED"]
    assert world.state("felix") == "PENDING"
    assert not world.bucket.holds(layout.result("felix"))


def test_the_same_request_under_the_same_id_is_the_same_job(world: World) -> None:
    drop(world, job_file("a cat", id="felix"), "jobs/one.json")
    (again,) = drop(world, job_file("a cat", id="felix"), "jobs/two.json")
    assert (again.job, again.new, again.violations) == ("felix", False, ())
    assert len(world.studio.posts) == 1


def several(*bodies: bytes) -> bytes:
    return b"\n".join(bodies) + b"\n"


def test_a_bad_document_does_not_hold_up_the_good_ones(world: World) -> None:
    bad = job_file().replace(b"a cat", b" ")
    taken = drop(world, several(job_file("a"), bad, job_file("c", model=OTHER)), "jobs/x.jsonl")
    assert [bool(each.violations) for each in taken] == [False, True, False]
    assert [each.job[-2:] for each in taken] == ["-1", "-2", "-3"]
    assert [world.state(each.job) for each in taken] == ["PENDING", "REJECTED", "PENDING"]
    assert world.manifest(taken[1].job)["source"]["document"] == 2


def test_a_file_that_cannot_be_read_at_all_is_one_rejection(world: World) -> None:
    for name, body in [("jobs/x.yaml", "a: [1"), ("jobs/y.json", "{"), ("jobs/z.txt", "model: a")]:
        (taken,) = drop(world, body, name)
        assert world.manifest(taken.job)["violations"], name


def test_a_file_over_the_limit_is_refused_unread(world: World) -> None:
    (taken,) = drop(world, b"x" * 101, "jobs/x.json", world.app(job_file_bytes=100))
    (violation,) = world.manifest(taken.job)["violations"]
    assert "101 bytes" in violation["message"]
    assert "100" in violation["expected"]


def test_a_model_of_another_region_is_refused(world: World) -> None:
    (taken,) = drop(world, job_file(), "jobs/x.json", world.app(model_region="nowhere"))
    assert taken.violations[0].pointer == "/model"
    assert "nowhere" in taken.violations[0].message


def test_expiry_counts_from_the_moment_of_taking_in(world: World) -> None:
    world.models = (model(),)
    record = world.queued("cat", expires_after="6h")
    assert (record.expires_at or "") > record.at
    assert (record.expires_at or "")[11:13] == f"{(int(record.at[11:13]) + 6) % 24:02d}"


def test_inline_payloads_do_not_reach_the_manifest(world: World) -> None:
    payload = "data:image/png;base64," + "A" * 5000
    document: dict[str, Any] = json.loads(job_file())
    document["input"]["base_image_url"] = payload
    (taken,) = drop(world, json.dumps(document), "jobs/x.json")
    assert world.state(taken.job) == "REJECTED", "this model takes no inline data"
    assert "AAAA" not in json.dumps(world.manifest(taken.job))


def test_an_event_for_two_jobs_of_one_id_in_one_file_makes_one(world: World) -> None:
    both = several(job_file("a", id="felix"), job_file("b", id="felix"))
    first, second = drop(world, both, "jobs/x.jsonl")
    assert first.job == "felix"
    assert second.violations[0].pointer == "/job/id"
    assert len(world.studio.posts) == 1


def test_a_repeat_of_the_event_frees_a_slot_that_was_claimed_after_the_end(world: World) -> None:
    """By an instance that had read the job as queued, and died before it could record anything."""
    job = one(drop(world, job_file("a cat", id="felix")))
    run(world)
    app = world.app()
    last = app.ledger.records.last(job)
    assert last is not None
    app.ledger.slots.claim(last.model, job, last.seq)
    other = app.ledger.slots.claim(last.model, "another", 2)
    deliver(world)
    assert world.slots() == [other.key]


def test_that_a_model_is_of_another_region_is_told_with_all_else(world: World) -> None:
    document = {**json.loads(job_file()), "paramters": {}}
    app = world.app(model_region="nowhere")
    (taken,) = drop(world, json.dumps(document), "jobs/x.json", app)
    assert {one.pointer for one in taken.violations} == {"/model", "/paramters"}
