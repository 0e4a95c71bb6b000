"""What erasing leaves of a record and of a manifest: neither texts nor pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.catalogue.errors import JobError
from shared.jobfile.written import labels_of
from shared.ledger.manifest import Manifest
from shared.ledger.record import Record

ERASED = "erased"
"""Stands where a message of the service was, which may quote a prompt."""
KEPT = (
    "job",
    "state",
    "model",
    "created_at",
    "submitted_at",
    "finished_at",
    "task",
    "task_times",
    "query_request_id",
    "usage",
    "price",
    "source",
)
"""Fields of a manifest that stay: ids, times, and what was paid."""


def erased_record(record: Record, at: str, nonce: str) -> Record:
    """The record without texts and pictures; number, state, times and prices stay.

    `nonce` is a new one, so that answers about the job get another ETag.
    """
    return replace(
        record,
        erased=at,
        nonce=nonce,
        spec=None,
        kept=(),
        warnings=(),
        violations=(),
        pictures=(),
        answer=None if record.answer is None else {},
        error=None if record.error is None else _silent(record.error),
        manifest=None if record.manifest is None else erased_manifest(record.manifest, at),
    )


def erased_manifest(manifest: Manifest, at: str) -> Manifest:
    """The manifest without texts and pictures. Of the job file id, priority and labels stay: by
    them a person finds the job again, and a batch its line."""
    document = manifest.document
    kept = {name: document[name] for name in KEPT if name in document}
    error = manifest.error
    return Manifest(
        {
            **kept,
            "erased_at": at,
            "images": [],
            "failed_images": [_quiet(one) for one in manifest.failed_images],
            "error": None if error is None else _quiet(error),
            "warnings": [],
            "violations": [],
            "spec": _options(manifest.spec),
        }
    )


def _options(written: Any) -> dict[str, Any]:
    given = written.get("job") if isinstance(written, Mapping) else None
    options = given if isinstance(given, Mapping) else {}
    named = {name: options[name] for name in ("id", "priority") if name in options}
    return {"job": {**named, "labels": labels_of(written)}}


def _silent(error: JobError) -> JobError:
    return replace(error, message=ERASED)


def _quiet(error: Mapping[str, Any]) -> dict[str, Any]:
    return {**error, "message": ERASED}
