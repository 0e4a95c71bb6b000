"""The HTTP trigger and web functions: requests to a server of the function's own."""

from __future__ import annotations

import gzip
import http.client
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.contract.runtime.functions_under_test.runtime_under_test import (
    FUNCTIONS,
    ROOT,
    RuntimeUnderTest,
    is_running,
    until,
)

KEYS = {
    "OSS_ACCESS_KEY_ID": "the-id",
    "OSS_ACCESS_KEY_SECRET": "the-secret",
    "OSS_SESSION_TOKEN": "the-token",
}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeUnderTest]:
    with RuntimeUnderTest(tmp_path_factory.mktemp("http"), "--instances", "2", **KEYS) as running:
        yield running


def _echo(
    runtime: RuntimeUnderTest, path: str, data: str | bytes = b"", **headers: str
) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    seen: dict[str, Any] = requests.post(
        runtime.url + path, timeout=10, data=data, headers=named
    ).json()
    return seen


def _values(seen: dict[str, Any], name: str) -> list[str]:
    return [value for key, value in seen["headers"] if key.lower() == name]


def test_a_request_arrives_as_the_caller_sent_it(runtime: RuntimeUnderTest) -> None:
    seen = _echo(runtime, "/a%2Fb/%E7%8C%AB?x=1&x=2&y=%26&z", data="你好".encode(), user_agent="U")
    assert seen["method"] == "POST"
    assert seen["path"] == "/a%2Fb/%E7%8C%AB?x=1&x=2&y=%26&z"
    assert seen["body"].encode("latin-1").decode() == "你好"
    assert _values(seen, "user-agent") == ["U"]
    assert _values(seen, "host") == [urlsplit(runtime.url).netloc]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("body", [gzip.compress(b"{}", mtime=0), b"{}"])
def test_a_body_is_handed_on_as_it_comes_whatever_its_coding(
    runtime: RuntimeUnderTest, coding: str, body: bytes
) -> None:
    seen = _echo(runtime, "/", data=body, content_encoding=coding)
    assert seen["body"].encode("latin-1") == body
    assert _values(seen, "content-encoding") == [coding]


def test_a_header_that_comes_twice_arrives_twice(runtime: RuntimeUnderTest) -> None:
    connection = http.client.HTTPConnection(urlsplit(runtime.url).netloc, timeout=10)
    connection.putrequest("GET", "/")
    connection.putheader("X-My-Header", "one")
    connection.putheader("X-My-Header", "two")
    connection.endheaders()
    text = connection.getresponse().read().decode()
    connection.close()
    assert '["X-My-Header", "one"], ["X-My-Header", "two"]' in text


def test_a_binary_response_with_repeated_headers_round_trips(runtime: RuntimeUnderTest) -> None:
    answer = requests.get(f"{runtime.url}/binary", timeout=10)
    assert answer.status_code == 201
    assert answer.content == bytes(range(256))
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}


def test_a_method_the_trigger_does_not_list_is_405(runtime: RuntimeUnderTest) -> None:
    answer = requests.delete(f"{runtime.url}/", timeout=10)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST, HEAD"
    assert requests.head(f"{runtime.url}/", timeout=10).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/invoke", "/initialize", "/pre-stop", "/_other", "/2023-03-30/functions/web/x", "/%0A"],
)
def test_a_caller_may_ask_the_function_for_any_path(runtime: RuntimeUnderTest, path: str) -> None:
    assert _echo(runtime, path)["path"] == path


def test_a_body_over_32_mb_is_refused_before_it_comes(runtime: RuntimeUnderTest) -> None:
    connection = http.client.HTTPConnection(urlsplit(runtime.url).netloc, timeout=10)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", str(32 * 1024 * 1024 + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"put it into OSS" in answer.read()
    connection.close()


def test_a_body_over_32_mb_that_does_not_say_so_is_refused(runtime: RuntimeUnderTest) -> None:
    pieces = iter([bytes(1024 * 1024)] * 33)
    assert requests.post(runtime.url, data=pieces, timeout=20).status_code == 413


