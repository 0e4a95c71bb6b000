"""Webhooks through the laptop cloud: a receiver that verifies with the official library."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from tests.e2e.conftest import PATIENCE, Cloud, laptop
from tests.kit.receiver import KEY, OLD_KEY, Heard, LocalReceiver, local_receiver, verifies
from tests.kit.wanx import run

T = TypeVar("T")
JSON = "application/json"
HOOKS = {"WEBHOOK_KEY": f"{KEY},{OLD_KEY}", "WEBHOOK_HOSTS": "http://127.0.0.1"}


@pytest.fixture(scope="module")
def receiver() -> Iterator[LocalReceiver]:
    with local_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A laptop cloud whose functions may tell this computer, in the middle of a rotation."""
    with laptop(tmp_path_factory.mktemp("told"), **HOOKS) as cloud:
        yield cloud


@dataclass
class Hook:
    """A receiver of one test's own, by its path."""

    path: str
    url: str
    receiver: LocalReceiver

    @property
    def heard(self) -> list[Heard]:
        return self.receiver.at(self.path)


@pytest.fixture()
def hook(told: Cloud, receiver: LocalReceiver) -> Hook:
    path = f"/{uuid4().hex}"
    url = receiver.url + path
    receiver.secrets[path] = asked(told, "/webhooks/secret", url)["secrets"]
    return Hook(path, url, receiver)


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


def tries(cloud: Cloud, name: str, count: int) -> list[dict[str, Any]]:
    """What the API shows of the tries, once there are so many."""
    shown: list[dict[str, Any]] = cloud.get(f"/jobs/{name}/events").json().get("deliveries", [])
    return shown if len(shown) >= count else []


def test_a_job_that_succeeds_is_told_of_with_its_images(told: Cloud, hook: Hook) -> None:
    told.drop("wh-good.json", job("wh-good", hook.url))
    heard = until(lambda: hook.heard)[0]
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


def test_each_secret_of_a_rotation_verifies_by_itself(told: Cloud, hook: Hook) -> None:
    new, old = hook.receiver.secrets[hook.path]
    assert asked(told, "/webhooks/test", hook.url)["delivered"]
    (heard,) = hook.heard
    assert heard.event["type"] == "wanx.test"
    for secret in (new, old):
        assert verifies([secret], heard.headers, heard.body)
    assert not verifies([new, old], heard.headers, heard.body + b" ")


def test_a_job_is_told_of_again_under_the_same_id_until_it_is_taken(
    told: Cloud, hook: Hook
) -> None:
    elsewhere = {"Location": f"{hook.url}/elsewhere"}
    hook.receiver.answers[hook.path] = [(500, {}), (302, elsewhere)]
    told.drop("wh-bad.json", job("wh-bad", hook.url, n=9))
    deliveries = until(lambda: tries(told, "wh-bad", 2))
    assert [one["outcome"] for one in deliveries] == ["failed", "failed"]
    assert [one["status"] for one in deliveries] == [500, 302]
    assert told.post("/jobs/wh-bad/redeliver", b"", JSON).status_code == 202
    assert until(lambda: tries(told, "wh-bad", 3))[2]["outcome"] == "delivered"
    assert {one.event["type"] for one in hook.heard} == {"wanx.job.rejected"}
    assert len({one.headers["webhook-id"] for one in hook.heard}) == 1
    assert all(one.genuine for one in hook.heard)
    assert hook.receiver.at(f"{hook.path}/elsewhere") == []


def test_a_receiver_that_says_410_hears_no_more_until_it_is_enabled(
    told: Cloud, hook: Hook
) -> None:
    hook.receiver.answers[hook.path] = [(410, {})]
    told.post("/jobs", job("wh-gone", hook.url, n=9), JSON)
    assert until(lambda: tries(told, "wh-gone", 1))[0]["outcome"] == "given_up"
    told.post("/jobs", job("wh-after", hook.url, n=9), JSON)
    assert until(lambda: tries(told, "wh-after", 1))[0]["outcome"] == "given_up"
    assert len(hook.heard) == 1
    assert hook.url in [one["url"] for one in told.get("/webhooks").json()["disabled"]]
    assert asked(told, "/webhooks/enable", hook.url) == {"enabled": True}
    assert told.post("/jobs/wh-after/redeliver", b"", JSON).status_code == 202
    assert until(lambda: tries(told, "wh-after", 2))[1]["outcome"] == "delivered"


@pytest.mark.parametrize("way", ["bucket", "api"])
def test_the_command_line_shows_tries_and_repeats(
    told: Cloud, hook: Hook, tmp_path: Path, way: str
) -> None:
    name = f"wh-cli-{way}"
    told.drop(f"{name}.json", job(name, hook.url))
    until(lambda: tries(told, name, 1))
    settings = tmp_path / "env"
    settings.write_text("".join(f"{one}={value}\n" for one, value in (told.env | HOOKS).items()))
    where = ["--env", str(settings)]
    if way == "api":
        where = ["--api", told.env["API_URL"], "--token", told.env["API_TOKEN"]]
    assert "delivered" in run(*where, "webhooks", "list", name)
    assert "try 2" in run(*where, "webhooks", "redeliver", name)
    assert until(lambda: hook.heard[1:])
    assert "answered 204" in run(*where, "webhooks", "test", hook.url)
    secrets = run(*where, "webhooks", "secret", hook.url).split()
    assert secrets == hook.receiver.secrets[hook.path]
    assert "was not disabled" in run(*where, "webhooks", "enable", hook.url)
    assert "no webhook of this name" in run(*where, "webhooks", "test", "nobody", code=1).lower()
    assert "no such job" in run(*where, "webhooks", "redeliver", "nobody", code=1)


def test_whom_nobody_may_tell_is_refused_before_anything_costs(told: Cloud) -> None:
    for webhook in ("http://hooks.example.com/", "https://10.0.0.1/hook", "nobody"):
        answer = told.post("/jobs", job("wh-refused", webhook), JSON)
        assert answer.status_code == 422
        assert {one["pointer"] for one in answer.json()["violations"]} == {"/job/webhook"}
