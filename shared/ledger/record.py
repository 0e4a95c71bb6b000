"""What a job's records carry from one to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from shared.ledger.records import IN_FLIGHT, Record
from shared.ledger.slots import Slot

CARRIED = (
    "model",
    "priority",
    "queued_ms",
    "digest",
    "written",
    "spec_seq",
    "expires_at",
    "attempt",
    "slot_seq",
    "slot_mark",
    "task_id",
    "submitted_at",
    "create_request_id",
    "not_before",
    "paid",
    "kept",
    "missing",
)


def carried(record: Record, **changes: Any) -> dict[str, Any]:
    """The data for the next record: what stays, and what changes. None removes a field."""
    data = {name: record.data[name] for name in CARRIED if name in record.data} | changes
    return {name: value for name, value in data.items() if value is not None}


def spec_seq(record: Record) -> int:
    """The number of the record that holds the job's spec."""
    return int(record.data.get("spec_seq", 1))


def slot_of(record: Record) -> Slot | None:
    """The slot that a record's attempt was claimed with."""
    data = record.data
    if "slot_mark" not in data:
        return None
    return Slot(data["model"], record.job, data["slot_seq"], data["slot_mark"])


def holds(record: Record, slot: Slot) -> bool:
    """Whether the job's last record says that the attempt behind a slot is still under way."""
    return record.state in IN_FLIGHT and slot_of(record) == slot


def as_written(spec: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A stored spec in the form of a job file, for people to read and to submit again."""
    if spec is None:
        return None
    options = {name: spec[name] for name in ("id", "priority", "labels", "on_partial")}
    if spec.get("expires_after"):
        options["expires_after"] = f"{max(1, round(spec['expires_after'] / 60))}m"
    job = {name: value for name, value in options.items() if value not in (None, {})}
    request = {name: without_payload(spec[name]) for name in ("model", "input", "parameters")}
    return {**request, "job": job}


def digest(canonical: bytes) -> str:
    """SHA-256 of the canonical request: two jobs with the same digest ask for the same."""
    return hashlib.sha256(canonical).hexdigest()


def without_payload(value: Any) -> Any:
    """The same JSON value with the payloads of data: URLs left out, for people to read."""
    if isinstance(value, str) and value.startswith("data:"):
        head = value.split(",", 1)[0]
        return f"{head},… ({len(value)} characters)"
    if isinstance(value, Mapping):
        return {name: without_payload(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_payload(item) for item in value]
    return value
