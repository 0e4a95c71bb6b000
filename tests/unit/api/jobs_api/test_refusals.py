"""Requests that are refused in words that help: ids, parameters, bodies, encodings, records."""

from __future__ import annotations

import gzip
import json
import logging
from typing import Any

import pytest

from tests.kit.http import ask, failed
from tests.kit.world import MODEL, OTHER, World, job_file, run

RECORD = "state/records/cat/000001.json"


@pytest.fixture()
def world() -> World:
    return World()


@pytest.mark.parametrize("job", ["c" * 65, "%C3%A9", "a%20b", "-", ".hidden", "a..b", "a%0A"])
def test_an_id_that_no_job_can_have_is_explained_to_a_put(world: World, job: str) -> None:
    reply = ask(world, "PUT", f"/jobs/{job}", job_file())
    assert reply.status == 422
    assert "up to 64 letters, digits, dots, underscores and hyphens" in reply.json["detail"]
    assert reply.json["violations"][0]["pointer"] == "/job/id"
    assert not world.bucket.keys()
    assert ask(world, "GET", f"/jobs/{job}").status == 404


@pytest.mark.parametrize("path", ["/jobs", "/jobs.csv", "/jobs.jsonl"])
def test_a_list_names_models_and_parameters_that_are_known(world: World, path: str) -> None:
    wrong = ask(world, "GET", f"{path}?model=nope")
    assert (wrong.status, wrong.json["violations"][0]["parameter"]) == (400, "model")
    assert f"one of {MODEL}, {OTHER}, not 'nope'" in wrong.json["detail"]
    unknown = ask(world, "GET", f"{path}?stat=QUEUED")
    assert unknown.status == 400
    for word in ("'stat'", "cursor, hidden, label, limit, model, search, since, state, until"):
        assert word in unknown.json["detail"]
    assert (
        ask(
            world, "GET", f"{path}?model=&state=&label=&since=&until=&search=&hidden=&cursor="
        ).status
        == 200
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/jobs/cat?wait=0", 200),
        ("GET", "/jobs/cat?wiat=30", 400),
        ("GET", "/jobs/cat/events?limit=3", 400),
        ("POST", "/jobs/cat/cancel?force=1", 400),
        ("GET", "/models?name=x", 400),
        ("GET", "/?lang=zh", 200),
        ("GET", "/api/v1/tasks/cat?whatever=1", 200),
    ],
)
def test_each_endpoint_knows_its_parameters(
    world: World, method: str, path: str, status: int
) -> None:
    world.queued("cat")
    assert ask(world, method, path).status == status


@pytest.mark.parametrize(
    ("query", "meant"),
    [("status=FAILED", "state"), ("page=2", "cursor"), ("stat=x", "state"), ("limits=1", "limit")],
)
def test_a_parameter_that_is_not_known_leads_to_the_one_that_is(
    world: World, query: str, meant: str
) -> None:
    reply = ask(world, "GET", f"/jobs?{query}")
    assert reply.status == 400
    assert f"Did you mean {meant}?" in reply.json["detail"]


def test_the_parameters_that_are_known_are_those_described(world: World) -> None:
    described = ask(world, "GET", "/openapi.json").json
    parameters = described["components"]["parameters"]
    for path, methods in described["paths"].items():
        for method in set(methods) & {"get", "post", "put"}:
            listed = [*methods.get("parameters", ()), *methods[method].get("parameters", ())]
            whole = [
                parameters[one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one
                for one in listed
            ]
            names = sorted(one["name"] for one in whole if one["in"] == "query")
            target = path.format(job="cat", task="t", name="n", decision="retry")
            reply = ask(world, method.upper(), f"{target}?nonsense=1")
            assert reply.status == 400, (method, path)
            assert f"known here: {', '.join(names) or 'no parameter'}." in reply.json["detail"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"{", "line 1"),
        (b"\xff", "byte 1 is not UTF-8"),
        (b"", "empty"),
        (b"[1]", "a list"),
        (b"null", "null"),
    ],
)
def test_a_broken_body_of_an_upload_is_described(world: World, body: bytes, found: str) -> None:
    reply = ask(world, "POST", "/uploads", body)
    assert reply.status == 422
    (violation,) = reply.json["violations"]
    assert found in violation["found"]
    assert violation["found"] in violation["message"]


def test_what_is_missing_in_an_upload_is_told_from_null(world: World) -> None:
    violations = ask(world, "POST", "/uploads", {"size": None, "content_type": True}).json[
        "violations"
    ]
    assert [one["found"] for one in violations] == ["nothing", "null", "true"]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "nonsense"])
