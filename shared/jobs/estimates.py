"""What can be said before a job is done: its place, how long it takes, what it costs at most."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.models import Model
from shared.catalogue.rules import Rules
from shared.jobfile import JobSpec
from shared.jobs.billing import price_at_most
from shared.ledger.ledger import Ledger
from shared.ledger.record import PENDING, QUEUED, RUNNING, Record
from shared.ledger.snapshots import SNAPSHOT_TTLS, QueueSnapshot, QueueSnapshots, SnapshotTtl
from shared.platform.clock import from_iso


@dataclass
class Estimates:
    """Estimates of one moment: no queue is listed again, however many jobs are asked about."""

    ledger: Ledger
    rules: Rules
    snapshots: QueueSnapshots
    _taken: dict[tuple[str, SnapshotTtl], QueueSnapshot] = field(default_factory=dict, init=False)
    _busy: dict[str, int] = field(default_factory=dict, init=False)

    def position(self, record: Record) -> int | None:
        """1 is served next; None for a job that does not wait or is far behind."""
        if record.state != QUEUED:
            return None
        for ttl in SNAPSHOT_TTLS:
            snapshot = self._snapshot(record, ttl)
            if record.job in snapshot.places or snapshot.last is None:
                return snapshot.places.get(record.job)
        return None

    def wait_seconds(self, record: Record) -> int | None:
        """Until the result is likely to be there; None if it is over or nothing can be said."""
        model = self.rules.model(record.model)
        if model is None or record.is_final:
            return None
        each = self.seconds_each(model)
        if record.state == QUEUED:
            return self._queued(record, model, each)
        if record.state not in (PENDING, RUNNING) or record.submitted_at is None:
            return math.ceil(each)
        gone = self.ledger.clock.now() - from_iso(record.submitted_at)
        return max(1, math.ceil(each - gone))

    def seconds_each(self, model: Model) -> float:
        """How long the model's tasks take: what was learned, else what the catalogue says."""
        learned = self.ledger.durations.of(model.name)
        if not learned:
            return model.typical_seconds
        # Imported late: a cold start would pay for decimal numbers and fractions as well.
        from statistics import median

        return median(learned)

    def price(self, record: Record, spec: JobSpec | None) -> dict[str, Any] | None:
        """What the job costs at most; None without a spec."""
        return None if spec is None else price_at_most(self.rules, spec, record)

    def _snapshot(self, record: Record, ttl: SnapshotTtl) -> QueueSnapshot:
        """An earlier snapshot is good enough, unless the job is newer than it."""
        name, now = record.model, self.ledger.clock.now()
        if (name, ttl) not in self._taken:
            snapshot = self.snapshots.recent(name, ttl, now)
            if snapshot is None or not snapshot.covers(record):
                snapshot = self.snapshots.take(self.ledger.queue, name, ttl, now)
            self._taken[name, ttl] = snapshot
        return self._taken[name, ttl]

    def _queued(self, record: Record, model: Model, each: float) -> int | None:
        place = self.position(record)
        if place is None:
            return None
        limits = model.limits
        if model.name not in self._busy:
            mates = self.rules.catalogue.mates(model.name)
            held = sum(one.slot.model in mates for one in self.ledger.slots.held())
            self._busy[model.name] = min(held, self.ledger.breakers.window(model))  # 1 may be ahead
        rounds = (place - 1 + self._busy[model.name]) // max(1, limits.lanes)
        paced = (place - 1) * limits.per_seconds / max(1, limits.submissions)
        paused = self.ledger.breakers.paused_for(model.name)
        return math.ceil(max(rounds * each, paced) + paused + each)
