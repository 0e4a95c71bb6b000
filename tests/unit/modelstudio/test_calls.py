"""Calling a synchronous model, over real HTTP: answered, refused, or nobody knows."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
import requests

from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.calls import CallAnswered, Calls, KeepAliveAdapter
from shared.modelstudio.client import ModelStudio, OutcomeUnknown, ServiceError
from tests.kit.scripted_http import NOTHING, Answer, HttpScript, Seen, refusing_port, scripted_http
from tests.unit.modelstudio.test_client import KEY, said

ENDPOINT = "/services/aigc/multimodal-generation/generation"
BODY = {"model": "brush", "input": {"prompt": "一只猫" * 9000}, "parameters": {"n": 1}}
OUTPUT = {"choices": [{"message": {"content": [{"image": "https://a.example/1.png"}]}}]}
ANSWERED = said(200, {"output": OUTPUT, "usage": {"image_count": 1}, "request_id": "r", "x": 1})


@pytest.fixture()
def app() -> Iterator[HttpScript]:
    with scripted_http() as script:
        yield script


def calls(base: str, timeout: float = 5.0) -> Calls:
    studio = ModelStudio(f"{base}/api/v1", FixedKey(KEY), requests.Session())
    studio.session.mount("http://", KeepAliveAdapter())
    return Calls(studio, timeout)


def test_an_answer_is_kept_as_far_as_it_counts(app: HttpScript) -> None:
    app.then(ANSWERED)
    written: list[str] = []
    outcome = calls(app.url).call(ENDPOINT, BODY, lambda: written.append("written"))
    kept = {"output": OUTPUT, "usage": {"image_count": 1}, "request_id": "r"}
    assert outcome == CallAnswered(kept)
    (post,) = app.seen
    assert json.loads(post.body) == BODY
    assert "x-dashscope-async" not in post.headers
    assert "transfer-encoding" not in post.headers
    assert written == ["written"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (NOTHING, "after the request was sent"),
        (said(500, {"code": "InternalError"}), "HTTP 500 InternalError"),
        (said(503, b"busy"), "HTTP 503"),
        (said(408, {}), "HTTP 408"),
        (said(500, {"output": {"task_status": "UNKNOWN"}}), "HTTP 500"),
        (said(408, {"output": {"task_status": "UNKNOWN"}}), "HTTP 408"),
        (said(202, b""), "HTTP 202 with an unreadable answer"),
        (said(202, {"request_id": "r"}), "HTTP 202 without an output"),
        (said(200, b"<html>"), "HTTP 200 with an unreadable answer"),
        (said(200, {"request_id": "r"}), "HTTP 200 without an output"),
        (said(200, {"output": {}}), "HTTP 200 without an output"),
    ],
)
def test_a_lost_answer_is_unknown_and_never_asked_for_again(
    app: HttpScript, answer: object, reason: str
) -> None:
    app.then(answer)  # type: ignore[arg-type]
    outcome = calls(app.url, timeout=0.5).call(ENDPOINT, BODY)
    assert isinstance(outcome, OutcomeUnknown)
    assert reason in outcome.reason
    assert len(app.seen) == 1


@pytest.mark.parametrize("status", [201, 202, 206, 400, 429])
def test_what_was_made_is_taken_whatever_the_status(app: HttpScript, status: int) -> None:
    app.then(said(status, {"output": {"choices": [1]}}))
    assert calls(app.url).call(ENDPOINT, BODY) == CallAnswered({"output": {"choices": [1]}})


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "DataInspectionFailed"), (429, "Throttling"), (200, "Arrearage"), (403, "AccessDenied")],
)
def test_a_refusal_is_told_in_the_words_of_the_service(
    app: HttpScript, status: int, code: str
) -> None:
    app.then(said(status, {"code": code, "message": "no", "request_id": "r"}))
    assert calls(app.url).call(ENDPOINT, BODY) == ServiceError(code, "no", status, "r")


class Rotating:
    """A key that is replaced once it is refused."""

    key = KEY

    def value(self) -> str:
        return self.key

    def renewed(self, refused: str) -> bool:
        self.key = "sk-new"
        return refused != self.key


def test_a_call_whose_key_was_replaced_is_left_to_another_permit(app: HttpScript) -> None:
    """Minutes may have passed: a second POST here would be covered by no lease and no permit."""
    app.then(said(401, {"code": "InvalidApiKey", "message": "no"}), ANSWERED)
    made = calls(app.url)
    made.model_studio.api_key = Rotating()
    outcome = made.call(ENDPOINT, BODY)
    assert isinstance(outcome, ServiceError)
    assert (outcome.code, outcome.http) == ("Unreachable", 0)
    assert len(app.seen) == 1
    assert isinstance(made.call(ENDPOINT, BODY), CallAnswered)
    assert app.seen[1].headers["authorization"] == "Bearer sk-new"


@pytest.mark.parametrize("status", [400, 429])
def test_a_refusal_whose_words_are_cut_off_is_a_refusal(app: HttpScript, status: int) -> None:
    app.then(Answer(status, b'{"code": "Throttling", "message": "no"}', cut=9))
    outcome = calls(app.url).call(ENDPOINT, BODY)
    assert isinstance(outcome, ServiceError)
    assert outcome.code == "Unreachable"


def test_an_answer_whose_end_is_cut_off_is_lost(app: HttpScript) -> None:
    app.then(Answer(200, b'{"output": {"choices": []}}', cut=9))
    assert isinstance(calls(app.url).call(ENDPOINT, BODY), OutcomeUnknown)


def test_a_request_that_did_not_leave_completely_was_not_worked_on() -> None:
    """Whatever a gateway says then: a model cannot begin with half a request."""
    large = {**BODY, "input": {"prompt": "x" * 30_000_000}}
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
                connection.shutdown(socket.SHUT_RDWR)

        thread = threading.Thread(target=answer)
        thread.start()
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        outcome = calls(base).call(ENDPOINT, large)
        thread.join()
    assert isinstance(outcome, ServiceError)
    assert (outcome.code, outcome.http) == ("Unreachable", 0)


def test_each_call_has_a_connection_of_its_own() -> None:
    """One that is used again may be closing: what is written into it then is lost for certain."""
    body = json.dumps({"output": OUTPUT}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    _read_request(connection)
                    connection.sendall(head + body)
                    connection.recv(1)  # until it is closed, or used again

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        made = calls(f"http://127.0.0.1:{server.getsockname()[1]}")
        small = {**BODY, "input": {"prompt": "a cat"}}
        outcomes = [made.call(ENDPOINT, small) for _ in range(2)]
    assert [type(one) for one in outcomes] == [CallAnswered, CallAnswered]


def test_a_call_that_is_open_stays_open_while_others_are_made(app: HttpScript) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(_seen: Seen) -> Answer:
        entered.set()
        leave.wait(10.0)
        return ANSWERED

    app.then(slow, ANSWERED)
    made, outcomes = calls(app.url), list[object]()
    first = threading.Thread(target=lambda: outcomes.append(made.call(ENDPOINT, BODY)))
    first.start()
    assert entered.wait(10.0)
    outcomes.append(made.call(ENDPOINT, BODY))
    leave.set()
    first.join()
    assert [type(one) for one in outcomes] == [CallAnswered, CallAnswered]


def _read_request(connection: socket.socket) -> None:
    while b'"n": 1}}' not in connection.recv(65536)[-9:]:
        pass


def test_nothing_was_done_where_nobody_listens() -> None:
    outcome = calls(f"http://127.0.0.1:{refusing_port()}").call(ENDPOINT, BODY)
    assert isinstance(outcome, ServiceError)
    assert (outcome.code, outcome.http) == ("Unreachable", 0)


def test_a_call_is_written_while_its_answer_is_still_awaited() -> None:
    """And its connection is kept alive."""
    written, checked = threading.Event(), list[bool]()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                _read_request(connection)
                checked.append(written.wait(5.0))
                body = json.dumps({"output": OUTPUT}).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)

        thread = threading.Thread(target=answer)
        thread.start()
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        outcome = calls(base).call(ENDPOINT, BODY, written.set)
        thread.join()
    assert outcome == CallAnswered({"output": OUTPUT})
    assert checked == [True]


def test_a_connection_that_waits_is_kept_alive() -> None:
    options = KeepAliveAdapter().poolmanager.connection_pool_kw["socket_options"]
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
