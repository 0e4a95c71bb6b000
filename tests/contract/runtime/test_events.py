"""Object events and timers: what fires, how often, and what happens to what fails."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.contract.runtime.functions_under_test.runtime_under_test import (
    RuntimeUnderTest,
    is_running,
    until,
)


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[RuntimeUnderTest]:
    with RuntimeUnderTest(tmp_path, "--retry-seconds", "0.05") as running:
        yield running


def test_an_object_event_reaches_the_function_as_one_event(runtime: RuntimeUnderTest) -> None:
    assert runtime.put("jobs/猫 +%41.yaml") == 1
    runtime.until_idle()
    [event] = runtime.recorded()
    assert event["events"][0]["oss"]["object"]["key"] == "jobs/猫 +%41.yaml"


@pytest.mark.parametrize(
    ("key", "bucket", "name", "fired"),
    [
        ("jobs/a/b.yaml", "bucket", "PutObject", 1),
        ("jobs/a.yaml", "bucket", "ObjectRemoved:DeleteObject", 1),
        ("jobs/a.yaml", "bucket", "CopyObject", 0),
        ("jobs/a.yaml", "other", "PutObject", 0),
        ("jobs/a.yaml.bak", "bucket", "PutObject", 0),
        ("old/jobs/a.yaml", "bucket", "PutObject", 0),
    ],
)
def test_a_trigger_fires_by_event_bucket_prefix_and_suffix(
    shared_runtime: RuntimeUnderTest, key: str, bucket: str, name: str, fired: int
) -> None:
    assert shared_runtime.put(key, bucket, name) == fired


@pytest.fixture(scope="module")
def shared_runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeUnderTest]:
    with RuntimeUnderTest(tmp_path_factory.mktemp("shared")) as running:
        yield running


def test_an_event_that_is_none_is_refused_with_the_reason(shared_runtime: RuntimeUnderTest) -> None:
    for body in ("{", "[]", "{}", '{"events": [{"eventName": "x"}]}'):
        answer = requests.post(f"{shared_runtime.url}/_events/oss", data=body, timeout=5)
        assert answer.status_code == 400, body
        assert "expected JSON" in answer.json()["Message"]


def test_a_failing_event_is_retried_and_then_handed_to_its_destination(
    runtime: RuntimeUnderTest,
) -> None:
    request_id = runtime.later("faulty", "raise").headers["X-Fc-Request-Id"]
    runtime.until_idle()
    [letter] = runtime.recorded()
    context = letter["requestContext"]
    assert context["requestId"] == request_id
    assert context["functionArn"] == "acs:fc:cn-beijing::functions/test-faulty"
    assert context["approximateInvokeCount"] == 3
    assert letter["requestPayload"] == '"raise"'
    assert letter["responseContext"]["functionError"] == "UnhandledInvocationError"
    error = json.loads(letter["responsePayload"])
    assert (error["errorType"], error["errorMessage"]) == (
        "ValueError",
        "as you wished: 按您的要求",
    )
    counts = runtime.function("faulty")
    assert (counts["errors"], counts["retries"], counts["given_up"]) == (3, 2, 1)


def test_a_success_has_a_destination_too(runtime: RuntimeUnderTest) -> None:
    runtime.later("faulty", "fine")
    runtime.until_idle()
    [letter] = runtime.recorded()
    assert letter["responsePayload"].startswith("pid ")
    assert letter["responseContext"] == {"statusCode": 200, "functionError": ""}


def test_a_payload_over_128_kb_is_refused(shared_runtime: RuntimeUnderTest) -> None:
    assert shared_runtime.later("recorder", "x" * (128 * 1024 - 2)).status_code == 202
    answer = shared_runtime.later("recorder", "x" * (128 * 1024 - 1))
    assert answer.status_code == 413
    assert "put it into OSS" in answer.json()["Message"]


def test_a_queued_event_survives_the_death_of_the_runtime(tmp_path: Path) -> None:
    with RuntimeUnderTest(tmp_path, "--retry-seconds", "3600") as first:
        first.later("faulty", "raise")
        until(lambda: first.function("faulty")["retries"] == 1)
        first.put("jobs/kept.yaml")
        until(first.recorded)
        until(lambda: first.function("recorder")["queued"] == 0)
        gate = first.records / "gate"
        os.mkfifo(gate)
        first.later("single", {"gate": "gate"})
        until(lambda: list(first.records.glob("gate.entered-*")))
        [instance] = first.function("single")["instances"]
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        until(lambda: not is_running(instance["pid"]))
    with RuntimeUnderTest(tmp_path) as second:
        until(lambda: len(list(second.records.glob("gate.entered-*"))) == 2)
        assert second.function("faulty")["queued"] == 1
        gate.write_text("open")
        until(lambda: second.function("single")["queued"] == 0)
        assert len(second.recorded()) == 1


def test_every_nth_event_can_be_delivered_twice(tmp_path: Path) -> None:
    with RuntimeUnderTest(tmp_path, "--duplicate-every", "2") as runtime:
        assert [runtime.put(f"jobs/{n}.yaml") for n in range(4)] == [1, 2, 1, 2]


def test_a_timer_fires_with_its_payload_and_only_if_enabled(tmp_path: Path) -> None:
    with RuntimeUnderTest(tmp_path, "--timer-minute", "0.1", s_yaml="timers.yaml") as runtime:
        event = until(runtime.recorded)[0]
    assert event["triggerName"] == "often"
    assert event["payload"] == '{"n": 1}'
    assert event["triggerTime"].endswith("Z")
    assert {e["triggerName"] for e in runtime.recorded()} == {"often"}
