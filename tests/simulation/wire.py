"""The network to the model service: an object with the methods of requests.Session that are used.

`shared.modelstudio.client` and `shared.modelstudio.download` run unchanged on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import requests
from greenlet import getcurrent  # type: ignore[import-untyped]
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
)

from tests.simulation.account import (
    ARREARS,
    BAD_KEY,
    CREATE,
    QUERY,
    QUOTA_SPENT,
    TOO_MANY,
    Refusal,
)
from tests.simulation.arrivals import Arrival
from tests.simulation.network import Transport
from tests.simulation.studio import STRANGE_HOST, SimStudio, SimTask, prompt_of
from tests.simulation.task_list import Refused

POST_LEG = 0.25
"""Seconds a submission may take to the service."""

REFUSALS: dict[str, Refusal] = {
    "post_429_rate": TOO_MANY,
    "post_429_throttling": (429, "Throttling", "Requests throttling triggered."),
    "post_429_allocation": (429, "Throttling.AllocationQuota", "Allocated quota exceeded."),
    "post_429_burst": (429, "Throttling.BurstRate", "Request rate increased too quickly."),
    "post_quota_spent": QUOTA_SPENT,
    "post_arrears": ARREARS,
    "post_bad_key": BAD_KEY,
    "post_503_busy": (503, "ModelUnavailable", "Model is unavailable, please try again later."),
    "post_input_fetch": (400, "InvalidURL.Timeout", "Download timeout, check the network."),
    "post_policy": (400, "DataInspectionFailed", "Input data may contain inappropriate content."),
    "post_500_before": (500, "InternalError", "An internal error has occured."),
    "post_500_after": (500, "InternalError", "An internal error has occured."),
    "ask_500": (500, "InternalError", "An internal error has occured."),
    "ask_429": TOO_MANY,
}
LAST_CHUNK = 12
"""Bytes of a PNG's end; without them it still looks like one."""
EFFECT_FIRST = frozenset({"post_500_after", "post_timeout_after", "post_cut_after"})
"""Faults that come after a task was made. `post_no_task_id` makes none."""


class SimAnswer:
    """As much of requests.Response as is read."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status
        self.body = body
        self.headers = headers or {}
        self.cut = False

    def json(self) -> Any:
        return json.loads(self.body)

    def iter_content(self, _size: int) -> Iterator[bytes]:
        yield self.body
        if self.cut:
            raise requests.exceptions.ChunkedEncodingError("cut")

    def __enter__(self) -> SimAnswer:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing is open."""


