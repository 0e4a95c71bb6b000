"""Tasks, synchronous calls, and the book of both. Times: seconds since 1970, server's clock."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.modelstudio.errors import ServiceError, service_error
from local.modelstudio.fields import check_fields, facts, used_texts, wanted_images
from local.modelstudio.messages import flat_body
from local.modelstudio.money import bill
from local.modelstudio.rules import ModelRules

PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, UNKNOWN = (
    "PENDING",
    "RUNNING",
    "SUCCEEDED",
    "FAILED",
    "CANCELED",
    "UNKNOWN",
)
STATUSES = (PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, UNKNOWN)


@dataclass
class Picture:
    """One of a task's images: the name it is kept under and its size, or why it failed."""

    name: str | None = None
    error: ServiceError | None = None
    size: tuple[int, int] = (0, 0)


@dataclass
class Task:
    """One task from submission to its end, or one synchronous call (`is_call`).

    `body` is flat whatever form was `sent`; `is_blank`: the last input image is of one colour.
    Raises ServiceError where the body cannot be made flat.
    """

    model: ModelRules
    sent: Mapping[str, Any]
    request_id: str
    key_id: str
    created: float
    resolves_uploads: bool
    is_call: bool = False
    body: Mapping[str, Any] = field(init=False)
    facts: Mapping[str, Any] = field(init=False)
    wanted: int = field(init=False)
    texts: Mapping[str, str] = field(init=False)
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = PENDING
    phase: int = 0
    started: float | None = None
    ended: float | None = None
    error: ServiceError | None = None
    pictures: list[Picture] = field(default_factory=list)
    rewritten_prompt: str | None = None
    is_blank: bool = False

    def __post_init__(self) -> None:
        """Read the body."""
        self.body = flat_body(self.model, self.sent) if self.model.speaks_messages else self.sent
        check_fields(self.model, self.body)
        self.facts = facts(self.model, self.body)
        self.wanted = wanted_images(self.model, self.body)
        self.texts = used_texts(self.model, self.body)

    @property
    def inputs(self) -> int:
        """Input images in a list of them."""
        return len(self.body["input"].get("images") or ())

    @property
    def billed(self) -> Decimal:
        """CNY for the good images so far; nothing once it has failed."""
        sizes = [picture.size for picture in self.pictures if picture.name is not None]
        return bill(self.model, self.facts, sizes, self.inputs)

    @property
    def told_status(self) -> str:
        """The status as a query tells it: some models name the `phase` of what is under way,
        0 before, 1 while and 2 after the drawing."""
        phases = self.model.answer.get("phases")
        return str(phases[self.phase]) if phases and self.status == RUNNING else self.status

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status not in (PENDING, RUNNING)

    @property
    def good(self) -> int:
        """Images made so far."""
        return sum(picture.name is not None for picture in self.pictures)

    @property
    def failed(self) -> int:
        """Images that failed so far; all of them once the task has failed."""
        if self.status == FAILED:
            return self.wanted
        return sum(picture.error is not None for picture in self.pictures)

    def start(self, now: float) -> None:
        """PENDING → RUNNING."""
        self.status, self.started = RUNNING, now

    def finish(self, now: float) -> None:
        """RUNNING → SUCCEEDED with at least one good image, else FAILED with the first error."""
        self.ended = now
        if self.good:
            self.status = SUCCEEDED
            return
        self.fail(self.pictures[0].error or service_error("internal"), now)

    def fail(self, error: ServiceError, now: float) -> None:
        """→ FAILED."""
        self.status, self.error, self.ended = FAILED, error, now

    def cancel(self, now: float) -> None:
        """PENDING → CANCELED. Raises ServiceError in any other state."""
        if self.status != PENDING:
            raise service_error("cancel_refused")
        self.status, self.ended = CANCELED, now

    def forget_payloads(self) -> None:
        """Drop inline images once they are of no more use."""
        self.body = {name: without_payloads(value) for name, value in self.body.items()}
        self.sent = {name: without_payloads(value) for name, value in self.sent.items()}


class TaskBook:
    """All tasks and calls in the order of their submission."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def add(self, task: Task) -> None:
        """Enter a new task or call."""
        self._tasks[task.task_id] = task

    def find(self, task_id: str, now: float, kept_seconds: float) -> Task | None:
        """The task, or None if it never was or is no longer kept."""
        task = self._tasks.get(task_id)
        return task if task is not None and _is_kept(task, now, kept_seconds) else None

    def kept(self, now: float, kept_seconds: float) -> list[Task]:
        """Tasks still kept, the newest first."""
        return [t for t in reversed(self._tasks.values()) if _is_kept(t, now, kept_seconds)]

    def all(self) -> Iterable[Task]:
        """Every task and call, those no longer kept included."""
        return self._tasks.values()


def _is_kept(task: Task, now: float, kept_seconds: float) -> bool:
    return not task.is_call and now - task.created < kept_seconds


def is_inline(address: str) -> bool:
    """Whether the address is the image itself; a scheme may be in capitals (RFC 3986)."""
    return address[:5].lower() == "data:"


def without_payloads(value: object) -> object:
    """The same without inline image data and without the query (signatures) of addresses."""
    if isinstance(value, Mapping):
        return {key: without_payloads(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_payloads(item) for item in value]
    if isinstance(value, str) and is_inline(value) and "," in value:
        head, payload = value.split(",", 1)
        return f"{head},({len(payload)} characters)" if not payload.startswith("(") else value
    if isinstance(value, str) and value.startswith(("http://", "https://")) and "?" in value:
        return value.split("?", 1)[0] + "?…"
    return value
