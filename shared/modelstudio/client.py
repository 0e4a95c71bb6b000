"""The client of Model Studio's asynchronous image API (DashScope wire).

Creating a task is billed and not idempotent, and no idempotency key exists (wan2.5 API
reference): `create` sends one POST, once, on a connection of its own, and says exactly which of
three things happened: a task was made, none was made, or nobody knows.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from threading import Lock
from typing import Any

from shared.modelstudio.answers import (
    AnswerTooSlow,
    UnreadableBody,
    is_unclear,
    moment_of,
    never_sent,
    read_object,
    short,
    status_of,
    times_of,
)
from shared.modelstudio.api_key import KeySource, KeyUnavailable
from shared.platform.clock import Clock, SystemClock
from shared.platform.slim_imports import requests

CONNECT_TIMEOUT = 3.05
QUERY_TIMEOUT = 10.0
ANSWER_TIMEOUT = 20.0
UNREACHABLE = "Unreachable"
"""The code of an error that says nothing of the service, nor of what was sent."""
"""Seconds for the whole body of an answer."""
MOST_PAGES = 50
QUESTIONS, QUESTION_WINDOW = 18, 1.15
"""Queries, lists and cancels in a second: an account may make 20 of each (task management page)."""
TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
"""Ids are UUIDs in every sample; what else may come must be safe in a URL's path and a key."""


@dataclass(unsafe_hash=True)
class ServiceError(Exception):
    """What the service said was wrong, in its own words.

    `http` is 0 when the service could not be reached at all.
    """

    code: str
    message: str
    http: int
    request_id: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message} (HTTP {self.http}, request {self.request_id or '-'})"


@dataclass(frozen=True)
class TaskCreated:
    """A task was made."""

    task_id: str
    request_id: str


@dataclass(frozen=True)
class OutcomeUnknown:
    """The request may or may not have made a task; it must not be sent again."""

    reason: str


@dataclass(frozen=True)
class Task:
    """One task as a query shows it; `answer` is the whole of it.

    Times in seconds since 1970 where the service gave any.
    """

    task_id: str
    status: str
    request_id: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ListedTask:
    """One line of the task list; `created` in seconds since 1970."""

    task_id: str
    status: str
    created: float
    request_id: str
    model: str = ""


@dataclass(frozen=True)
class ListWindow:
    """Two times in seconds since 1970, and the zone the list reads them in, in hours before UTC."""

    start: float
    end: float
    utc_offset_hours: int


class ListTooLong(ServiceError):
    """The list has more than `MOST_PAGES` pages. `seen` are the tasks of those."""

    def __init__(self, seen: list[ListedTask]) -> None:
        super().__init__("ListTooLong", f"The list has more than {MOST_PAGES} pages.", 200)
        self.seen = seen


