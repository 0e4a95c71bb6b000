"""Traffic through the laptop cloud that uses every right some function needs."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import oss2
import requests
import yaml

from shared.app import dead_letters, for_invocation
from shared.ledger.outbox import Entry
from shared.platform.clock import SystemClock
from shared.platform.fc.events import DestinationEvent, read_event
from shared.platform.settings import SAFETY_NET
from shared.storage import layout
from tests.deploy.policies.least_privilege_kit import (
    EDIT,
    ROOT,
    SKETCH,
    World,
    newest_epoch,
    rested,
    sketch,
    until,
)
from tests.deploy.policies.least_privilege_roles import lost_answers, secret
from tests.kit.fc_events import TIMER, given_up, oss_event
from tests.kit.form_upload import form_fields
from tests.kit.receiver import KEY, local_receiver

CREATE = "/api/v1/services/aigc/image2image/image-synthesis"


def run_traffic(world: World) -> None:
    """Everything; what takes long begins first."""
    _events_that_fail(world)
    _job_files(world)
    _trouble_with_the_service(world)
    _used_up_quota(world)
    _http_jobs(world)
    _batches(world)
    _uploads(world)
    _wire(world)
    _cancel(world)
    _deadline(world)
    _open_calls(world)
    _dead_events(world)
    _wake_ups(world)
    _files_without_events(world)
    _webhooks(world)
    _erase(world)
    lost_answers(world)
    secret(world)


def _events_that_fail(world: World) -> None:
    for function in ("submit", "poll"):
        url = f"{world.env['API_URL']}/2023-03-30/functions/{function}/invocations"
        headers = {"X-Fc-Invocation-Type": "Async"}
        requests.post(url, data=b'{"no": "event"}', headers=headers, timeout=10).raise_for_status()


def _job_files(world: World) -> None:
    """Images of every folder, submitted by submit and by poll; a bad line; one that expires."""
    photograph = world.bucket.get_object("inputs/rocket.jpg").read()
    world.bucket.put_object("uploads/rocket.jpg", photograph)
    bad = sketch("lp-bad") | {"parameters": {"n": 9}}
    lines = [json.dumps(job) for job in (sketch("lp-first", expires_after="1h"), bad)]
    world.bucket.put_object("jobs/lp-lines.jsonl", "\n".join(lines))
    world.manifest("lp-first", "SUCCEEDED")
    world.manifest("lp-bad", "REJECTED")
    rested(world)
    world.bucket.put_object(layout.reminder(1, "lp-first"), b"")  # its hour is over
    world.drop("lp-three.yaml", *(_three_images(f"lp-three-{n}") for n in (1, 2, 3, 4)))
    for number in (1, 2, 3, 4):
        world.manifest(f"lp-three-{number}", "SUCCEEDED")
    until(lambda: not world.bucket.object_exists(layout.reminder(1, "lp-first")), "the reminder")


def _three_images(job: str) -> dict[str, Any]:
    places = ("inputs/rocket.jpg", "uploads/rocket.jpg", "results/lp-first/image-1.png")
    images = [f"oss:///{place}" for place in places]
    value = {"prompt": "side by side", "images": images}
    return {"model": EDIT, "input": value, "parameters": {"n": 1}, "job": {"id": job}}


def _trouble_with_the_service(world: World) -> None:
    """A throttled, a refused, a lost submission; an image that fails and is made again."""
    throttled = {"at": "create", "status": 429, "code": "Throttling.RateQuota", "message": "slow"}
    refused = {"at": "create", "status": 400, "code": "DataInspectionFailed", "message": "no"}
    failed = {"at": "image", "image": 0, "code": "InternalError.Timeout", "message": "late"}
    cut = {"at": "create", "action": "cut_after"}
    again = sketch("lp-partial", on_partial="retry-failed", expires_after="1h")
    rows = (
        (throttled, sketch("lp-throttled"), "SUCCEEDED"),
        (refused, sketch("lp-refused"), "FAILED"),
        (failed, again | {"parameters": {"n": 2}}, "SUCCEEDED"),
        (cut, sketch("lp-cut"), "SUCCEEDED"),
    )
    for fault, job, state in rows:
        rested(world)
        with world.studio(faults=[{**fault, "times": 1}]):
            world.drop(f"{job['job']['id']}.yaml", job)
            world.manifest(job["job"]["id"], state)
    world.drop("lp-throttled-again.yaml", sketch("lp-throttled"))
    until(lambda: _has_listed(world, f"{layout.RECORDS}lp-throttled/"), "the long chain to be read")


def _has_listed(world: World, prefix: str) -> bool:
    """Whether submit has listed this; it meets the job again, whose chain is long by now."""
    calls = world.report()["calls"]
    return any(row["role"] == "wanx-submit" and row["prefix"] == prefix for row in calls)


def _used_up_quota(world: World) -> None:
    """The model is left alone until somebody says that it can go on."""
    rested(world)
    quota = {"at": "create", "status": 403, "code": "AllocationQuota.FreeTierOnly", "message": "."}
    with world.studio(faults=[{**quota, "times": 1}]):
        world.drop("lp-quota.yaml", sketch("lp-quota"))
        place = layout.model_state(SKETCH)
        until(lambda: _pause(world, place), "the model's pause")
    world.post(f"/models/{SKETCH}/resume", None)
    world.manifest("lp-quota", "SUCCEEDED")


def _pause(world: World, key: str) -> Any:
    return json.loads(world.bucket.get_object(key).read()).get("pause")


def _http_jobs(world: World) -> None:
    rested(world)  # so that the api finds no poller at work, and wakes one
    key = {"Idempotency-Key": "lp-1"}
    made = world.post("/jobs", sketch("lp-posted", expires_after="1h"), **key)
    assert world.post("/jobs", sketch("lp-posted", expires_after="1h"), **key)["job"] == made["job"]
    put = world.ask("PUT", "/jobs/lp-put", json=sketch("lp-put"))
    assert put.status_code == 202, put.text
    bad = world.ask("POST", "/jobs", json=sketch("lp-no") | {"parameters": {"n": 9}})
    assert bad.status_code == 422
    for job in ("lp-posted", "lp-put"):
        world.manifest(job, "SUCCEEDED")
    for path in ("", "/result", "/events", "/jobfile"):
        assert world.ask("GET", f"/jobs/lp-posted{path}").status_code == 200
    for path in ("/jobs?label=a:b", "/jobs.csv", "/jobs.jsonl", "/models", "/", "/openapi.json"):
        assert world.ask("GET", path).status_code == 200
    assert len(world.ask("GET", "/jobs").json()["jobs"]) >= 5
    shown = world.ask("GET", "/jobs/lp-posted").json()["images"][0]
    assert requests.get(shown["url"], timeout=30).status_code == 200
    for verb in ("hide", "unhide"):
        world.post(f"/jobs/lp-put/{verb}", None)
    again = world.post("/jobs/lp-refused/retry", None)
    world.manifest(again["job"], "SUCCEEDED")


def _batches(world: World) -> None:
    """A file in OpenAI's form all of whose lines are wrong, as a job file and as a request."""
    body = {"model": "nobody", "prompt": "a cat"}
    line = json.dumps({"custom_id": "lp", "url": "/v1/images/generations", "body": body})
    world.bucket.put_object("jobs/lp-batch.jsonl", line)
    kind = {"Content-Type": "application/jsonl"}
    assert world.ask("POST", "/jobs", data=line, headers=kind).status_code == 422
    until(lambda: len(_outputs(world)) == 2, "the results of both batches")


