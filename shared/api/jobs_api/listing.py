"""The list of jobs: what a caller may filter by, and one page of it.

A page costs listings of the index, a thousand jobs each, and one small object for each job that is
looked at: its manifest, or its records while it has none. A filter looks at a bounded number of
jobs and then says how to go on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import falcon

from shared.api.jobs_api.problems import Problem, wrong_parameter
from shared.api.jobs_api.views import Views, labels_of
from shared.api.tokens import Caller
from shared.app import App
from shared.ledger.job_index import Cursor, IndexEntry, JobIndex
from shared.ledger.records import FINAL, REJECTED, STATES
from shared.platform.clock import iso
from shared.storage import layout
from shared.storage.objects import FULL_PAGE, ObjectMissing

DEFAULT_SIZE = 20
MOST_READ = 300
"""Jobs whose records are read for one page."""
MOST_LISTED = 50_000
"""Entries of the index that are walked for one page; only foreign jobs come in such numbers."""
MANIFEST_BYTES = 64 * 1024 * 1024
PROMPT = 80
JOINED = re.compile(r",(?=[^,:]+:)")
"""Function Compute joins parameters of one name by commas; a value may hold one as well."""
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


@dataclass(frozen=True)
class Filter:
    """Which jobs are wanted. `since_ms` in milliseconds since 1970."""

    state: str | None = None
    model: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    since_ms: int = 0
    after: Cursor | None = None

    @classmethod
    def of(cls, request: falcon.Request) -> Filter:
        """Raises Problem for what cannot be read."""
        state = request.get_param("state") or None
        if state is not None and state not in STATES:
            raise wrong_parameter("state", f"one of {', '.join(STATES)}", state)
        cursor = request.get_param("cursor")
        after = Cursor.of(cursor) if cursor else None
        if cursor and after is None:
            raise wrong_parameter("cursor", "`next` of an earlier answer", cursor)
        labels = request.get_param_as_list("label") or []
        return cls(
            state,
            request.get_param("model") or None,
            tuple(_label(one) for text in labels if text for one in JOINED.split(text) if one),
            _since(request.get_param("since")),
            after,
        )

    def fits(self, row: Mapping[str, Any]) -> bool:
        return (
            self.state in (None, row["state"])
            and self.model in (None, row["model"])
            and all(row["labels"].get(name) == value for name, value in self.labels)
        )


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of what follows, None at the end; `searched` jobs were looked at."""

    rows: list[dict[str, Any]]
    next: str | None
    searched: int


@dataclass
class JobList:
    """The jobs that a caller may see."""

    app: App
    views: Views
    caller: Caller

    def page(self, wanted: Filter, size: int, most_read: int = MOST_READ) -> Page:
        """Up to `size` jobs that fit, newest first. Raises StoreError."""
        rows: list[dict[str, Any]] = []
        place, searched = wanted.after, 0
        index = JobIndex(self.app.store)
        entries = index.after(wanted.after, wanted.since_ms, min(size + 1, FULL_PAGE))
        for walked, entry in enumerate(entries):
            enough = walked >= MOST_LISTED and place != wanted.after
            if len(rows) == size or searched == most_read or enough:
                return Page(rows, str(place) if place else None, searched)
            place = self._behind(entry, place)
            if not self.caller.sees(entry.job):
                continue
            searched += 1
            row = self._row(entry)
            if row is not None and wanted.fits(row):
                rows.append(row)
        return Page(rows, None, searched)

    def _behind(self, entry: IndexEntry, place: Cursor | None) -> Cursor:
        """A cursor names no job that is not the caller's."""
        if self.caller.sees(entry.job):
            return Cursor(entry.created_ms, entry.job)
        same = place is not None and place.created_ms == entry.created_ms
        return place if same and place is not None else Cursor(entry.created_ms)

    def _row(self, entry: IndexEntry) -> dict[str, Any] | None:
        """The manifest tells everything of a job that is over; only a rejected one can go on."""
        manifest = self._manifest(entry.job)
        if manifest is None or manifest.get("state") not in FINAL - {REJECTED}:
            manifest = self._from_records(entry.job)
        if manifest is None:
            return None
        error, spec = manifest.get("error"), manifest.get("spec")
        return {
            "job": entry.job,
            "state": manifest.get("state"),
            "model": manifest.get("model"),
            "created_at": manifest.get("created_at") or iso(entry.created_ms / 1000),
            "labels": labels_of(spec),
            "prompt": _prompt(spec),
            "images": [self._image(image) for image in manifest.get("images") or ()],
            "error": {name: error.get(name) for name in ("code", "message")} if error else None,
        }

    def _manifest(self, job: str) -> dict[str, Any] | None:
        try:
            read = json.loads(self.app.store.read(layout.result(job), MANIFEST_BYTES).body)
        except (ObjectMissing, ValueError):
            return None
        return read if isinstance(read, dict) else None

    def _from_records(self, job: str) -> dict[str, Any] | None:
        last = self.app.records.last(job)
        if last is None:
            return None
        first, manifest = self.views.first(last), last.data.get("manifest") or {}
        made = {"created_at": first.at, "spec": first.data.get("spec") or manifest.get("spec")}
        error = (manifest or last.data).get("error") or _rejection(manifest)
        told = {"state": last.state, "model": last.data.get("model"), "error": error}
        return {**made, **told, "images": manifest.get("images")}

    def _image(self, image: Mapping[str, Any]) -> dict[str, Any]:
        size = {name: image.get(name) for name in ("width", "height")}
        return {"key": image["key"], "url": self.views.link(image["key"]), **size}


def page_size(request: falcon.Request, most: int, default: int = DEFAULT_SIZE) -> int:
    """The parameter `limit`. Raises Problem."""
    text = request.get_param("limit")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or not 1 <= int(text) <= most:
        raise wrong_parameter("limit", f"a whole number from 1 to {most}", text)
    return int(text)


def _rejection(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    found = manifest.get("violations")
    if not found:
        return None
    return {"code": REJECTED, "message": "; ".join(one["message"] for one in found)[:1000]}


def _label(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise wrong_parameter("label", "written as name:value", text)
    return name, value


def _since(text: str | None) -> int:
    """Milliseconds since 1970 of a date, or of an RFC 3339 time; without zone it is UTC."""
    if not text:
        return 0
    found = MOMENT.fullmatch(text.upper().replace(" ", "+"))
    if found is None:
        raise _no_moment(text)
    day, time, fraction, zone = found.groups()
    clock = f"{time or '00:00:00'}.{(fraction or '0')[:6]:0<6}"
    offset = "+00:00" if zone in (None, "Z") else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
    except ValueError:
        raise _no_moment(text) from None
    return max(0, int((moment - EPOCH) / timedelta(milliseconds=1)))


def _no_moment(text: str) -> Problem:
    return wrong_parameter("since", "a date or time such as 2026-11-20T05:12:00Z", text)


def _prompt(spec: Any) -> str:
    given = spec.get("input") if isinstance(spec, Mapping) else None
    prompt = given.get("prompt") if isinstance(given, Mapping) else None
    return prompt[:PROMPT] if isinstance(prompt, str) else ""
