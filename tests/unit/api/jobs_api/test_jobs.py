"""Submitting, looking, waiting and trying again over HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from shared.api.tokens import identify
from shared.instance import WAITING
from shared.jobfile import parse
from shared.platform.concurrency import Places
from tests.kit.hooks import once
from tests.kit.http import TOKENS, ask, failed, token
from tests.kit.world import World, job_file, run, store_of


@pytest.fixture()
def world() -> World:
    return World()


def body_with(**changes: Any) -> bytes:
    return json.dumps(json.loads(job_file()) | changes).encode()


def test_a_submitted_job_is_told_its_place_wait_and_price(world: World) -> None:
    world.queued("first")
    reply = ask(world, "POST", "/jobs", job_file(id="second"))
    assert reply.status == 202
    assert reply.json["position"] == 2
    one = ask(world, "GET", "/jobs/first").json["estimated_wait_seconds"]
    assert reply.json["estimated_wait_seconds"] == 2 * one
    assert reply.json["price_at_most"]["images"] == 1
    base = "https://fn.example.com/jobs/second"
    assert reply.json["urls"] == {
        "status": base,
        "result": f"{base}/result",
        "cancel": f"{base}/cancel",
        "events": f"{base}/events",
    }
    assert (reply.headers["location"], reply.headers["retry-after"]) == (base, "2")


def test_the_wait_follows_from_what_tasks_took(world: World) -> None:
    world.queued("cat")
    before = ask(world, "GET", "/jobs/cat").json["estimated_wait_seconds"]
    ledger = world.app().ledger
    for _ in range(3):
        ledger.durations.learn("brush", 5 * before)
    ledger.model_states.flush()
    assert ask(world, "GET", "/jobs/cat").json["estimated_wait_seconds"] == 5 * before


def test_put_makes_a_job_once(world: World) -> None:
    first = ask(world, "PUT", "/jobs/cat", job_file())
    again = ask(world, "PUT", "/jobs/cat", job_file())
    assert (first.status, again.status) == (202, 200)
    assert first.json["job"] == again.json["job"] == "cat"
    run(world)
    assert ask(world, "PUT", "/jobs/cat", job_file()).json["state"] == "SUCCEEDED"
    assert world.states("cat").count("QUEUED") == 1


@pytest.mark.parametrize("other", [job_file("a dog"), body_with(job={"labels": {"a": "b"}})])
def test_put_with_another_body_is_a_conflict_and_changes_nothing(
    world: World, other: bytes
) -> None:
    ask(world, "PUT", "/jobs/cat", job_file())
    kept = world.bucket.keys()
    reply = ask(world, "PUT", "/jobs/cat", other)
    assert (reply.status, world.bucket.keys()) == (409, kept)


def test_two_puts_of_one_id_at_the_same_moment_make_one_job(world: World) -> None:
    app = world.app()
    late = once("create", "records/cat/000001", lambda: ask(world, "PUT", "/jobs/cat", job_file()))
    store_of(app).before.append(late)
    assert ask(app, "PUT", "/jobs/cat", job_file("a dog")).status == 409
    assert world.states("cat") == ["QUEUED"]


def test_a_put_that_was_rejected_can_be_repaired(world: World) -> None:
    assert ask(world, "PUT", "/jobs/cat", job_file(" ")).status == 422
    assert ask(world, "PUT", "/jobs/cat", job_file("a cat")).status == 202
    assert world.states("cat") == ["REJECTED", "QUEUED"]


def test_put_knows_a_job_again_whose_signed_url_has_ended_since(world: World) -> None:
    """Written in another way, so that the whole job is compared; its host is the laptop's."""
    query = f"OSSAccessKeyId=k&Signature=s&Expires={world.timeline.now + 60:.0f}"
    url = f"http://127.0.0.1:1/a.png?{query}"
    job = json.loads(job_file())
    job["input"]["base_image_url"] = url
    assert ask(world, "PUT", "/jobs/cat", json.dumps(job).encode()).status == 202
    world.timeline.wait(120)
    job["parameters"] = {"n": 1}
    assert ask(world, "PUT", "/jobs/cat", json.dumps(job).encode()).status in (200, 202)
    job["input"]["prompt"] = "a dog"
    assert ask(world, "PUT", "/jobs/cat", json.dumps(job).encode()).status == 409


@pytest.mark.parametrize(
    ("body", "pointer"),
    [(job_file(id="dog"), "/job/id"), (b"[" + job_file() + b"," + job_file("b") + b"]", "")],
)
def test_put_takes_one_job_of_its_own_id(world: World, body: bytes, pointer: str) -> None:
    reply = ask(world, "PUT", "/jobs/cat", body)
    assert reply.status == 422
    assert reply.json["violations"][0]["pointer"] == pointer
    assert not world.bucket.keys()