def _outputs(world: World) -> list[str]:
    found = oss2.ObjectIteratorV2(world.bucket, prefix=layout.RESULTS)
    return [one.key for one in found if one.key.endswith("/output.jsonl")]


def _uploads(world: World) -> None:
    photograph = world.bucket.get_object("inputs/rocket.jpg").read()
    asked = {"name": "rocket.jpg", "content_type": "image/jpeg", "size": len(photograph)}
    leave = world.post("/uploads", asked)
    put = leave["put"]
    answer = requests.put(put["url"], photograph, headers=put["headers"], timeout=30)
    assert answer.status_code == 200, answer.text
    job = _three_images("lp-uploaded")
    job["input"]["images"][0] = leave["url"]
    world.post("/jobs", job)
    world.manifest("lp-uploaded", "SUCCEEDED")


def _wire(world: World) -> None:
    address = _form_upload(world)
    body = {"model": EDIT, "input": {"prompt": "x", "images": [address]}, "parameters": {"n": 1}}
    resolve = {"X-DashScope-Async": "enable", "X-DashScope-OssResourceResolve": "enable"}
    task = world.post(CREATE, body, **resolve)["output"]["task_id"]
    done = until(lambda: _over(world, task), f"task {task}")
    assert requests.get(done["results"][0]["url"], timeout=30).status_code == 200
    assert world.ask("GET", "/api/v1/tasks").status_code == 200