def test_an_encoded_body_is_refused(world: World, coding: str) -> None:
    packed = gzip.compress(job_file())
    for method, path in (("POST", "/jobs"), ("PUT", "/jobs/cat"), ("POST", "/uploads")):
        reply = ask(world, method, path, packed, Content_Encoding=coding)
        assert reply.status == 415
        assert "without Content-Encoding" in reply.json["detail"]
        assert reply.headers["content-type"] == "application/problem+json"
    for path in ("/services/aigc/image2image/image-synthesis", "/uploads/form"):
        theirs = ask(world, "POST", f"/api/v1{path}", packed, Content_Encoding=coding)
        assert theirs.status in (404, 415)
        assert set(theirs.json) == {"code", "message", "request_id"}
    assert not world.bucket.keys()


def test_identity_is_no_encoding(world: World) -> None:
    assert ask(world, "POST", "/jobs", job_file(), Content_Encoding="identity").status == 202


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/jobs/cat"), ("GET", "/jobs/cat/events"), ("POST", "/jobs/cat/cancel")],
)
def test_a_damaged_record_is_named(
    world: World, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.queued("cat")
    world.bucket.write(RECORD, b"{")
    with caplog.at_level(logging.ERROR):
        reply = ask(world, method, path)
    assert (reply.status, reply.json["title"]) == (500, "Record damaged")
    assert RECORD in reply.json["detail"]
    assert "Put it back" in reply.json["detail"]
    assert "retry-after" not in reply.headers
    (line,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert line.exc_info is None


def test_a_damaged_record_in_the_services_manner(world: World) -> None:
    world.queued("cat")
    world.bucket.write(RECORD, b"{")
    reply = ask(world, "GET", "/api/v1/tasks/cat")
    assert (reply.status, reply.json["code"]) == (500, "InternalError")
    assert RECORD in reply.json["message"]


def put_back(world: World, job: str) -> Any:
    text = ask(world, "GET", f"/jobs/{job}/jobfile").raw
    return ask(world, "PUT", f"/jobs/{job}", text, Content_Type="application/yaml")


@pytest.mark.parametrize("more", [{}, {"job": {"labels": {"a": "b"}, "expires_after": "90m"}}])
def test_a_jobs_own_file_put_back_is_the_same_job(world: World, more: dict[str, Any]) -> None:
    body = {**json.loads(job_file()), **more}
    assert ask(world, "PUT", "/jobs/cat", body).status == 202
    assert put_back(world, "cat").status == 200
    run(world)
    assert put_back(world, "cat").json["state"] == "SUCCEEDED"
    assert len(world.studio.posts) == 1


def test_the_file_of_a_job_that_was_posted_without_an_id_can_be_put_back(world: World) -> None:
    job = str(ask(world, "POST", "/jobs", job_file()).json["job"])
    assert put_back(world, job).status == 200


def test_another_priority_is_another_body(world: World) -> None:
    failed(world, "cat")
    kept = world.bucket.keys()
    assert ask(world, "PUT", "/jobs/cat", job_file("prompt of cat", priority=1)).status == 409
    assert world.bucket.keys() == kept


def test_a_problem_is_said_in_both_languages(world: World) -> None:
    reply = ask(world, "GET", "/jobs/nobody")
    assert reply.json["detail"] == "There is no job 'nobody'."
    assert reply.json["detail_zh"] == "没有任务 'nobody'。"
    assert (reply.json["title"], reply.json["title_zh"]) == ("No such job", "任务不存在")


def test_violations_are_said_in_both_languages_and_stored_in_english(world: World) -> None:
    wrong = job_file("dog", parameters={"n": 9})
    reply = ask(world, "POST", "/jobs", wrong)
    (violation,) = reply.json["violations"]
    assert violation["message_zh"].startswith("/parameters/n：超出取值范围；应为 1 至 4 的整数")
    assert violation["expected_zh"] == "1 至 4 的整数"
    stored = world.bucket.peek(f"results/{violation['job']}/result.json")
    assert b"message_zh" not in stored and violation["message"].encode() in stored
    view = ask(world, "GET", f"/jobs/{violation['job']}").json
    assert view["violations"] == view["result"]["violations"]
    assert view["violations"][0]["message_zh"] == violation["message_zh"]
    listed = ask(world, "GET", "/jobs").json["jobs"]
    assert violation["message_zh"] in [(row["error"] or {}).get("message_zh") for row in listed]


def test_what_nobody_serves_is_refused_in_both_languages(world: World) -> None:
    reply = ask(world, "GET", "/nowhere")
    assert reply.json["title_zh"] == "404 未找到"
    assert reply.json["detail_zh"] == "接口说明见 /openapi.json。"
