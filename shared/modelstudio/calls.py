"""Calling a synchronous model: one POST whose answer comes seconds to minutes later on the same
connection and holds the result URLs.

There is no task, so an answer that is lost cannot be looked up (synchronous API references). A call
is billed and never repeated; it says exactly which of three things happened: the model answered, it
did nothing, or nobody knows.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Any

from urllib3.connection import HTTPConnection

from shared.modelstudio.answers import AnswerTooSlow, UnreadableBody, is_unclear, never_sent, short
from shared.modelstudio.client import (
    CONNECT_TIMEOUT,
    UNREACHABLE,
    ModelStudio,
    OutcomeUnknown,
    ServiceError,
    refusal,
)
from shared.platform.slim_imports import requests

CALL_TIMEOUT = 600.0
"""Seconds until the first byte of an answer; the slowest documented model takes some minutes."""
BODY_TIMEOUT = 30.0
"""Seconds from there to the last byte; an answer holds links, not images."""
KEPT = ("output", "usage", "request_id")
NOT_REACHED = ServiceError(UNREACHABLE, "The service could not be reached.", 0)
KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
"""Seconds of silence, seconds between probes, and probes that may be lost: so no gateway on the way
takes a connection that waits for its answer for a dead one."""


@dataclass(frozen=True)
class CallAnswered:
    """The model answered. `answer` holds its `output`, `usage` and `request_id`."""

    answer: Mapping[str, Any]


CallOutcome = CallAnswered | ServiceError | OutcomeUnknown


@dataclass
class Calls:
    """Calls synchronous models of one account; `timeout` in seconds."""

    model_studio: ModelStudio
    timeout: float = CALL_TIMEOUT

    def call(
        self, endpoint: str, body: Mapping[str, Any], written: Callable[[], object] = bool
    ) -> CallOutcome:
        """One POST, never repeated.

        `written` is called when the last byte of the request has left: from then on the service may
        count it and work on it, and not before. By the time a refused key has been read again,
        lease and permit may be another one's: so a POST with the new key is another call.
        """
        key = self.model_studio.key()
        if isinstance(key, ServiceError):
            return key
        outcome = self._call(endpoint, body, written, key)
        if isinstance(outcome, ServiceError) and self.model_studio.rotated(outcome, key):
            return ServiceError(UNREACHABLE, "The API key was replaced: sent again later.", 0)
        return outcome

    def _call(
        self, endpoint: str, body: Mapping[str, Any], written: Callable[[], object], key: str
    ) -> CallOutcome:
        studio, request, status = self.model_studio, _Request(body, written), 0
        try:
            answer = studio.session.post(
                studio.base_url + endpoint,
                data=request,
                headers=studio.post_headers(key, body),
                timeout=(CONNECT_TIMEOUT, self.timeout),
                allow_redirects=False,
                stream=True,
            )
            status = answer.status_code
            found = studio.body_of(answer, BODY_TIMEOUT)
        except requests.RequestException as error:
            if never_sent(error) or not request.whole or _refuses(status):
                return NOT_REACHED
            return OutcomeUnknown(f"{type(error).__name__} after the request was sent")
        except (UnreadableBody, AnswerTooSlow) as error:
            found = {}
            if 200 <= status < 300:
                why = str(error) or "it did not end in time"
                return OutcomeUnknown(f"HTTP {status} with an unreadable answer: {why}")
        if status >= 500 and not request.whole:
            return NOT_REACHED  # half a request is worked on by nobody
        return _outcome(status, found)


class _Request(BytesIO):
    """A request's body, which is read piece by piece: who asks for more than there is has sent all
    of it. `whole`: that has happened."""

    def __init__(self, body: Mapping[str, Any], written: Callable[[], object]) -> None:
        super().__init__(json.dumps(body, ensure_ascii=False).encode())
        self.whole, self._written = False, written

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        if not piece and not self.whole:
            self.whole = True
            self._written()
        return piece


def _refuses(status: int) -> bool:
    """Whether a status alone says that the model has done nothing."""
    return 400 <= status < 500 and not is_unclear(status)


def _outcome(status: int, body: Mapping[str, Any]) -> CallOutcome:
    """What the model made was made, whatever the status. A gateway may answer 200 with an error
    body; what comes with a 5xx, or after a gateway's own time-out, says nothing of what the model
    has done."""
    output, code, taken = body.get("output"), short(body.get("code")), 200 <= status < 300
    says_what_was_made = taken or not (code or is_unclear(status))
    if says_what_was_made and isinstance(output, dict) and output:
        return CallAnswered({name: body[name] for name in KEPT if name in body})
    if is_unclear(status) and not (code and taken):
        return OutcomeUnknown(f"HTTP {status} {code or 'without an output'}")
    return refusal(status, body)


class KeepAliveAdapter(requests.adapters.HTTPAdapter):
    """Connections that stay open although nothing comes for minutes, a new one for each request:
    a server need not say that it closes one, and what is written into it then is lost."""

    def __init__(self, **options: Any) -> None:
        self._opening = Lock()
        super().__init__(**options)

    def get_connection_with_tls_context(self, *request: Any, **options: Any) -> Any:
        with self._opening:
            self.close()  # forgets what is idle; connections in use stay open
            return super().get_connection_with_tls_context(*request, **options)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        for name, value in KEEP_ALIVE.items():
            if hasattr(socket, name):  # not on every laptop
                options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
        kwargs["socket_options"] = [*HTTPConnection.default_socket_options, *options]
        super().init_poolmanager(*args, **kwargs)