def _form_upload(world: World) -> str:
    asked = {"action": "getPolicy", "model": EDIT}
    policy = world.ask("GET", "/api/v1/uploads", params=asked).json()["data"]
    fields = form_fields(policy, "coffee.jpg")
    file = (ROOT / "examples/inputs/coffee.jpg").read_bytes()
    for _ in range(2):  # the second time it lies there already
        files = {"file": ("coffee.jpg", file)}
        posted = requests.post(policy["upload_host"], data=fields, files=files, timeout=30)
        assert posted.status_code == 200, posted.text
    return f"oss://{fields['key']}"


def _over(world: World, task: str) -> dict[str, Any] | None:
    output: dict[str, Any] = world.ask("GET", f"/api/v1/tasks/{task}").json()["output"]
    return output if output["task_status"] == "SUCCEEDED" else None


def _cancel(world: World) -> None:
    """One that waits in our queue, and one that waits at the service."""
    rested(world)
    with world.studio(task_seconds=600):  # until it ends no task does
        for number in range(4):
            world.post("/jobs", sketch(f"lp-cancel-{number}"))
        for number, state in ((3, "QUEUED"), (1, "PENDING")):
            job = f"lp-cancel-{number}"
            until(partial(_is, world, job, state), f"{job} {state}")
            world.post(f"/jobs/{job}/cancel", None)
            world.manifest(job, "CANCELED")
    for number in (0, 2):
        world.manifest(f"lp-cancel-{number}", "SUCCEEDED")


def _is(world: World, job: str, state: str) -> bool:
    return world.state(job) == state


def _deadline(world: World) -> None:
    """A poller whose time is up hands over to the next run."""
    rested(world)
    app = for_invocation(world.env)
    source = layout.JOB_FILES + "lp-deadline.YAML"  # no trigger has this suffix
    world.bucket.put_object(source, yaml.safe_dump(sketch("lp-deadline")))
    app.acceptance.intake.take_object(source)
    assert "handed over" in world.acting("wanx-poll").poller.run(app.clock.monotonic())
    world.manifest("lp-deadline", "SUCCEEDED")


def _open_calls(world: World) -> None:
    """A poller that waits for its last calls says so, and the next one looks."""
    open_calls = world.acting("wanx-poll").ledger.open_calls
    open_calls.announce(1)
    assert open_calls.may_be_answered(1)
    open_calls.end()


def _dead_events(world: World) -> None:
    """Those that the functions gave up on at the very beginning, and one with a job file."""
    rested(world)
    source = layout.JOB_FILES + "lp-dead.YAML"
    world.bucket.put_object(source, yaml.safe_dump(_three_images("lp-dead")))
    url = f"{world.env['API_URL']}/2023-03-30/functions/rescue/invocations"
    before = newest_epoch(world)
    requests.post(
        url, json=given_up(oss_event(source), "wanx-submit", "lp-dead"), timeout=30
    ).raise_for_status()
    dead = until(lambda: _dead_of_all(world), "three dead events")
    until(lambda: newest_epoch(world) != before, "the poller that rescue wakes")
    rested(world)  # so that the api itself submits the job
    (name,) = (one["name"] for one in dead if one["job_files"])
    world.post(f"/dead/{name}/redrive", None)
    world.manifest("lp-dead", "SUCCEEDED")


