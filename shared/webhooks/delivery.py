"""One request to a receiver, and what its answer means. Nothing of the answer is kept but status
and Retry-After."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from urllib3.exceptions import HTTPError

from shared.platform.clock import Clock
from shared.platform.slim_imports import requests
from shared.webhooks.connection import CONNECT, READ

ANSWER_BYTES, CHUNK = 64 * 1024, 8 * 1024
"""Of an answer's body that are read; the connection is closed after more."""
GONE = 410
LONGEST_WORD = 200


@dataclass(frozen=True)
class Answer:
    """What became of a try. `status` None: it was not answered, and `why` says why not.
    `retry_after`: seconds for which the receiver wants to be left alone. `took`: seconds.
    `for_good`: another try would be in vain."""

    status: int | None
    why: str = ""
    retry_after: float = 0.0
    took: float = 0.0
    for_good: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.status is not None and 200 <= self.status < 300


@dataclass
class Sender:
    """Sends messages. `session` is the network seam."""

    session: requests.Session
    clock: Clock

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Tell a receiver once. Never raises for what a receiver or the network does."""
        began = self.clock.monotonic()
        try:
            with self.session.post(
                url,
                data=body,
                headers={**headers, "Accept-Encoding": "identity"},
                timeout=(CONNECT, READ),
                allow_redirects=False,
                stream=True,
            ) as answer:
                self._read(answer, began + READ)
                status, wait = answer.status_code, answer.headers.get("Retry-After")
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return Answer(None, _why(error), took=self.clock.monotonic() - began)
        why = "" if 200 <= status < 300 else f"it answered {status}"
        if 300 <= status < 400:
            why = f"it answered {status}, a redirect, which is not followed"
        took = self.clock.monotonic() - began
        return Answer(status, why, self._seconds(wait), took, status == GONE)

    def _read(self, answer: requests.Response, end: float) -> None:
        """Read a short answer whole, so that its connection can be used again; a long or slow one
        is left: its status says enough."""
        size = 0
        try:
            for piece in answer.iter_content(CHUNK):
                size += len(piece)
                if size > ANSWER_BYTES or self.clock.monotonic() > end:
                    return
        except (requests.RequestException, HTTPError, OSError):
            return

    def _seconds(self, text: str | None) -> float:
        """What Retry-After says (RFC 9110 section 10.2.3); 0 for anything else."""
        if text is None:
            return 0.0
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return float(text)
        try:
            return max(0.0, parsedate_to_datetime(text[:64]).timestamp() - self.clock.now())
        except (ValueError, TypeError, OverflowError):
            return 0.0


def _why(error: BaseException) -> str:
    """In words, without the address: its path and query may be secret."""
    inner: BaseException = error
    for _ in range(5):
        reason = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        if not isinstance(reason, BaseException):
            break
        inner = reason
    name = type(inner).__name__
    said = str(inner) if name == "NotPublic" else ""
    where = said.rpartition("the address ")[2]
    return f"it is not reached: the address {where}" if said else f"it is not reached ({name})"
