"""Jobs as their chains of records tell them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.ledger.record import SUBMITTING
from shared.platform.clock import from_iso


@dataclass(frozen=True)
class Link:
    """A record, and when it came into the bucket by the simulation's own clock."""

    at: float
    record: Mapping[str, Any]

    @property
    def state(self) -> str:
        return str(self.record["state"])


@dataclass
class Job:
    """A job as its chain tells it. `attempts`: records SUBMITTING; `links`: all states;
    `source`: key, ETag and number of the document that was queued; `tasks`: all that it had."""

    name: str = ""
    prompt: str = ""
    model: str = ""
    seq: int = 0
    state: str = ""
    slot: str = ""
    task: str = ""
    attempts: int = 0
    sent: bool = False
    doubted: bool = False
    source: tuple[Any, ...] = ()
    retried_from: str = ""
    links: list[str] = field(default_factory=list)
    manifests: list[dict[str, Any]] = field(default_factory=list)
    records: list[Link] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    priority: int = 5
    images: int = 1
    on_partial: str = "keep"
    on_unknown: str = "ask"

    @property
    def last(self) -> Mapping[str, Any]:
        """The last record."""
        return self.records[-1].record

    @property
    def before(self) -> str:
        """The state before the last one; empty for a first record."""
        return self.records[-2].state if len(self.records) > 1 else ""

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the queue: smaller goes first. The priority is the one it asks for."""
        return self.priority, int(self.last.get("queued_ms") or 0)

    @property
    def intents(self) -> int:
        """Attempts that were begun: a second record SUBMITTING of an attempt does not count."""
        states = [link.state for link in self.records]
        pairs = zip(["", *states], states, strict=False)
        return sum(now == SUBMITTING != before for before, now in pairs)

    def moment(self, name: str) -> float | None:
        """A time of the last record, in seconds since 1970."""
        text = self.last.get(name)
        return from_iso(text) if text else None

    def grow(self, link: Link) -> None:
        """Take in the chain's next record."""
        record = link.record
        if "spec" in record:
            self._read_spec(record["spec"])
        if "source" in record:
            self.source = tuple(record["source"].values())
        self.retried_from = record.get("retried_from") or self.retried_from
        self.seq, self.state = record["seq"], link.state
        self.model, self.task = record.get("model") or "", record.get("task_id") or ""
        if record.get("answer"):  # the simulated service names there what it has made
            self.task = record["answer"]["request_id"]
        if self.task and self.task not in self.tasks:
            self.tasks.append(self.task)
        self.links.append(self.state)
        self.records.append(link)

    def _read_spec(self, spec: Mapping[str, Any]) -> None:
        self.prompt = spec["input"]["prompt"]
        self.images = int(spec["parameters"].get("n", 1))
        self.priority = int(spec["priority"])
        self.on_partial = spec.get("on_partial") or "keep"
        self.on_unknown = spec.get("on_unknown") or "ask"


def read_link(at: float, body: bytes) -> Link:
    """A record as it lies in the bucket."""
    return Link(at, json.loads(body))
