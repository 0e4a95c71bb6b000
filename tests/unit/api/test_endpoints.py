"""The HTTP endpoints: a request in, an answer out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from shared.api.jobs_api import create_app
from shared.app import App
from shared.storage import layout
from tests.kit.hooks import fail, once
from tests.kit.world import API_KEY, TOKEN, World, job_file, store_of
from tests.simulation.wsgi import Request, call

JSON = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
YAML = {**JSON, "Content-Type": "application/yaml; charset=utf-8"}


@pytest.fixture()
def world() -> World:
    return World()


def event(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = JSON) -> Request:
    """A request of a program."""
    return Request(method, path, headers, body)


class Answer:
    """What the program reads."""

    def __init__(self, app: App, request: Request) -> None:
        self.whole = call(create_app(app), request)
        self.status, self.headers = self.whole.status, self.whole.headers
        self.text = self.whole.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(world: World, method: str, path: str, *args: Any, **more: Any) -> Answer:
    return Answer(world.app("api"), event(method, path, *args, **more))


def test_a_posted_job_is_accepted_queued_and_polled_for(world: World) -> None:
    answer = ask(world, "POST", "/jobs", job_file())
    assert answer.status == 202
    job = answer.json["job"]
    assert answer.json["state"] == "QUEUED"
    assert answer.json["result_key"] == f"results/{job}/result.json"
    assert answer.json["urls"]["status"] == f"https://fn.example.com/jobs/{job}"
    assert answer.headers["location"] == answer.json["urls"]["status"]
    assert world.markers() == [job]
    assert world.bucket.holds(layout.WAKE)


def test_yaml_is_taken_as_well(world: World) -> None:
    body = "# 一只猫\n---\n" + job_file("一只猫").decode()
    assert ask(world, "POST", "/jobs", body.encode(), YAML).status == 202


def test_several_jobs_in_one_request(world: World) -> None:
    body = job_file("a") + b"\n" + job_file("b")
    headers = {**JSON, "Content-Type": "application/jsonl"}
    answer = ask(world, "POST", "/jobs", body, headers)
    assert answer.status == 202
    assert [job["state"] for job in answer.json["jobs"]] == ["QUEUED", "QUEUED"]


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer wrong", "Basic letmein", f"Bearer {TOKEN}x", "Bearer ünïcode"],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/jobs"), ("GET", "/jobs/cat")])
def test_without_a_valid_token_nothing_is_done(
    world: World, given: str | None, method: str, path: str
) -> None:
    headers = {"Content-Type": "application/json"}
    if given is not None:
        headers["Authorization"] = given
    answer = ask(world, method, path, job_file(), headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert TOKEN not in answer.text
    assert world.bucket.count() == 0


def test_without_any_token_in_the_settings_nobody_gets_in(world: World) -> None:
    for given in ("Bearer ", f"Bearer {TOKEN}"):
        headers = {**JSON, "Authorization": given}
        raw = event("GET", "/jobs/cat", b"", headers)
        assert Answer(world.app(token_hashes=()), raw).status == 401


def test_a_job_file_that_is_not_in_order_is_told_everything_at_once(world: World) -> None:
    body = json.dumps({"model": "brush", "input": {"prompt": ""}}).encode()
    answer = ask(world, "POST", "/jobs", body)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json["violations"]) == 3
    for violation in answer.json["violations"]:
        assert violation["pointer"].startswith("/input")
        assert violation["message"]
        assert violation["expected"]
    assert answer.json["status"] == 422
    assert world.markers() == []


def test_the_good_ones_among_bad_ones_are_named_as_accepted(world: World) -> None:
    body = job_file("a", id="good") + b"\n" + job_file(" ", id="bad")
    answer = ask(world, "POST", "/jobs", body, {**JSON, "Content-Type": "application/x-ndjson"})
    assert answer.status == 422
    assert answer.json["accepted"] == ["good"]
    assert {violation["job"] for violation in answer.json["violations"]} == {"bad"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[[[[", b"null", b"3", b"[]"])
def test_a_body_that_is_no_job_file_is_the_callers_mistake(world: World, body: bytes) -> None:
    answer = ask(world, "POST", "/jobs", body)
    assert answer.status == 422
    assert answer.json["violations"]
    assert "Traceback" not in answer.text


def test_a_body_over_the_limit_is_refused(world: World) -> None:
    app = world.app(job_file_bytes=100)
    answer = Answer(app, event("POST", "/jobs", b"x" * 101))
    assert answer.status == 413
    assert "100 bytes" in answer.json["detail"]


def test_an_unknown_media_type_is_refused_with_those_that_are_known(world: World) -> None:
    answer = ask(world, "POST", "/jobs", job_file(), {**JSON, "Content-Type": "image/png"})
    assert answer.status == 415
    assert "application/yaml" in answer.json["detail"]


def test_a_jobs_state_and_at_its_end_its_manifest(world: World) -> None:
    world.queued("cat")
    answer = ask(world, "GET", "/jobs/cat")
    assert (answer.status, answer.json["state"]) == (200, "QUEUED")
    assert "result" not in answer.json
    app = world.app()
    app.poller.run(app.clock.monotonic() + 100)
    answer = ask(world, "GET", "/jobs/cat")
    assert answer.json["state"] == "SUCCEEDED"
    assert answer.json["result"]["images"][0]["key"] == "results/cat/image-1.png"


def test_a_percent_encoded_path_is_the_same_job(world: World) -> None:
    world.queued("cat-1")
    assert ask(world, "GET", "/jobs/cat%2D1").json["job"] == "cat-1"


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/nobody",
        "/jobs/..%2f..%2fstate",
        "/jobs/%2e%2e",
        "/jobs/../../state/records/cat/000001.json",
        "/jobs/cat%00",
        "/jobs/%E4%B8%80",
        "/jobs/%ff%fe",
        "/jobs/" + "a" * 5000,
        "/nothing",
    ],
)
def test_paths_that_lead_nowhere(world: World, path: str) -> None:
    world.queued("cat")
    answer = ask(world, "GET", path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text


def test_a_method_that_is_not_offered(world: World) -> None:
    assert ask(world, "DELETE", "/jobs/cat").status == 405


def test_a_store_in_trouble_is_a_503_that_says_nothing_of_the_inside(world: World) -> None:
    app = world.app()
    store_of(app).before.append(once("read", "cat", fail))
    answer = Answer(app, event("GET", "/jobs/cat"))
    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert "state/" not in answer.text


def test_no_secret_is_in_any_answer(world: World) -> None:
    answers = [ask(world, "POST", "/jobs", job_file()), ask(world, "GET", "/jobs/x")]
    for answer in answers:
        assert TOKEN not in repr(answer.whole)
        assert API_KEY not in repr(answer.whole)