@dataclass
class ModelStudio:
    """One account's access to the service. `session` is the network seam."""

    base_url: str
    api_key: KeySource = field(repr=False)
    session: requests.Session
    workspace: str | None = None
    create_timeout: float = 30.0
    clock: Clock = field(default_factory=SystemClock)
    _asked: deque[float] = field(default_factory=lambda: deque(maxlen=QUESTIONS), init=False)
    _turns: Lock = field(default_factory=Lock, repr=False)

    def create(
        self, endpoint: str, body: Mapping[str, Any]
    ) -> TaskCreated | ServiceError | OutcomeUnknown:
        """Submit a task: one POST, never repeated.

        The exception is a POST whose key was refused (HTTP 401: no task was made) where KMS holds
        another key by now.
        """
        key = self.key()
        if isinstance(key, ServiceError):
            return key
        outcome = self._create(endpoint, body, key)
        if not isinstance(outcome, ServiceError) or not self.rotated(outcome, key):
            return outcome
        renewed = self.key()
        if isinstance(renewed, ServiceError):
            return outcome
        # The connection may be closing; a POST into it would have an unknown outcome.
        self.session.get_adapter(self.base_url + endpoint).close()
        return self._create(endpoint, body, renewed)

    def post_headers(self, key: str, body: Mapping[str, Any]) -> dict[str, str]:
        """Headers of a POST that is billed: it has a connection of its own."""
        headers = self._headers(key) | {"Content-Type": "application/json", "Connection": "close"}
        if "oss://" in json.dumps(body.get("input", {})):
            headers["X-DashScope-OssResourceResolve"] = "enable"
        return headers

    def _create(
        self, endpoint: str, body: Mapping[str, Any], key: str
    ) -> TaskCreated | ServiceError | OutcomeUnknown:
        try:
            answer = self.session.post(
                self.base_url + endpoint,
                data=json.dumps(body, ensure_ascii=False).encode(),
                headers={**self.post_headers(key, body), "X-DashScope-Async": "enable"},
                timeout=(CONNECT_TIMEOUT, self.create_timeout),
                allow_redirects=False,
                stream=True,
            )
            body = self.body_of(answer, self.create_timeout)
        except requests.RequestException as error:
            if never_sent(error):
                return ServiceError(UNREACHABLE, "The service could not be reached.", 0)
            return OutcomeUnknown(f"{type(error).__name__} after the request was sent")
        except (UnreadableBody, AnswerTooSlow) as error:
            body = {}
            if is_unclear(answer.status_code):
                why = str(error) or "it did not end in time"
                return OutcomeUnknown(f"HTTP {answer.status_code} with an unreadable answer: {why}")
        return _create_outcome(answer.status_code, body)

    def query(self, task_id: str) -> Task:
        """The state of a task. A FAILED task is a normal answer. Raises ServiceError."""
        answer = self.get(f"/tasks/{task_id}", {})
        output = answer.get("output")
        if not isinstance(output, dict) or "task_status" not in output:
            raise ServiceError("UnreadableAnswer", "The answer has no output.task_status.", 200)
        usage = answer.get("usage")
        return Task(
            task_id=task_id,
            status=status_of(output["task_status"]),
            request_id=short(answer.get("request_id")),
            answer=answer,
            code=short(output.get("code")),
            message=str(output.get("message") or ""),
            usage=usage if isinstance(usage, dict) else {},
            times=times_of(output),
        )

    def listed(self, model: str, window: ListWindow | None = None) -> list[ListedTask]:
        """Tasks of a model created within a window, or within the last 24 hours, all pages.

        Raises ListTooLong; ServiceError, also where the answer is not the whole list.
        """
        found: dict[str, ListedTask] = {}
        page, pages, total = 1, 1, 0
        while page <= pages:
            if page > MOST_PAGES:
                raise ListTooLong(list(found.values()))
            answer = self.get("/tasks/", _list_query(model, window, page))
            rows, pages = self._rows(answer, page)
            found |= {row.task_id: row for row in rows}
            total = _count(answer) if page == 1 else total
            page += 1
        if len(found) < total:
            raise ServiceError("UnreadableAnswer", "The list has less tasks than its total.", 200)
        return list(found.values())

    def running(self, model: str) -> set[str]:
        """The ids of a model's tasks that run now, as the list shows them; it may be behind.

        Raises ServiceError.
        """
        query = {**_list_query(model, None, 1), "status": "RUNNING"}
        rows, pages = self._rows(self.get("/tasks/", query), 1)
        if pages > 1:
            raise ServiceError("ListTooLong", "More tasks run than one page shows.", 200)
        return {row.task_id for row in rows}

    def find(self, task_id: str) -> ListedTask | None:
        """A task as the list shows it; None if it is not listed. Raises ServiceError."""
        query = {"task_id": task_id, "page_no": "1", "page_size": "10"}
        rows, _ = self._rows(self.get("/tasks/", query), 1)
        return next((row for row in rows if row.task_id == task_id), None)

    def _rows(self, answer: Mapping[str, Any], page: int) -> tuple[list[ListedTask], int]:
        """The rows of a page of the list, and how many pages there are.

        Raises ServiceError for an answer that is not a list as documented: it must never be taken
        for a list without tasks, for then a task would be made and paid a second time.
        """
        data, pages = answer.get("data"), answer.get("total_page")
        if not isinstance(data, list) or isinstance(pages, bool) or not isinstance(pages, int):
            raise ServiceError("UnreadableAnswer", "The list has no data or no total_page.", 200)
        now = self.clock.now()
        rows = [row for row in (_listed(one, now) for one in data) if row is not None]
        if len(rows) != len(data) or (page < pages and not rows):
            raise ServiceError("UnreadableAnswer", "The list has rows that cannot be read.", 200)
        return rows, pages

    def probe(self, model: str) -> None:
        """Ask something that costs nothing. Raises ServiceError, also where the key is refused."""
        self.get("/tasks/", _list_query(model, None, 1))

    def cancel(self, task_id: str) -> None:
        """Cancel a PENDING task; anything else raises ServiceError UnsupportedOperation."""
        self._request("POST", f"/tasks/{task_id}/cancel", {})

    def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """What the service answers to a question, which costs nothing. Raises ServiceError."""
        return self._request("GET", path, query)

    def _request(self, method: str, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """One request, and another one if the key was refused and there is a newer one."""
        key = self.key()
        if isinstance(key, ServiceError):
            raise key
        try:
            return self._ask(method, path, query, key)
        except ServiceError as error:
            renewed = self.key() if self.rotated(error, key) else None
            if not isinstance(renewed, str):
                raise
        return self._ask(method, path, query, renewed)

    def _wait_for_turn(self) -> None:
        """Wait while as many questions as are allowed went out within the last second."""
        with self._turns:
            now = self.clock.monotonic()
            full = len(self._asked) == QUESTIONS
            turn = max(now, self._asked[0] + QUESTION_WINDOW) if full else now
            self._asked.append(turn)
        self.clock.sleep(turn - now)

    def _ask(self, method: str, path: str, query: Mapping[str, str], key: str) -> dict[str, Any]:
        self._wait_for_turn()
        try:
            answer = self.session.request(
                method,
                self.base_url + path,
                params=dict(query),
                headers=self._headers(key),
                timeout=(CONNECT_TIMEOUT, QUERY_TIMEOUT),
                allow_redirects=False,
                stream=True,
            )
            body = self.body_of(answer, ANSWER_TIMEOUT)
        except requests.RequestException as error:
            raise ServiceError(UNREACHABLE, type(error).__name__, 0) from None
        except AnswerTooSlow:
            raise ServiceError(UNREACHABLE, "The answer did not end in time.", 0) from None
        except UnreadableBody as error:
            if answer.status_code == 200:
                raise ServiceError("UnreadableAnswer", f"The answer is {error}.", 200) from None
            body = {}
        if answer.status_code != 200 or body.get("code"):
            raise refusal(answer.status_code, body)
        return body

    def body_of(self, answer: requests.Response, seconds: float) -> dict[str, Any]:
        """The answer's JSON object, which must be there within `seconds` of its first byte."""
        end = self.clock.monotonic() + seconds
        with answer:
            return read_object(answer, lambda: self.clock.monotonic() < end)

    def key(self) -> str | ServiceError:
        """The key to use; without one nothing is sent, as if the service were out of reach."""
        try:
            return self.api_key.value()
        except KeyUnavailable as error:
            return ServiceError(UNREACHABLE, f"There is no API key. {error}", 0)

    def rotated(self, error: ServiceError, key: str) -> bool:
        """Whether the service refused the key and there is another one."""
        return error.http == 401 and self.api_key.renewed(key)

    def _headers(self, key: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {key}"}
        if self.workspace:
            headers["X-DashScope-WorkSpace"] = self.workspace
        return headers


def _create_outcome(
    status: int, body: Mapping[str, Any]
) -> TaskCreated | ServiceError | OutcomeUnknown:
    """A task that is named was made, whatever the status. A gateway may answer 200 with an error
    body; a 5xx may come after the task was made, and what has an output as well may name one."""
    output, code = body.get("output"), short(body.get("code"))
    task_id = output.get("task_id") if isinstance(output, dict) else None
    if isinstance(task_id, str) and TASK_ID.fullmatch(task_id):
        return TaskCreated(task_id, short(body.get("request_id")))
    if is_unclear(status) and not (code and status < 300 and not output):
        return OutcomeUnknown(f"HTTP {status} {code or 'without a task id'}")
    return refusal(status, body)


def refusal(status: int, body: Mapping[str, Any]) -> ServiceError:
    """What the service said was wrong, as far as it can be read."""
    return ServiceError(
        code=short(body.get("code")) or "Unreadable",
        message=str(body.get("message") or f"The service answered HTTP {status} without a code."),
        http=status,
        request_id=short(body.get("request_id")),
    )


def _count(answer: Mapping[str, Any]) -> int:
    """How many tasks the list says it has; 0 where it does not say."""
    total = answer.get("total")
    return total if isinstance(total, int) and not isinstance(total, bool) else 0


def _list_query(model: str, window: ListWindow | None, page: int) -> dict[str, str]:
    query = {"model_name": model, "page_no": str(page), "page_size": "100"}
    if window is None:
        return query
    zone = timezone(timedelta(hours=window.utc_offset_hours))

    def stamp(at: float) -> str:
        return datetime.fromtimestamp(at, zone).strftime("%Y%m%d%H%M%S")

    return query | {"start_time": stamp(window.start), "end_time": stamp(window.end + 1)}


def _listed(row: Any, now: float) -> ListedTask | None:
    """A row of the list; None if it lacks the id or the time of its creation."""
    if not isinstance(row, dict):
        return None
    task_id, created = row.get("task_id"), moment_of(row.get("gmt_create"), now)
    if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id) or created is None:
        return None
    return ListedTask(
        task_id,
        status_of(row.get("status")),
        created,
        short(row.get("request_id")),
        short(row.get("model_name")),
    )
