"""What can be said before a job is done: its place, how long it takes, what it costs at most."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from shared.app import App
from shared.catalogue.models import Model
from shared.ledger.queue import SNAPSHOT_TTLS, QueueSnapshot, SnapshotTtl
from shared.ledger.records import FINAL, PENDING, QUEUED, RUNNING, Record
from shared.platform.clock import from_iso
from shared.storage import layout

MOST_SLOTS = 1000


@dataclass
class Estimates:
    """Estimates of one moment: no queue is listed again, however many jobs are asked about."""

    app: App
    _looks: dict[tuple[str, SnapshotTtl], QueueSnapshot] = field(default_factory=dict, init=False)
    _busy: dict[str, int] = field(default_factory=dict, init=False)

    def position(self, record: Record) -> int | None:
        """1 is served next; None for a job that does not wait or is far behind."""
        if record.state != QUEUED:
            return None
        for span in SNAPSHOT_TTLS:
            look = self._look(record, span)
            if record.job in look.places or look.last is None:
                return look.places.get(record.job)
        return None

    def _look(self, record: Record, span: SnapshotTtl) -> QueueSnapshot:
        """What an earlier look says is good enough, unless the job is a new one."""
        app, name, now = self.app, str(record.data["model"]), self.app.clock.now()
        if (name, span) not in self._looks:
            look = app.snapshots.recent(name, span, now)
            if look is None or not look.tells_of(record.job, record.data):
                look = app.snapshots.look(app.queue, name, span, now)
            self._looks[name, span] = look
        return self._looks[name, span]

    def wait_seconds(self, record: Record) -> int | None:
        """Until the result is likely to be there; None if it is over or nothing can be said."""
        model = self.app.catalogue.get(str(record.data.get("model")))
        if model is None or record.state in FINAL:
            return None
        each = self.seconds_each(model)
        if record.state == QUEUED:
            return self._queued(record, model, each)
        if record.state not in (PENDING, RUNNING) or "submitted_at" not in record.data:
            return math.ceil(each)
        gone = self.app.clock.now() - from_iso(record.data["submitted_at"])
        return max(1, math.ceil(each - gone))

    def seconds_each(self, model: Model) -> float:
        """How long the model's tasks take: what was learned, else what the catalogue says."""
        learned = self.app.states.get(model.name).durations
        return median(learned) if learned else model.typical_seconds

    def price(self, record: Record, spec: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """What the job costs if all of its images succeed; None without a spec."""
        model = self.app.catalogue.get(str(record.data.get("model")))
        if model is None or spec is None:
            return None
        return self.app.transitions.price(model.name, images_wanted(model, spec))

    def _queued(self, record: Record, model: Model, each: float) -> int | None:
        place = self.position(record)
        if place is None:
            return None
        limits = model.limits
        if model.name not in self._busy:
            held = self.app.store.list(layout.slots_of(model.name), limit=MOST_SLOTS)
            self._busy[model.name] = sum(1 for _ in held)
        rounds = (place - 1 + self._busy[model.name]) // max(1, limits.concurrent)
        paced = (place - 1) * limits.per_seconds / max(1, limits.submissions)
        paused = self.app.states.paused_for(model.name, self.app.clock.now())
        return math.ceil(max(rounds * each, paced) + paused + each)


def images_wanted(model: Model, spec: Mapping[str, Any]) -> int:
    """How many images the job asks for, or the model makes by default."""
    number = (spec.get("parameters") or {}).get("n")
    if number is None:
        number = model.parameters_schema["properties"].get("n", {}).get("default", 1)
    return number if isinstance(number, int) and number > 0 else 1