def test_the_roles_keys_come_with_the_request_and_nowhere_else(runtime: RuntimeUnderTest) -> None:
    seen = _echo(runtime, "/")
    assert _values(seen, "x-fc-access-key-id") == ["the-id"]
    assert _values(seen, "x-fc-access-key-secret") == ["the-secret"]
    assert _values(seen, "x-fc-security-token") == ["the-token"]
    assert _values(seen, "x-fc-account-id") == ["1000000000000000"]
    assert not [name for name in seen["environ"] if name.startswith("ALIBABA")]


@pytest.mark.parametrize(
    "name", ["x-fc-access-key-id", "X_Fc_Access_Key_Id", "X-FC-Request-Id", "x_fc-new"]
)
def test_what_a_caller_says_in_the_platforms_name_is_left_out(
    runtime: RuntimeUnderTest, name: str
) -> None:
    answer = requests.get(runtime.url, timeout=10, headers={name: "forged"})
    assert "forged" not in answer.text
    assert _values(answer.json(), "x-fc-request-id") == [answer.headers["X-Fc-Request-Id"]]


def test_the_server_starts_in_the_code_folder_at_the_port_it_is_given(
    runtime: RuntimeUnderTest,
) -> None:
    seen = _echo(runtime, "/")
    assert seen["cwd"] == str(FUNCTIONS / "web")
    assert seen["environ"]["FC_CUSTOM_LISTEN_PORT"].isdigit()
    assert seen["environ"]["PYTHONPATH"] == str(ROOT)


def test_an_invocation_asks_for_the_path_invoke(runtime: RuntimeUnderTest) -> None:
    seen = runtime.invoke("web", {"a": 1}).json()
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/invoke", '{"a": 1}')


def test_an_asynchronous_request_is_made_once_and_later(runtime: RuntimeUnderTest) -> None:
    before = runtime.function("web")["invocations"]
    asked = {"X-Fc-Invocation-Type": "Async"}
    answer = requests.post(f"{runtime.url}/later?x", timeout=10, headers=asked, data=b"\xff")
    assert (answer.status_code, answer.content) == (202, b"")
    until(lambda: runtime.function("web")["invocations"] == before + 1)
    assert "asked for /later" in (runtime.data / "logs" / "test-web.log").read_text()


def test_one_instance_takes_requests_at_once_up_to_its_concurrency(
    runtime: RuntimeUnderTest,
) -> None:
    until(lambda: runtime.state()["idle"])
    gates = [_gate(runtime, f"at-once-{number}") for number in range(8)]
    with ThreadPoolExecutor(9) as pool:
        first = [pool.submit(_through, runtime, gate) for gate in gates[:4]]
        until(lambda: all(_entered(gate) for gate in gates[:4]))
        assert len(_busy(runtime)) == 1
        second = [pool.submit(_through, runtime, gate) for gate in gates[4:]]
        until(lambda: all(_entered(gate) for gate in gates[4:]))
        assert len(_busy(runtime)) == 2
        ninth = pool.submit(_echo, runtime, "/")
        for gate in gates:
            gate.write_text("open")
        assert [one.result() for one in (*first, *second)] == [200] * 8
        assert ninth.result()["path"] == "/"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="frozen on Linux alone")
def test_an_instance_is_frozen_between_requests_and_only_then(runtime: RuntimeUnderTest) -> None:
    pid = _echo(runtime, "/")["pid"]
    until(lambda: _state(pid).startswith("T"))
    gate = _gate(runtime, "thawed")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(_through, runtime, gate)
        until(lambda: _entered(gate))
        assert not _state(pid).startswith("T")
        assert _echo(runtime, "/")["pid"] == pid
        assert not _state(pid).startswith("T")  # one request is still under way
        gate.write_text("open")
        assert waiting.result() == 200
    until(lambda: _state(pid).startswith("T"))


def test_a_server_that_dies_is_a_502_and_is_replaced(runtime: RuntimeUnderTest) -> None:
    answer = requests.get(f"{runtime.url}/die", timeout=10)
    assert (answer.status_code, answer.json()["Code"]) == (502, "UnhandledInvocationError")
    assert _echo(runtime, "/")["path"] == "/"