class SimSession:
    """One instance's session."""

    def __init__(self, network: Transport, studio: SimStudio) -> None:
        self.network = network
        self.studio = studio
        self._arrival: Arrival | None = None

    def post(self, url: str, *, data: bytes, timeout: tuple[float, float], **_: Any) -> SimAnswer:
        """Create a task."""
        body = json.loads(data)
        what = f"POST {body['model']} {prompt_of(body)}"
        effect = partial(self._create, url, body, timeout)
        answer = self.network.call(what, "create", effect, POST_LEG)
        if self._arrival is not None:
            self._arrival.answered = self.network.kernel.now
        return answer

    def request(self, method: str, url: str, *, params: Mapping[str, str], **_: Any) -> SimAnswer:
        """Query, list or cancel."""
        path = url.partition("/tasks/")[2]
        effect = partial(self._ask, method, path, params)
        site = "ask" if path or method == "POST" else "list"
        return self.network.call(f"{method} tasks/{path}", site, effect)

    def get(self, url: str, **_: Any) -> SimAnswer:
        """Fetch an image."""
        if url.startswith(STRANGE_HOST):
            self.network.violate("images come from hosts that documents list", url)
        what = f"GET {url.partition('.com/')[2]}"
        return self.network.call(what, "download", partial(self._image, url))

    def _create(
        self, _url: str, body: Mapping[str, Any], timeout: tuple[float, float], fault: str
    ) -> SimAnswer:
        if fault in ("post_refused", "post_connect_timeout"):
            raise self._unreachable(fault, timeout[0])
        arrival = self.studio.note(body, self.network.caller(), self._held())
        self._arrival = arrival
        throttled = self.studio.arrive(body)
        if throttled:
            return _refused(arrival, (429, *throttled))
        words = self.studio.account.word(CREATE, arrival.model, arrival.at)
        if words is not None:
            return _refused(arrival, words)
        if fault not in EFFECT_FIRST and fault.startswith("post_"):
            return self._failed(arrival, fault, timeout[1])
        task = self.studio.accept(body)
        arrival.task = task.task_id
        made = f"makes {task.task_id} for {task.prompt} ({self.network.caller()})"
        self.network.tell("service", made)
        if fault.startswith("post_"):
            return self._failed(arrival, fault, timeout[1])
        return _accepted(task)

    def _held(self) -> float:
        """Seconds for which the caller was frozen; one that is no actor never is."""
        actor = self.network.kernel.actors.get(getcurrent())
        return actor.held if actor is not None else 0.0

    def _ask(self, method: str, path: str, params: Mapping[str, str], fault: str) -> SimAnswer:
        if fault == "ask_timeout":
            self.network.kernel.wait(10.0)
            raise requests.ReadTimeout
        if fault == "ask_refused":
            raise self._unreachable(fault, 0.0)
        words = REFUSALS.get(fault) or self.studio.account.word(QUERY, "", self.network.kernel.now)
        if words is not None:
            return refusal(words)
        if method == "POST":
            return self._cancel(path.partition("/")[0])
        if not path:
            return self._list(params, fault)
        return _ok(self.studio.show("forgotten" if fault == "ask_unknown" else path))

    def _list(self, params: Mapping[str, str], fault: str) -> SimAnswer:
        try:
            answer = self.studio.list(params)
        except Refused as error:
            return refusal(error.words)
        if fault == "list_unreadable":
            return SimAnswer(200, b"<html>maintenance</html>")
        if fault == "list_without_data":
            return _ok({"request_id": "x"})
        if fault == "list_empty":
            return _ok({"total": 0, "total_page": 0, "data": []})
        if fault == "list_cut":
            return _ok(answer | {"data": [*answer["data"][:-1], {}]})
        return _ok(answer)

    def _image(self, url: str, fault: str) -> SimAnswer:
        if fault == "image_refused":
            raise self._unreachable(fault, 0.0)
        if fault in ("image_500", "image_403"):
            return SimAnswer(int(fault[-3:]), b"")
        body = self.studio.image(url)
        if body is None:
            return SimAnswer(404, b"")
        answer = SimAnswer(200, body, {"Content-Length": str(len(body))})
        if fault in ("image_cut", "image_short"):
            answer.body, answer.cut = body[:-LAST_CHUNK], fault == "image_cut"
        elif fault == "image_garbled":
            answer.body = bytes(len(body))
        return answer

    def _cancel(self, task_id: str) -> SimAnswer:
        task, now = self.studio.tasks.get(task_id), self.network.kernel.now
        if task is None or task.status(now) != "PENDING" or task.canceled:
            return refusal((400, "UnsupportedOperation", "Failed to cancel the task."))
        task.canceled = True
        return _ok({"request_id": "c"})

    def _failed(self, arrival: Arrival, fault: str, timeout: float) -> SimAnswer:
        if fault.startswith("post_timeout"):
            self.network.kernel.wait(timeout)
            raise requests.ReadTimeout
        if fault.startswith("post_cut"):
            raise requests.ConnectionError(ProtocolError("Connection aborted."))
        if fault == "post_no_task_id":
            return _ok({"request_id": "x"})
        return _refused(arrival, REFUSALS[fault])

    def _unreachable(self, fault: str, seconds: float) -> requests.RequestException:
        pool = HTTPSConnectionPool("service.invalid")
        if fault == "post_connect_timeout":
            self.network.kernel.wait(seconds)
            reason: Exception = ConnectTimeoutError(pool, "timed out")
            return requests.ConnectTimeout(MaxRetryError(pool, "/", reason))
        connection: Any = None
        reason = NewConnectionError(connection, "Connection refused")
        return requests.ConnectionError(MaxRetryError(pool, "/", reason))


def _ok(document: Mapping[str, Any]) -> SimAnswer:
    return SimAnswer(200, json.dumps(document).encode())


def refusal(words: Refusal) -> SimAnswer:
    """An answer with the service's status, code and message."""
    status, code, message = words
    document = {"code": code, "message": message, "request_id": "x"}
    return SimAnswer(status, json.dumps(document).encode())


def _refused(arrival: Arrival, words: Refusal) -> SimAnswer:
    """A refusal; one with a 5xx leaves open whether a task was made."""
    arrival.code = words[1] if words[0] < 500 else ""
    return refusal(words)


def _accepted(task: SimTask) -> SimAnswer:
    output = {"task_status": "PENDING", "task_id": task.task_id}
    return _ok({"output": output, "request_id": f"r-{task.task_id}"})
