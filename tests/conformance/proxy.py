"""A way to the API that breaks: the first connections are cut, the later ones hold."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread, Timer
from urllib.parse import urlsplit

CUT_AFTER = 1.0
"""Seconds: the request has arrived by then, and its job is not over."""


@contextmanager
def breaking(url: str, times: int) -> Iterator[str]:
    """The base URL of a proxy in front of `url` that cuts its first `times` connections."""
    end = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    target = (str(end.hostname), int(end.port or 80))
    Thread(target=_accept, args=(listener, target, times), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def _accept(listener: socket.socket, target: tuple[str, int], times: int) -> None:
    with suppress(OSError):  # the test is over
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(target)
            for source, sink in ((near, far), (far, near)):
                Thread(target=_pass_on, args=(source, sink), daemon=True).start()
            if times > 0:
                times -= 1
                Timer(CUT_AFTER, _cut, (near, far)).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    _cut(source, sink)


def _cut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