def test_a_request_over_the_time_out_is_a_502_and_leaves_the_others_alone(
    runtime: RuntimeUnderTest,
) -> None:
    gate = _gate(runtime, "never")
    pid = _echo(runtime, "/")["pid"]
    assert _through(runtime, gate) == 502
    assert _echo(runtime, "/")["pid"] == pid


def test_an_answer_of_the_server_is_no_failure_of_the_function(runtime: RuntimeUnderTest) -> None:
    answer = requests.get(f"{runtime.url}/missing", timeout=10)
    assert (answer.status_code, answer.json()["path"]) == (404, "/missing")


def test_an_answer_in_chunks_is_passed_on_as_it_comes(runtime: RuntimeUnderTest) -> None:
    gate = _gate(runtime, "chunks")
    with _streamed(runtime, gate) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        pieces = answer.iter_content(None)
        assert next(pieces) == b"first"
        gate.write_text("open")
        assert b"".join(pieces) == b"second"


def test_a_stream_over_the_time_out_is_cut_off(runtime: RuntimeUnderTest) -> None:
    with _streamed(runtime, _gate(runtime, "endless")) as answer:
        pieces = answer.iter_content(None)
        assert next(pieces) == b"first"
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            next(pieces)


def test_a_caller_who_leaves_a_stream_is_no_failure(runtime: RuntimeUnderTest) -> None:
    gate, before = _gate(runtime, "left"), runtime.function("web")
    with _streamed(runtime, gate) as answer:
        assert next(answer.iter_content(None)) == b"first"
    gate.write_text("open")
    until(lambda: runtime.function("web")["invocations"] == before["invocations"] + 1)
    assert runtime.function("web")["errors"] == before["errors"]


def test_the_server_learns_that_a_caller_has_hung_up(runtime: RuntimeUnderTest) -> None:
    note, errors = runtime.records / "hung-up", runtime.function("web")["errors"]
    gate = _gate(runtime, "meanwhile")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(_through, runtime, gate)  # keeps the instance from being frozen
        until(lambda: _entered(gate))
        end = urlsplit(runtime.url)
        with socket.create_connection((str(end.hostname), int(end.port or 0))) as caller:
            caller.sendall(
                f"POST /left?name={note} HTTP/1.1\r\nHost: {end.netloc}\r\n\r\n".encode()
            )
            until(lambda: _entered(note))
        until(note.exists)
        gate.write_text("open")
        assert other.result() == 200
    assert note.read_text() == "closed"
    assert runtime.function("web")["errors"] == errors


def test_a_server_that_never_listens_fails_each_request(runtime: RuntimeUnderTest) -> None:
    answer = runtime.invoke("silent")
    assert answer.status_code == 502
    assert "this server ends at once" in (runtime.data / "logs" / "test-silent.log").read_text()
    assert runtime.function("silent")["instances"] == []


def test_an_idle_instance_is_ended_frozen_as_it_is(tmp_path: Path) -> None:
    with RuntimeUnderTest(tmp_path, "--idle-seconds", "0.05") as runtime:
        pid = _echo(runtime, "/")["pid"]
        until(lambda: not is_running(pid))


def test_a_killed_runtime_leaves_no_frozen_instance_behind(tmp_path: Path) -> None:
    with RuntimeUnderTest(tmp_path) as runtime:
        pid = _echo(runtime, "/")["pid"]
        runtime.process.kill()
        until(lambda: not is_running(pid))


def _through(runtime: RuntimeUnderTest, gate: Path) -> int:
    url = f"{runtime.url}/gate"
    return requests.get(url, params={"name": str(gate)}, timeout=20).status_code


def _streamed(runtime: RuntimeUnderTest, gate: Path) -> requests.Response:
    url = f"{runtime.url}/stream"
    return requests.get(url, params={"name": str(gate)}, timeout=20, stream=True)


def _busy(runtime: RuntimeUnderTest) -> list[int]:
    return [one["pid"] for one in runtime.function("web")["instances"] if one["busy"]]


def _state(pid: int) -> str:
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _gate(runtime: RuntimeUnderTest, name: str) -> Path:
    gate = runtime.records / name
    os.mkfifo(gate)
    return gate


def _entered(gate: Path) -> bool:
    return any(gate.parent.glob(f"{gate.name}.entered-*"))
