"""Records as JSON: the one place that knows the names of stored fields.

The stored form is flat, compact JSON; a field that holds its default is left out. Readers ignore
fields they do not know, and leave a record alone whose version or state they do not know, so that
old and new code can share a bucket (docs/architecture.md). schemas/record.schema.yaml describes the
form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any

from shared.catalogue.errors import JobError
from shared.catalogue.price import Bill
from shared.jobfile import JobSpec
from shared.ledger.manifest import Manifest, StoredImage
from shared.ledger.record import READABLE, STATES, Origin, Record
from shared.platform.clock import from_iso
from shared.storage.objects import ObjectDamaged, ObjectNewer

UNVERSIONED = 0
HEAD = ("job", "seq", "state", "at", "nonce")
ACCEPTED = ("model", "priority", "queued_ms", "digest", "written", "spec_seq")
"""Written for every accepted job even where they hold a default: version 0.1 reads them by name."""
TIMES = ("at", "not_before", "expires_at", "submitted_at")

_DEFAULTS = {one.name: one.default for one in fields(Record) if one.default is not MISSING}
_WRITERS: Mapping[str, Callable[[Any], Any]] = {
    "spec": JobSpec.to_dict,
    "source": asdict,
    "error": JobError.to_dict,
    "manifest": lambda manifest: manifest.document,
    "bill": Bill.to_dict,
    "kept": lambda images: [image.to_dict() for image in images],
}
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "spec": JobSpec.from_dict,
    "source": lambda source: Origin(source["key"], source["etag"], source["document"]),
    "error": JobError.of,
    "manifest": Manifest,
    "bill": Bill.of,
    "kept": lambda images: tuple(map(StoredImage.of, images)),
    "missing": tuple,
    "warnings": tuple,
    "violations": tuple,
    "pictures": tuple,
}


def to_dict(record: Record) -> dict[str, Any]:
    """The stored form of a record as plain data."""
    head = {name: getattr(record, name) for name in HEAD} | {"version": record.needs}
    always = ACCEPTED if record.queued_ms else ()
    body = {
        name: getattr(record, name)
        for name, default in _DEFAULTS.items()
        if name not in head and (name in always or getattr(record, name) != default)
    }
    return head | {
        name: _WRITERS[name](value) if name in _WRITERS else value for name, value in body.items()
    }


def encode(record: Record) -> bytes:
    """The stored form of a record: compact JSON, UTF-8."""
    return json.dumps(to_dict(record), ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes, key: str) -> Record:
    """The record of the object `key`, written by this version or an earlier one.

    Raises ObjectNewer for one of a newer release, ObjectDamaged if it cannot be read as a record.
    """
    try:
        document = json.loads(body)
        if _is_newer(document):
            raise ObjectNewer(
                f"The record {key} is of a newer release (version"
                f" {document.get('version')}, {document['state']}): the job is left alone until"
                " that release is deployed again."
            )
        return _of(document)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ObjectDamaged(
            f"The record {key} cannot be read ({error}): it was changed by hand. Put it back, or"
            " delete it and the records after it; the job goes on from the one before."
        ) from None


def _is_newer(document: Mapping[str, Any]) -> bool:
    return document.get("version", UNVERSIONED) > READABLE or document["state"] not in STATES


def _of(document: Mapping[str, Any]) -> Record:
    head = {name: document[name] for name in HEAD}
    for name in TIMES:
        if document.get(name) is not None:
            from_iso(document[name])
    body = {
        name: _READERS[name](document[name]) if name in _READERS else document[name]
        for name in _DEFAULTS
        if name not in HEAD and document.get(name) is not None
    }
    return Record(**head, **{"version": UNVERSIONED, **body})
