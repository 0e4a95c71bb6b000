"""The server of a web function, over real connections."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from shared.platform.web_function import THREADS

SERVER = """
import os, threading
from shared.platform.web_server import serve

together = threading.Barrier(int(os.environ["THREADS"]), timeout=30)

go = threading.Event()

def chunks():
    yield b"first"
    go.wait(30)
    yield b"second"

def application(environ, start_response):
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return chunks()
    if environ["PATH_INFO"] == "/go":
        go.set()
    if environ["PATH_INFO"] == "/together":
        together.wait()
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("a-secret")
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

serve(application, os.environ)
"""
Address = tuple[str, int]


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address: Address = found.getsockname()
    own = {"FC_CUSTOM_LISTEN_PORT": str(address[1]), "LISTEN_HOST": address[0]}
    environ = {"PYTHONPATH": ":".join(sys.path), "THREADS": str(THREADS), **own}
    with subprocess.Popen([sys.executable, "-c", SERVER], env=environ) as process:
        try:
            while process.poll() is None:
                with suppress(OSError), socket.create_connection(address):
                    break
            yield address
        finally:
            process.kill()


def sent(address: Address, request: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize("length", [b"", b"Content-Length: 0\r\n"])
def test_a_request_without_a_body_is_not_waited_for(server: Address, length: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nConnection: close\r\nExpect: 100-continue\r\n"
    assert sent(server, head + length + b"\r\n").startswith(b"HTTP/1.1 200 OK")


def test_a_body_is_asked_for_when_the_caller_waits_for_that(server: Address) -> None:
    head = b"PUT / HTTP/1.1\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
    with socket.create_connection(server, timeout=20) as connection:
        connection.sendall(head + b"\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ab")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_a_body_in_chunks_arrives_whole(server: Address) -> None:
    head = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert sent(server, head + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n").endswith(b"\r\n\r\nabc")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ((b"GET / HTTP/1.1\r\nX: " + b"a" * 65_536)[:65_536], 431),
        (b"GET / HTTP/1.1\r\nX: a\rY: b\r\n\r\n", 400),
        (b"GET /broken HTTP/1.1\r\n\r\n", 500),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    server: Address, request_: bytes, status: int
) -> None:
    head, _, body = sent(server, request_).partition(b"\r\n\r\n")
    assert int(head.split(b" ")[1]) == status
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["status"] == status
    assert len(body) < 500
    assert b"a-secret" not in body


def test_an_answer_of_unknown_length_is_sent_in_chunks_as_they_come(server: Address) -> None:
    """Function Compute takes that for a stream."""
    connection = http.client.HTTPConnection(*server, timeout=20)
    connection.request("GET", "/stream")
    answer = connection.getresponse()
    assert answer.getheader("Transfer-Encoding") == "chunked"
    assert answer.read1() == b"first"
    assert sent(server, b"GET /go HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.read() == b"second"
    connection.close()


def test_as_many_requests_as_there_are_threads_are_answered_at_once(server: Address) -> None:
    def ask(_number: int) -> int:
        connection = http.client.HTTPConnection(*server, timeout=40)
        connection.request("GET", "/together")
        status = connection.getresponse().status
        connection.close()
        return status

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(ask, range(THREADS))) == [200] * THREADS


def test_callers_that_never_finish_their_request_keep_nobody_waiting(server: Address) -> None:
    with ExitStack() as slow:
        for _ in range(3 * THREADS):
            connection = slow.enter_context(socket.create_connection(server, timeout=20))
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        asked = sent(server, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert asked.startswith(b"HTTP/1.1 200 OK")
