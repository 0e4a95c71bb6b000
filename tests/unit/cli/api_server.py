"""A WSGI application behind a real port: what `--api` is given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from shared.api.jobs_api import create_app
from tests.kit.world import World

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


@contextmanager
def served(app: WsgiApp) -> Iterator[str]:
    """The address of the application, until the block ends."""
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def api_of(world: World) -> WsgiApp:
    """The API over a world; each request has an instance of its own."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return create_app(world.app("http"))(environ, start_response)

    return answer


def answering(status: str, media_type: str, body: bytes) -> WsgiApp:
    """Another server, with one answer to everything."""

    def answer(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, [("Content-Type", media_type)])
        return [body]

    return answer
