"""Webhooks through the laptop cloud: a receiver that verifies with the official library."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from tests.e2e.conftest import PATIENCE, Cloud, laptop
from tests.kit.receiver import KEY, OLD_KEY, Heard, LocalReceiver, local_receiver

T = TypeVar("T")
JSON = "application/json"


@pytest.fixture(scope="module")
def receiver() -> Iterator[LocalReceiver]:
    with local_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, receiver: LocalReceiver) -> Iterator[Cloud]:
    """A laptop cloud whose functions may tell this computer, in the middle of a rotation."""
    hosts = {"WEBHOOK_KEY": f"{KEY},{OLD_KEY}", "WEBHOOK_HOSTS": "http://127.0.0.1"}
    with laptop(tmp_path_factory.mktemp("told"), **hosts) as cloud:
        receiver.secrets = asked(cloud, "/webhooks/secret", receiver.url)["secrets"]
        yield cloud


def asked(cloud: Cloud, path: str, webhook: str) -> dict[str, Any]:
    answer = cloud.post(path, json.dumps({"webhook": webhook}).encode(), JSON)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def until(look: Callable[[], T]) -> T:
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.05)
    return found


def job(name: str, webhook: str, **parameters: Any) -> bytes:
    document = {
        "model": "wanx-sketch-to-image-lite",
        "input": {"prompt": "a secret tower", "sketch_image_url": "oss:///inputs/house-sketch.png"},
        "parameters": {"n": 1, "style": "<watercolor>", **parameters},
        "job": {"id": name, "webhook": webhook, "labels": {"order": "7"}},
    }
    return json.dumps(document).encode()


def test_a_job_that_succeeds_is_told_of_with_its_images(
    told: Cloud, receiver: LocalReceiver
) -> None:
    told.drop("wh-good.json", job("wh-good", receiver.url))
    heard = until(lambda: receiver.of("wh-good"))[0]
    assert heard.genuine
    assert heard.headers["content-type"] == "application/cloudevents+json"
    event = heard.event
    assert (event["specversion"], event["type"]) == ("1.0", "wanx.job.succeeded")
    assert event["id"] == heard.headers["webhook-id"]
    data = event["data"]
    assert (data["job"], data["state"], data["labels"]) == ("wh-good", "SUCCEEDED", {"order": "7"})
    assert told.bucket.object_exists(data["result"])
    assert [told.bucket.object_exists(one["key"]) for one in data["images"]] == [True]
    assert b"secret tower" not in heard.body


def test_each_secret_of_a_rotation_verifies_by_itself(told: Cloud, receiver: LocalReceiver) -> None:
    new, old = receiver.secrets
    assert asked(told, "/webhooks/test", receiver.url)["delivered"]
    heard = next(one for one in receiver.heard if one.event["type"] == "wanx.test")
    for secret in (new, old):
        assert LocalReceiver(secrets=[secret]).verifies(heard.headers, heard.body)
    assert not LocalReceiver(secrets=[new]).verifies(heard.headers, heard.body + b" ")


def test_a_job_is_told_of_again_under_the_same_id_until_it_is_taken(
    told: Cloud, receiver: LocalReceiver
) -> None:
    receiver.answers += [(500, {}), (302, {"Location": f"{receiver.url}/elsewhere"})]
    told.drop("wh-bad.json", job("wh-bad", receiver.url, n=9))
    first = until(lambda: receiver.of("wh-bad"))[0]
    second = until(lambda: receiver.of("wh-bad")[1:])[0]
    assert (first.event["type"], first.genuine) == ("wanx.job.rejected", True)
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    deliveries = until(lambda: _tries(told, "wh-bad", 2))
    assert [one["outcome"] for one in deliveries] == ["failed", "failed"]
    assert [one["status"] for one in deliveries] == [500, 302]
    assert told.post("/jobs/wh-bad/redeliver", b"", JSON).status_code == 202
    third = until(lambda: receiver.of("wh-bad")[2:])[0]
    assert third.headers["webhook-id"] == first.headers["webhook-id"]
    assert until(lambda: _tries(told, "wh-bad", 3))[2]["outcome"] == "delivered"
    assert all(one.path == "/hook" for one in receiver.heard)


def _tries(cloud: Cloud, name: str, count: int) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = cloud.get(f"/jobs/{name}/events").json()["deliveries"]
    return shown if len(shown) >= count else []


def test_a_receiver_that_says_410_hears_no_more_until_it_is_enabled(
    told: Cloud, receiver: LocalReceiver
) -> None:
    gone = receiver.url + "/gone"
    receiver.answers += [(410, {})]
    told.post("/jobs", job("wh-gone", gone, n=9), JSON)
    assert until(lambda: _tries_of(told, "wh-gone"))[0]["outcome"] == "given_up"
    assert [one["url"] for one in told.get("/webhooks").json()["disabled"]] == [gone]
    name = _tries_of(told, "wh-gone")[0]["id"]
    heard = [one for one in receiver.heard if one.path.endswith("/gone")]
    assert [one.headers["webhook-id"] for one in heard] == [name]
    assert asked(told, "/webhooks/enable", gone) == {"enabled": True}


def _tries_of(cloud: Cloud, stem: str) -> list[dict[str, Any]]:
    """Of the job that a refused request left, whose name is the one that was asked for."""
    return _tries(cloud, stem, 1)


def test_whom_nobody_may_tell_is_refused_before_anything_costs(
    told: Cloud, receiver: LocalReceiver
) -> None:
    for webhook in ("http://hooks.example.com/", "https://10.0.0.1/hook", "nobody"):
        answer = told.post("/jobs", job("wh-refused", webhook), JSON)
        assert answer.status_code == 422
        assert {one["pointer"] for one in answer.json()["violations"]} == {"/job/webhook"}


def test_heard_is_what_the_official_library_takes(receiver: LocalReceiver) -> None:
    assert receiver.heard
    assert all(isinstance(one, Heard) and one.genuine for one in _of_the_secret(receiver))


def _of_the_secret(receiver: LocalReceiver) -> list[Heard]:
    """Other addresses of this receiver have secrets of their own."""
    return [one for one in receiver.heard if one.path == "/hook"]
