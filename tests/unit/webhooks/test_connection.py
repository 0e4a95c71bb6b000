"""Requests to receivers: to public addresses alone, without redirects, for a bounded time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shared.platform.clock import SystemClock
from shared.platform.webhook_settings import WebhookSettings
from shared.webhooks import connection, delivery
from shared.webhooks.connection import ReceiverSession
from shared.webhooks.delivery import Answer, Sender
from tests.kit.receiver import LocalReceiver, local_receiver

TRUSTED = WebhookSettings(origins=("http://127.0.0.1",))


@pytest.fixture()
def receiver() -> Iterator[LocalReceiver]:
    with local_receiver() as running:
        yield running


def sent(url: str, settings: WebhookSettings = TRUSTED) -> Answer:
    return Sender(ReceiverSession(settings.trusts), SystemClock()).send(
        url, b"{}", {"webhook-id": "m"}
    )


def test_a_receiver_that_takes_it_is_told_once(receiver: LocalReceiver) -> None:
    answer = sent(receiver.url)
    assert (answer.status, answer.is_good, answer.why) == (204, True, "")
    assert [one.body for one in receiver.heard] == [b"{}"]


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://[::1]:{port}/"]
)
def test_an_address_inside_is_not_even_dialled(receiver: LocalReceiver, url: str) -> None:
    port = receiver.url.rpartition(":")[2]
    answer = sent(url.format(port=port), WebhookSettings())
    assert answer.status is None
    assert "is not one of the internet" in answer.why


def test_a_name_that_leads_inside_is_not_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[Any] = []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_args: [_info("10.1.2.3"), _info("100.100.100.200")]
    )
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: dialled.append(address))
    answer = sent("https://hooks.example.com/", WebhookSettings())
    assert "is not one of the internet" in answer.why
    assert dialled == []


def _info(address: str) -> tuple[Any, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 443))


def test_plain_http_needs_the_setting(receiver: LocalReceiver) -> None:
    assert sent(receiver.url, WebhookSettings()).status is None
    assert receiver.heard == []


def test_a_redirect_is_not_followed(receiver: LocalReceiver) -> None:
    receiver.answers["/"] = [(307, {"Location": f"{receiver.url}/elsewhere"})]
    answer = sent(receiver.url)
    assert not answer.is_good
    assert "redirect" in answer.why
    assert len(receiver.heard) == 1


@pytest.mark.parametrize(("text", "seconds"), [("40", 40.0), ("soon", 0.0), ("9" * 30, 0.0)])
def test_retry_after_is_read(receiver: LocalReceiver, text: str, seconds: float) -> None:
    receiver.answers["/"] = [(503, {"Retry-After": text})]
    assert sent(receiver.url).retry_after == seconds


def test_gone_is_for_good(receiver: LocalReceiver) -> None:
    receiver.answers["/"] = [(410, {})]
    assert sent(receiver.url).for_good


def test_a_receiver_that_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then would keep each single read within its time-out."""
    monkeypatch.setattr(connection, "READ", 0.3)
    monkeypatch.setattr(delivery, "READ", 30.0)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip, args=(server, over), daemon=True)
        thread.start()
        answer = sent(f"http://127.0.0.1:{server.getsockname()[1]}/")
        over.set()
        thread.join()
    assert answer.status is None


def _drip(server: socket.socket, over: threading.Event) -> None:
    made, _ = server.accept()
    with made:
        made.recv(65536)
        made.sendall(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.02):
            try:
                made.sendall(b"x")
            except OSError:
                return


def test_a_long_answer_is_not_read_to_its_end(receiver: LocalReceiver) -> None:
    receiver.answers["/"] = [(200, {"Content-Length": str(10**12)})]
    assert sent(receiver.url).is_good


def test_nothing_of_the_address_but_its_host_is_told_of_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = sent(f"http://127.0.0.1:{port}/secret-path?token=secret")
    assert answer.status is None
    assert "secret" not in answer.why
