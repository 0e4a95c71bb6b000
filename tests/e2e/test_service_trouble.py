"""The service fails in its documented ways; the job ends well, or says why it does not."""

from __future__ import annotations

import json
from typing import Any

import requests
import yaml

from tests.e2e.conftest import Cloud, faults
from tests.e2e.test_jobs import EDIT, SKETCH
from tests.kit.fc_events import given_up, oss_event


def sketch(**parameters: Any) -> str:
    return yaml.safe_dump(SKETCH | {"parameters": {"n": 1, **parameters}})


def tasks_made(cloud: Cloud) -> int:
    return int(cloud.service()["models"][SKETCH["model"]]["tasks_made"])


def test_partial_failure_keeps_what_succeeded(cloud: Cloud) -> None:
    timeout = {"code": "InternalError.Timeout", "message": "An internal timeout error …"}
    with faults(cloud, {"at": "image", "image": 1, "times": 1, **timeout}):
        cloud.drop("e2e-partial.yaml", sketch(n=3))
        manifest = cloud.manifest("e2e-partial")
    assert manifest["state"] == "SUCCEEDED"
    assert [image["number"] for image in manifest["images"]] == [1, 3]
    assert manifest["failed_images"][0]["number"] == 2
    assert manifest["failed_images"][0]["code"] == "InternalError.Timeout"
    assert manifest["price"]["images"] == 2


def test_a_task_refused_for_its_content_says_so_and_is_not_repeated(cloud: Cloud) -> None:
    before = tasks_made(cloud)
    message = "Input data may contain inappropriate content."
    fault = {"at": "task", "code": "DataInspectionFailed", "message": message, "times": 1}
    with faults(cloud, fault):
        cloud.drop("e2e-refused.yaml", sketch())
        manifest = cloud.manifest("e2e-refused")
    assert manifest["state"] == "FAILED"
    assert manifest["error"]["code"] == "DataInspectionFailed"
    assert manifest["error"]["class"] == "policy"
    assert manifest["error"]["retryable"] is False
    assert manifest["price"] is None
    assert tasks_made(cloud) == before + 1


def test_a_throttled_submission_is_sent_again_and_makes_one_task(cloud: Cloud) -> None:
    before = tasks_made(cloud)
    message = "Requests rate limit exceeded, please try again later."
    fault = {"at": "create", "status": 429, "code": "Throttling.RateQuota", "message": message}
    with faults(cloud, fault | {"times": 2}):
        cloud.drop("e2e-throttled.yaml", sketch())
        manifest = cloud.manifest("e2e-throttled")
    assert manifest["state"] == "SUCCEEDED"
    assert manifest["task"]["attempt"] == 1
    assert tasks_made(cloud) == before + 1


def test_a_lost_answer_is_looked_up_not_paid_twice(cloud: Cloud) -> None:
    before = tasks_made(cloud)
    with faults(cloud, {"at": "create", "action": "cut_after", "times": 1}):
        cloud.drop("e2e-cut.yaml", sketch())
        manifest = cloud.manifest("e2e-cut")
    assert manifest["state"] == "SUCCEEDED"
    assert tasks_made(cloud) == before + 1


def test_an_image_the_service_cannot_fetch_fails_the_job_with_a_hint(cloud: Cloud) -> None:
    job = EDIT | {"input": {"prompt": "x", "images": ["https://nowhere.example.com/none.png"]}}
    cloud.drop("e2e-unreachable.json", json.dumps(job))
    manifest = cloud.manifest("e2e-unreachable")
    assert manifest["state"] == "FAILED"
    assert manifest["error"]["class"] == "input_fetch"
    assert manifest["error"]["hint"]


def test_an_event_that_was_given_up_lies_in_dead_with_its_reason(cloud: Cloud) -> None:
    dead = given_up(oss_event("jobs/x.yaml"), "wanx-submit", "e2e-dead") | {
        "timestamp": 1660120276975
    }
    url = f"{cloud.env['API_URL']}/2023-03-30/functions/rescue/invocations"
    assert requests.post(url, json=dead, timeout=30).status_code == 200
    found = json.loads(cloud.bucket.get_object("dead/2022-08-10T083116.975Z-e2e-dead.json").read())
    assert found["job_files"] == ["jobs/x.yaml"]
    assert found["tries"] == 4
    assert found["what_to_do"]