class _Hurried(SystemClock):
    """Does not wait."""

    def sleep(self, seconds: float) -> None:
        pass


def _wake_ups(world: World) -> None:
    """The poller calls itself, and is called again for an event of its own that died."""
    own = {"POLL_TIMER": SAFETY_NET, "INVOKE_ENDPOINT": world.env["API_URL"]}
    calls = world.acting("wanx-poll", FC_FUNCTION_NAME="wanx-poll", **own).calls
    assert calls is not None
    calls.call(1.0, b'{"wakeUp": {"due": 1.0}}')
    letters = dead_letters(world.environ("wanx-rescue"), None)
    assert letters.ledger is not None
    letters.ledger.clock = _Hurried()
    event = read_event(json.dumps(given_up(TIMER, "wanx-poll")).encode())
    assert isinstance(event, DestinationEvent)
    assert letters.wake_for(event)


def _files_without_events(world: World) -> None:
    """The poller finds job files that no trigger has told of, and goes on from there."""
    for number in (1, 2):
        name = f"lp-unheard-{number}"
        world.bucket.put_object(f"{layout.JOB_FILES}{name}.YAML", yaml.safe_dump(sketch(name)))
        app = world.acting("wanx-poll")
        app.sweep.under_way = -2.0
        app.sweep.go_on(20.0)
        world.manifest(name, "SUCCEEDED")


def _webhooks(world: World) -> None:
    """Jobs that end in each function, of which a receiver hears; one that hears no more."""
    rested(world)
    with local_receiver() as receiver:
        hooks = {"WEBHOOK_KEY": KEY, "WEBHOOK_HOSTS": "http://127.0.0.1"}
        wrong = sketch("lp-told", webhook=f"{receiver.url}/") | {"parameters": {"n": 9}}
        world.bucket.put_object(f"{layout.JOB_FILES}lp-told.YAML", yaml.safe_dump(wrong))
        world.acting("wanx-submit", **hooks).acceptance.job_file(f"{layout.JOB_FILES}lp-told.YAML")
        poller, api = world.acting("wanx-poll", **hooks), world.acting("wanx-api", **hooks)
        last = api.ledger.records.last("lp-told")
        assert last is not None
        receiver.answers["/"] = [(500, {}), (410, {})]
        for number in (1, 2):
            entry = Entry(1, number, "0" * 12, last.seq, last.job)
            poller.store.create(entry.key, b"")
            poller.deliveries.tell(poller.ledger.outbox.due(10)[0][0])
        assert api.webhooks.listed()["disabled"]
        assert api.webhooks.enable(f"{receiver.url}/")
        assert api.webhooks.redeliver(last).number == 3
        assert len(api.ledger.outbox.tries("lp-told")) == 2


def _erase(world: World) -> None:
    """A job with pictures of both folders is erased, with the file that it came with."""
    photograph = world.bucket.get_object("inputs/rocket.jpg").read()
    places = ("inputs/lp-erase.jpg", "uploads/lp-erase.jpg")
    for place in places:
        world.bucket.put_object(place, photograph)
    job = _three_images("lp-erase")
    job["input"]["images"] = [f"oss:///{place}" for place in places]
    world.drop("lp-erase.yaml", job)
    world.manifest("lp-erase", "SUCCEEDED")
    removed = world.post("/jobs/lp-erase/erase?inputs=all", None)["removed"]
    assert {*places, "jobs/lp-erase.yaml", "results/lp-erase/image-1.png"} <= set(removed)


def _dead_of_all(world: World) -> list[dict[str, Any]] | None:
    dead: list[dict[str, Any]] = world.ask("GET", "/dead").json()["dead"]
    return dead if len(dead) == 3 else None