def test_an_idempotency_key_makes_the_same_jobs_once(world: World) -> None:
    body = job_file("a") + b"\n" + job_file("b")
    sent = {"Idempotency_Key": "k", "Content_Type": "application/jsonl"}
    first = ask(world, "POST", "/jobs", body, **sent)
    run(world)
    again = ask(world, "POST", "/jobs", body, **sent)
    assert [job["job"] for job in first.json["jobs"]] == [job["job"] for job in again.json["jobs"]]
    assert {job["state"] for job in again.json["jobs"]} == {"SUCCEEDED"}
    assert len({job["job"] for job in again.json["jobs"]}) == 2


def test_an_idempotency_key_with_another_body_is_a_conflict(world: World) -> None:
    ask(world, "POST", "/jobs", job_file("a"), Idempotency_Key="k")
    kept = world.bucket.keys()
    assert ask(world, "POST", "/jobs", job_file("b"), Idempotency_Key="k").status == 409
    assert world.bucket.keys() == kept
    assert ask(world, "POST", "/jobs", job_file("b"), Idempotency_Key="k2").status == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "kä"])
def test_an_idempotency_key_that_cannot_be_one(world: World, key: str) -> None:
    assert ask(world, "POST", "/jobs", job_file(), Idempotency_Key=key).status == 400


def test_a_job_is_shown_with_its_job_file_labels_and_links(world: World) -> None:
    world.queued("cat", labels={"who": "me"})
    run(world)
    job = ask(world, "GET", "/jobs/cat").json
    assert job["labels"] == {"who": "me"}
    assert job["spec"]["job"]["id"] == "cat"
    assert job["result"]["state"] == "SUCCEEDED"
    image = job["images"][0]
    assert image["url"] == "https://bucket.invalid/results/cat/image-1.png?expires=3600"
    assert image["download_url"].endswith("filename%3D%22cat-image-1.png%22")
    assert image["width"] > 0
    assert job["submitted_at"] > job["created_at"]
    assert job["position"] is job["estimated_wait_seconds"] is None


def test_the_result_is_there_when_the_job_is_over(world: World) -> None:
    world.queued("cat")
    assert ask(world, "GET", "/jobs/cat/result").status == 404
    run(world)
    assert ask(world, "GET", "/jobs/cat/result").json == world.manifest("cat")


def test_waiting_ends_as_soon_as_the_state_changes(world: World) -> None:
    world.queued("cat")
    app = world.app("http")
    begun = world.timeline.now
    cancel = once("read", "cat/000002", lambda: None)

    def canceled() -> None:
        if world.timeline.now > begun + 5:
            world.app().cancellation.cancel("cat")
            store_of(app).before.clear()

    store_of(app).before.extend([cancel, lambda _call: canceled()])
    reply = ask(app, "GET", "/jobs/cat?wait=30")
    assert reply.json["state"] == "CANCELED"
    assert 5 <= world.timeline.now - begun < 9


def test_waiting_ends_after_the_time_asked_for(world: World) -> None:
    world.queued("cat")
    begun = world.timeline.now
    assert ask(world, "GET", "/jobs/cat?wait=7").json["state"] == "QUEUED"
    assert 7 <= world.timeline.now - begun < 9


def test_callers_that_begin_together_do_not_look_together(world: World) -> None:
    world.queued("cat")
    looks: list[list[float]] = []
    for _ in range(2):
        app, begun, seen = world.app("http"), world.timeline.now, list[float]()
        note = lambda call, seen=seen, begun=begun: seen.append(world.timeline.now - begun)  # noqa: E731
        store_of(app).before.append(note)
        ask(app, "GET", "/jobs/cat?wait=10")
        looks.append([at for at in seen if 0.4 < at < 9])
    assert all(5 <= len(one) <= 25 for one in looks)
    assert not set(looks[0]) & set(looks[1])


def test_more_waiters_than_a_token_may_have_are_answered_at_once(world: World) -> None:
    world.queued("cat")
    app = world.app("http", tokens=TOKENS)
    each, together = WAITING
    given = token("read")

    def nested(left: int, token_of: str) -> float:
        """Seconds that one more waits while `left` others do."""
        if left:
            mark = identify(app.settings, f"Bearer {token_of}")
            assert mark is not None
            with app.instance.waiting.place(mark.mark) as granted:
                assert granted
                return nested(left - 1, token_of)
        begun = world.timeline.now
        assert ask(app, "GET", "/jobs/cat?wait=9", given=given).status == 200
        return world.timeline.now - begun

    assert nested(each - 1, given) >= 9
    assert nested(each, given) < 1
    assert nested(each, token("admin")) >= 9, "another token's waiters are not its own"
    places = Places(2 * together, together)
    app.instance.waiting = places
    assert nested(together, token("admin")) < 1
    assert nested(together - 1, token("admin")) >= 9, "places are given back"


@pytest.mark.parametrize("wait", ["31", "-1", "1.5", "x", "9" * 50, "²"])
def test_a_wait_that_is_too_long_or_no_number(world: World, wait: str) -> None:
    world.queued("cat")
    reply = ask(world, "GET", f"/jobs/cat?wait={wait}")
    assert (reply.status, reply.json["violations"][0]["parameter"]) == (400, "wait")


