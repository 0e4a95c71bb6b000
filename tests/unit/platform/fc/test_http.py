"""Function Compute's HTTP event, as its help page has it, all the way to the endpoints."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from shared.api.jobs_api import create_app
from shared.platform.fc.http import HttpEvent, call
from tests.kit.http import Reply
from tests.kit.world import TOKEN, World, job_file

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Host": "fn.example.com"}


@pytest.fixture()
def world() -> World:
    return World()


def sample(method: str, raw_path: str, path: str, **more: Any) -> dict[str, Any]:
    """An event with every field of the documented one."""
    return {
        "version": "v1",
        "rawPath": raw_path,
        "body": "",
        "isBase64Encoded": False,
        "headers": HEADERS,
        "queryParameters": {},
        "requestContext": {
            "accountId": "123456*********",
            "domainName": "fn.example.com",
            "domainPrefix": "fn",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8",
            },
            "requestId": "1-1",
            "time": "2026-11-20T05:12:00Z",
            "timeEpoch": "1795151520000",
        },
        **more,
    }


def send(world: World, event: Mapping[str, Any]) -> Reply:
    app = create_app(world.app())
    return Reply(call(app, HttpEvent.of(json.dumps(event).encode())))


@pytest.mark.parametrize("encoded", [True, False])
def test_a_body_in_base64_and_one_in_plain_text_are_the_same(world: World, encoded: bool) -> None:
    body = job_file("一只猫")
    text = base64.b64encode(body).decode() if encoded else body.decode()
    headers = {**HEADERS, "Content-Type": "application/json"}
    event = sample("POST", "/jobs", "/jobs", body=text, isBase64Encoded=encoded, headers=headers)
    job = send(world, event).json["job"]
    shown = send(world, sample("GET", f"/jobs/{job}", f"/jobs/{job}")).json
    assert shown["spec"]["input"]["prompt"] == "一只猫"


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
def test_header_names_may_be_written_in_any_way(world: World, name: str) -> None:
    event = sample("GET", "/jobs", "/jobs", headers={name: f"Bearer {TOKEN}"})
    assert send(world, event).status == 200


def test_joined_headers_are_read_as_several(world: World) -> None:
    world.queued("cat")
    tag = send(world, sample("GET", "/jobs/cat", "/jobs/cat")).headers["etag"]
    headers = {**HEADERS, "If-None-Match": f'W/"old", {tag}'}
    assert send(world, sample("GET", "/jobs/cat", "/jobs/cat", headers=headers)).status == 304


def test_joined_query_parameters_are_read_as_several(world: World) -> None:
    world.queued("both", labels={"a": "1,5", "b": "2"})
    world.queued("one", labels={"a": "1,5"})
    event = sample("GET", "/jobs", "/jobs", queryParameters={"label": "a:1,5,b:2"})
    assert [job["job"] for job in send(world, event).json["jobs"]] == ["both"]


def test_encoded_paths_are_decoded_once(world: World) -> None:
    world.queued("cat")
    assert send(world, sample("GET", "/jobs/c%61t", "/jobs/cat")).json["job"] == "cat"
    assert send(world, sample("GET", "/jobs/c%2561t", "/jobs/c%61t")).status == 404
    assert send(world, sample("GET", "/jobs%2Fcat", "/jobs/cat")).status == 200


def test_a_trailing_slash_is_the_same_endpoint(world: World) -> None:
    assert send(world, sample("GET", "/jobs/", "/jobs/")).status == 200


def test_text_answers_travel_as_text_and_all_others_in_base64(world: World) -> None:
    for path in ("/jobs", "/jobs.csv", "/openapi.json"):
        event = HttpEvent.of(json.dumps(sample("GET", path, path)).encode())
        assert call(create_app(world.app()), event)["isBase64Encoded"] is False


def test_an_answer_without_a_body(world: World) -> None:
    world.queued("cat")
    tag = send(world, sample("GET", "/jobs/cat", "/jobs/cat")).headers["etag"]
    headers = {**HEADERS, "If-None-Match": tag}
    reply = send(world, sample("GET", "/jobs/cat", "/jobs/cat", headers=headers))
    assert (reply.status, reply.raw) == (304, b"")
