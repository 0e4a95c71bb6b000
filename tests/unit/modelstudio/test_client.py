"""The client of Model Studio, over real HTTP: made, not made, or nobody knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from shared.app import for_invocation
from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import (
    ListWindow,
    ModelStudio,
    OutcomeUnknown,
    ServiceError,
    TaskCreated,
)
from tests.kit.clock import FixedDay
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, refusing_port, scripted_http

KEY = "sk-not-a-real-key"
ENDPOINT = "/services/aigc/image2image/image-synthesis"
BODY = {"model": "brush", "input": {"prompt": "一只猫"}, "parameters": {"n": 1}}

NOW = 1795151600.0


def said(status: int, document: Any) -> Answer:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(status, text, {"Content-Type": "application/json"})


ACCEPTED = said(200, {"output": {"task_id": "t1", "task_status": "PENDING"}, "request_id": "r1"})


@pytest.fixture()
def app() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


@pytest.fixture()
def client(app: HttpScript) -> ModelStudio:
    session = requests.Session()
    return ModelStudio(f"{app.url}/api/v1", FixedKey(KEY), session, "ws-1", clock=FixedDay(NOW))


def test_an_accepted_task(client: ModelStudio, app: HttpScript) -> None:
    app.then(ACCEPTED)
    assert client.create(ENDPOINT, BODY) == TaskCreated("t1", "r1")
    (post,) = app.seen
    assert (post.method, post.target) == ("POST", f"/api/v1{ENDPOINT}")
    assert json.loads(post.body) == BODY
    assert post.headers["x-dashscope-async"] == "enable"
    assert post.headers["authorization"] == f"Bearer {KEY}"
    assert post.headers["x-dashscope-workspace"] == "ws-1"
    assert post.headers["content-type"] == "application/json"
    assert "x-dashscope-ossresourceresolve" not in post.headers


def test_temporary_uploads_ask_the_service_to_resolve_them(
    client: ModelStudio, app: HttpScript
) -> None:
    app.then(ACCEPTED)
    client.create(ENDPOINT, {**BODY, "input": {"images": ["oss://dashscope-instant/a.png"]}})
    assert app.seen[0].headers["x-dashscope-ossresourceresolve"] == "enable"


def test_a_client_without_a_workspace_names_none(app: HttpScript) -> None:
    app.then(ACCEPTED)
    ModelStudio(f"{app.url}/api/v1", FixedKey(KEY), requests.Session()).create(ENDPOINT, BODY)
    assert "x-dashscope-workspace" not in app.seen[0].headers


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "InvalidApiKey"), (429, "Throttling.RateQuota"), (400, "InvalidParameter")],
)
def test_a_refusal_in_the_services_own_words(
    client: ModelStudio, app: HttpScript, status: int, code: str
) -> None:
    app.then(said(status, {"code": code, "message": "why", "request_id": "r9"}))
    assert client.create(ENDPOINT, BODY) == ServiceError(code, "why", status, "r9")


def test_an_error_body_behind_http_200_is_a_refusal(client: ModelStudio, app: HttpScript) -> None:
    app.then(said(200, {"code": "InvalidParameter", "message": "why", "request_id": "r9"}))
    assert client.create(ENDPOINT, BODY) == ServiceError("InvalidParameter", "why", 200, "r9")


@pytest.mark.parametrize("status", [200, 201, 202, 206, 400, 409, 408, 429, 500])
def test_a_task_that_is_named_was_made_whatever_the_status(
    client: ModelStudio, app: HttpScript, status: int
) -> None:
    app.then(said(status, {"output": {"task_id": "t1"}, "request_id": "r1"}))
    assert client.create(ENDPOINT, BODY) == TaskCreated("t1", "r1")


@pytest.mark.parametrize(
    "answer",
    [
        said(202, b""),
        said(201, {"request_id": "r"}),
        said(408, {"code": "RequestTimeOut", "message": "?"}),
        said(500, {"code": "InternalError", "message": "?"}),
        said(502, b"<html>bad gateway</html>"),
        said(504, b""),
        said(200, b"<html>hello</html>"),
        said(200, {"output": {}}),
        said(200, {"output": None}),
        said(200, {"code": "Odd", "message": "?", "output": {"task_id": 7}}),
        said(200, ["no", "object"]),
        NOTHING,
        Answer(200, b'{"output": {"task_id": "t1"}}', cut=9),
    ],
    ids=[
        "202",
        "201",
        "408",
        "500",
        "502",
        "504",
        "html",
        "no id",
        "null",
        "code and a number for an id",
        "list",
        "cut before",
        "cut within",
    ],
)
def test_an_unclear_answer_is_unknown_and_never_asked_for_twice(
    client: ModelStudio, app: HttpScript, answer: Answer
) -> None:
    app.then(answer)
    assert isinstance(client.create(ENDPOINT, BODY), OutcomeUnknown)
    assert len(app.seen) == 1


def test_no_answer_in_time_is_unknown(client: ModelStudio, app: HttpScript) -> None:
    client.create_timeout = 0.05
    app.then(app.never)
    assert isinstance(client.create(ENDPOINT, BODY), OutcomeUnknown)
    app.await_request()
    assert len(app.seen) == 1


def test_a_refused_connection_sent_nothing() -> None:
    with refusing_port() as port:
        nobody = ModelStudio(f"http://127.0.0.1:{port}/api/v1", FixedKey(KEY), requests.Session())
        outcome = nobody.create(ENDPOINT, BODY)
    assert isinstance(outcome, ServiceError)
    assert (outcome.code, outcome.http) == ("Unreachable", 0)


def test_a_redirect_is_not_followed_with_the_key(client: ModelStudio, app: HttpScript) -> None:
    app.then(Answer(307, headers={"Location": f"{app.url}/elsewhere"}))
    assert isinstance(client.create(ENDPOINT, BODY), ServiceError)
    assert len(app.seen) == 1


class OpenStore:
    """Stands where connect() opens the bucket, which plays no part here."""

    def __init__(self, *_parts: object) -> None:
        """Nothing to open."""

    def refuse_versioned(self) -> None:
        """No versioning."""


def test_a_submission_uses_a_connection_of_its_own(
    app: HttpScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.instance.open_store", OpenStore)
    monkeypatch.setattr("shared.instance.INSTANCE.checked_buckets", {})
    environ = {
        "OSS_ENDPOINT": "http://127.0.0.1:1",
        "OSS_BUCKET": "studio",
        "LOG_LEVEL": "WARNING",
        "OSS_ACCESS_KEY_ID": "id",
        "OSS_ACCESS_KEY_SECRET": "secret",
        "DASHSCOPE_API_KEY": KEY,
        "DASHSCOPE_HTTP_BASE_URL": f"{app.url}/api/v1",
    }
    client = for_invocation(environ).model_studio
    app.then(said(200, {"output": {"task_status": "RUNNING"}}), ACCEPTED)
    client.query("t0")
    client.create(ENDPOINT, BODY)
    assert app.seen[0].port != app.seen[1].port


def test_a_finished_task_with_its_times_in_beijing(client: ModelStudio, app: HttpScript) -> None:
    output = {
        "task_id": "t1",
        "task_status": "SUCCEEDED",
        "submit_time": "2026-11-20 13:12:00.500",
        "scheduled_time": "2026-11-20 13:12:01.000",
        "end_time": "",
        "results": [{"url": "https://host/a.png"}],
    }
    app.then(said(200, {"output": output, "usage": {"image_count": 1}, "request_id": "q1"}))
    task = client.query("t1")
    assert (task.status, task.request_id, task.usage) == ("SUCCEEDED", "q1", {"image_count": 1})
    assert task.times == {"submit_time": 1795151520.5, "scheduled_time": 1795151521.0}
    assert task.answer["output"] == output
    assert app.seen[0].target == "/api/v1/tasks/t1"


@pytest.mark.parametrize("usage", [None, [1], "many", 3])
def test_a_usage_of_another_shape_is_none(client: ModelStudio, app: HttpScript, usage: Any) -> None:
    app.then(said(200, {"output": {"task_status": "SUCCEEDED"}, "usage": usage}))
    assert client.query("t1").usage == {}


def test_a_failed_task_is_a_normal_answer(client: ModelStudio, app: HttpScript) -> None:
    output = {"task_status": "FAILED", "code": "InvalidURL", "message": "no such picture"}
    app.then(said(200, {"output": output}))
    task = client.query("t1")
    assert (task.status, task.code, task.message) == ("FAILED", "InvalidURL", "no such picture")


@pytest.mark.parametrize(
    ("answer", "code", "http"),
    [
        (said(401, {"code": "InvalidApiKey", "message": "no"}), "InvalidApiKey", 401),
        (said(502, b"<html>"), "Unreadable", 502),
        (said(200, {"code": "Throttling", "message": "slow"}), "Throttling", 200),
        (said(200, {"output": None}), "UnreadableAnswer", 200),
        (NOTHING, "Unreachable", 0),
    ],
    ids=["401", "502", "200 with code", "no output", "cut"],
)
def test_a_query_that_cannot_be_answered(
    client: ModelStudio, app: HttpScript, answer: Answer, code: str, http: int
) -> None:
    app.then(answer)
    with pytest.raises(ServiceError) as caught:
        client.query("t1")
    assert (caught.value.code, caught.value.http) == (code, http)
    assert KEY not in str(caught.value)


def page(number: int, pages: int, *ids: str) -> Answer:
    rows = [
        {"task_id": name, "status": "RUNNING", "gmt_create": 1795151520500, "request_id": "r"}
        for name in ids
    ]
    return said(200, {"data": rows, "total_page": pages, "page_no": number, "total": 3})


def test_the_task_list_is_read_to_its_last_page(client: ModelStudio, app: HttpScript) -> None:
    app.then(page(1, 2, "t1", "t2"), page(2, 2, "t3"))
    tasks = client.listed("brush", ListWindow(1795151520.0, 1795151580.0, 8))
    assert [task.task_id for task in tasks] == ["t1", "t2", "t3"]
    assert tasks[0].created == 1795151520.5
    first, second = (seen.target for seen in app.seen)
    assert "model_name=brush" in first
    assert "start_time=20261120131200" in first
    assert "end_time=20261120131301" in first
    assert "page_no=1" in first
    assert "page_no=2" in second


def test_an_empty_task_list(client: ModelStudio, app: HttpScript) -> None:
    app.then(said(200, {"data": [], "total_page": 0}))
    assert client.listed("brush") == []
    (seen,) = app.seen
    assert "_time=" not in seen.target, "asked for the last 24 hours, in no zone"


def test_the_times_of_a_list_are_written_in_the_zone_it_reads(
    client: ModelStudio, app: HttpScript
) -> None:
    app.then(said(200, {"data": [], "total_page": 0}))
    client.listed("brush", ListWindow(1795151520.0, 1795151580.0, 0))
    assert "start_time=20261120051200" in app.seen[0].target


def test_a_probe_lists_without_times(client: ModelStudio, app: HttpScript) -> None:
    app.then(said(200, {"data": [], "total_page": 9}), said(401, {"code": "InvalidApiKey"}))
    client.probe("brush")
    assert [seen.target.split("?")[0] for seen in app.seen] == ["/api/v1/tasks/"]
    assert "_time=" not in app.seen[0].target
    with pytest.raises(ServiceError, match="InvalidApiKey"):
        client.probe("brush")


def test_cancelling_what_runs_already_is_refused(client: ModelStudio, app: HttpScript) -> None:
    app.then(
        said(200, {"request_id": "c1"}),
        said(400, {"code": "UnsupportedOperation", "message": "running"}),
    )
    client.cancel("t1")
    assert app.seen[0].target == "/api/v1/tasks/t1/cancel"
    with pytest.raises(ServiceError, match="UnsupportedOperation"):
        client.cancel("t1")


def test_the_key_is_not_in_the_clients_repr(client: ModelStudio) -> None:
    assert KEY not in repr(client)


LISTED = {"data": [], "total_page": 1}
ROW = {"task_id": "t", "gmt_create": 1795151520500, "status": "RUNNING"}
NO_TIMES = [10**400, 10**18, -(10**18), 1e300, 0, 1795151520, 1795151520500000, True, "x"]
"""Times of a task that cannot be; among them seconds and microseconds."""


@pytest.mark.parametrize(
    "document",
    [
        {"request_id": "x"},
        {"data": None, "total_page": 1},
        {"data": {}, "total_page": 1},
        LISTED | {"total_page": None},
        LISTED | {"total_page": "1"},
        LISTED | {"total_page": True},
        LISTED | {"total_page": 2},
        LISTED | {"total": 1},
        LISTED | {"data": [ROW, ROW], "total": 2},
        LISTED | {"data": [1]},
        LISTED | {"data": [{"task_id": "t"}]},
        LISTED | {"data": [ROW | {"gmt_create": None}]},
        *(LISTED | {"data": [ROW | {"gmt_create": made}]} for made in NO_TIMES),
        LISTED | {"data": [ROW, ROW | {"task_id": "u", "gmt_create": 0}]},
        LISTED | {"data": [ROW | {"task_id": "../x"}]},
        [],
    ],
)
def test_a_list_that_cannot_be_read_is_not_a_list_without_tasks(
    client: ModelStudio, app: HttpScript, document: Any
) -> None:
    app.then(said(200, document))
    with pytest.raises(ServiceError, match="UnreadableAnswer"):
        client.listed("brush")


@pytest.mark.parametrize("hours", [-24, -8, 0, 8, 14, 23])
def test_a_listed_time_may_be_hours_from_ours(
    client: ModelStudio, app: HttpScript, hours: int
) -> None:
    row = ROW | {"gmt_create": int(NOW + hours * 3600) * 1000}
    app.then(said(200, LISTED | {"data": [row]}))
    assert [task.created for task in client.listed("brush")] == [NOW + hours * 3600]


@pytest.mark.parametrize(
    "body",
    [b"<html>maintenance</html>", b"", b"\xff", b"[" * 100_000, b'{"x": "' + b"y" * 5_000_000],
)
def test_a_body_that_is_not_json_of_a_bounded_size_is_no_answer(
    client: ModelStudio, app: HttpScript, body: bytes
) -> None:
    app.then(Answer(200, body))
    app.then(Answer(200, body))
    with pytest.raises(ServiceError, match="UnreadableAnswer"):
        client.listed("brush")
    with pytest.raises(ServiceError, match="UnreadableAnswer"):
        client.query("t")
    app.then(Answer(200, body))
    assert isinstance(client.create("/x", {}), OutcomeUnknown)


def test_texts_are_bounded_and_can_be_written_down(client: ModelStudio, app: HttpScript) -> None:
    output = {"task_status": "FAILED", "code": "c" * 9000, "message": "\ud83d" + "m" * 5_000}
    app.then(Answer(200, json.dumps({"output": output}).encode()))
    task = client.query("t")
    assert len(task.code) <= 200
    assert len(task.message.encode()) < 5_000
    assert task.message.startswith("?mmm")