def test_an_unchanged_job_is_not_sent_again(world: World) -> None:
    world.queued("dog")
    world.queued("cat")
    tag = ask(world, "GET", "/jobs/cat").headers["etag"]
    same = ask(world, "GET", "/jobs/cat", If_None_Match=tag)
    assert (same.status, same.raw) == (304, b"")
    world.app().cancellation.cancel("dog")
    moved = ask(world, "GET", "/jobs/cat", If_None_Match=tag)
    assert (moved.status, moved.json["position"]) == (200, 1)


def test_a_known_tag_waits_and_an_old_one_does_not(world: World) -> None:
    world.queued("cat")
    tag = ask(world, "GET", "/jobs/cat").headers["etag"]
    begun = world.timeline.now
    assert ask(world, "GET", "/jobs/cat?wait=5", If_None_Match=tag).status == 304
    assert world.timeline.now >= begun + 5
    begun = world.timeline.now
    assert ask(world, "GET", "/jobs/cat?wait=5", If_None_Match='W/"9-x"').status == 200
    assert world.timeline.now < begun + 1


def test_events_are_the_records_without_payloads(world: World) -> None:
    world.queued("cat")
    run(world)
    events = ask(world, "GET", "/jobs/cat/events").json["events"]
    assert [event["state"] for event in events] == world.states("cat")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert "nonce" not in events[0]


@pytest.mark.parametrize(
    "prompt", ["a cat", "yes", "1e5", "0x1f", "~", "a: b #c", "猫\n- x\t", "'"]
)
def test_the_job_file_reads_back_as_the_same_job(world: World, prompt: str) -> None:
    assert ask(world, "PUT", "/jobs/cat", job_file(prompt, labels={"n": "12"})).status == 202
    reply = ask(world, "GET", "/jobs/cat/jobfile")
    assert reply.headers["content-type"].startswith("application/yaml")
    (document,) = parse(reply.raw, "cat.yaml")
    assert document.value["input"]["prompt"] == prompt
    assert document.value["job"]["labels"] == {"n": "12"}
    yaml = {"Content_Type": "application/yaml"}
    copied = reply.raw.replace(b"id: cat", b"id: cat2")
    assert ask(world, "POST", "/jobs", copied, **yaml).status == 202


def test_a_job_that_brought_nothing_is_tried_again_as_a_new_one(world: World) -> None:
    failed(world, "cat", labels={"who": "me"})
    reply = ask(world, "POST", "/jobs/cat/retry")
    assert reply.status == 202
    assert reply.json["job"] == "cat-retry-1"
    assert reply.headers["location"].endswith("/jobs/cat-retry-1")
    assert world.state("cat") == "EXPIRED"
    again = ask(world, "GET", "/jobs/cat-retry-1").json
    assert again["retried_from"] == "cat"
    assert again["labels"] == {"who": "me"}
    ask(world, "POST", "/jobs/cat-retry-1/cancel")
    third = ask(world, "POST", "/jobs/cat-retry-1/retry").json
    assert (third["job"], third["retried_from"]) == ("cat-retry-2", "cat-retry-1")


def test_a_retry_of_a_long_name_is_a_name_too(world: World) -> None:
    failed(world, "c" * 64)
    made = ask(world, "POST", f"/jobs/{'c' * 64}/retry").json["job"]
    assert re.fullmatch(r"c{47}-[0-9a-f]{8}-retry-1", made)


def test_a_name_that_only_looks_like_a_retry_is_kept(world: World) -> None:
    failed(world, "cat-retry-7")
    assert ask(world, "POST", "/jobs/cat-retry-7/retry").json["job"] == "cat-retry-7-retry-1"


def test_a_job_that_waits_or_succeeded_is_not_tried_again(world: World) -> None:
    world.queued("cat")
    assert ask(world, "POST", "/jobs/cat/retry").status == 409
    run(world)
    assert ask(world, "POST", "/jobs/cat/retry").status == 409
    assert ask(world, "POST", "/jobs/nobody/retry").status == 404


def test_a_rejected_job_is_shown_with_what_was_wrong(world: World) -> None:
    refusal = ask(world, "POST", "/jobs", job_file(" ", id="cat"))
    assert refusal.status == 422
    job = ask(world, "GET", "/jobs/cat").json
    assert job["state"] == "REJECTED"
    assert job["violations"][0]["pointer"] == "/input/prompt"
    assert b"prompt" in ask(world, "GET", "/jobs/cat/jobfile").raw
    assert ask(world, "POST", "/jobs/cat/retry").status == 409


def test_a_file_that_cannot_be_read_leaves_nothing_behind(world: World) -> None:
    assert ask(world, "POST", "/jobs", b"{").status == 422
    assert not world.bucket.keys()


def test_the_body_of_a_cancel_is_not_read(world: World) -> None:
    world.queued("cat")
    assert ask(world, "POST", "/jobs/cat/cancel", b"\xff" * 1000).json["state"] == "CANCELED"
    assert ask(world.app(tokens=TOKENS), "POST", "/jobs/cat/cancel").status == 409
