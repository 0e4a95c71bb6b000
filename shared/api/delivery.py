"""Answers of which the system wants to know whether they were delivered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator

import falcon

from shared.platform.logs import about
from shared.storage.objects import StoreError

log = logging.getLogger(__name__)

SERVER_KNOWS = "waitress.client_disconnected"
"""Where the server says whether the caller has hung up (waitress documentation)."""


class Delivery:
    """A body that is sent up to its last byte, then noted as delivered, then ended.

    So the caller cannot ask again before the note is there, and a connection that is cut before the
    end is noted too: a server stops iterating and calls `close` when it cannot send (PEP 3333).
    """

    def __init__(
        self, body: Iterator[bytes], delivered: Callable[[], None], cut: Callable[[], None]
    ) -> None:
        self._parts = self._sent(body, delivered)
        self._cut = cut
        self._is_whole = False

    def __iter__(self) -> Generator[bytes, None, None]:
        return self._parts

    def close(self) -> None:
        """Ends the answer, whole or not."""
        self._parts.close()
        if not self._is_whole:
            self._cut()

    def _sent(
        self, body: Iterator[bytes], delivered: Callable[[], None]
    ) -> Generator[bytes, None, None]:
        last = b""
        for part in filter(None, body):
            if last + part[:-1]:
                yield last + part[:-1]
            last = part[-1:]
        delivered()
        yield last
        self._is_whole = True


def quietly(note: Callable[[], None]) -> None:
    """Write a note about an answer. Where the store fails, the answer is more important: a call
    without a note counts as one that ended without an answer."""
    try:
        note()
    except StoreError as error:
        log.error("%s", error, extra=about("store.failed", step="note of a call"))


def has_hung_up(request: falcon.Request) -> bool:
    """Whether the caller has closed the connection, as far as the server can know."""
    known = request.env.get(SERVER_KNOWS)
    return known is not None and bool(known())


def tried_before(request: falcon.Request) -> bool | None:
    """Whether a request says that it was sent before, as the clients that Stainless makes do, the
    official one of OpenAI among them (`openai/_base_client.py`). None: it does not say."""
    count = request.get_header("x-stainless-retry-count") or ""
    return int(count[:9]) > 0 if count.isascii() and count.isdigit() else None
