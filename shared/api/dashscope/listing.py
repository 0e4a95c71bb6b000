"""The list of tasks: filters, pages and rows (task management page)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.api.dashscope import errors
from shared.api.dashscope.view import STATUSES, scheduled_at, status_of
from shared.api.tokens import Caller
from shared.app import App
from shared.ledger.job_index import IndexEntry
from shared.ledger.record import FINAL, Record
from shared.modelstudio.answers import BEIJING_TIME
from shared.platform.clock import from_iso

DAY = timedelta(hours=24)
LARGEST_PAGE = 100
MOST_READ = 2000
"""Jobs whose records are read for one filtered list; what lies beyond is counted, not looked at."""
DASHSCOPE_SOURCE = "http/api/v1/create.json"
"""The source of jobs that came over this wire; their ETag is the request id of the create."""


@dataclass(frozen=True)
class ListQuery:
    """What a list call asks for. Times in milliseconds since 1970, None: up to now."""

    since_ms: int
    until_ms: int | None
    page: int
    size: int
    task_id: str | None
    model: str | None
    status: str | None

    @classmethod
    def of(cls, query: Mapping[str, str], now: float) -> ListQuery:
        """Raises DashScopeError."""
        since_ms, until_ms = _span(query.get("start_time"), query.get("end_time"), now)
        status = query.get("status") or None
        if status is not None and status not in STATUSES:
            raise errors.outside_specification(f"status must be one of {', '.join(STATUSES)}")
        return cls(
            since_ms,
            until_ms,
            _positive(query, "page_no", 1),
            min(_positive(query, "page_size", 10), LARGEST_PAGE),
            query.get("task_id") or None,
            query.get("model_name") or None,
            status,
        )

    @property
    def reads_records(self) -> bool:
        """Whether the index alone cannot answer: records have to be read."""
        return self.model is not None or self.status is not None

    def fits(self, row: Mapping[str, Any]) -> bool:
        wanted = {"model_name": self.model, "status": self.status}
        return all(value is None or row[name] == value for name, value in wanted.items())


def _span(start: str | None, end: str | None, now: float) -> tuple[int, int | None]:
    """Neither: the last 24 hours; one of them: the 24 hours from or to it."""
    first, last = (_moment(text) if text else None for text in (start, end))
    if first is None:
        first = (last or datetime.fromtimestamp(now, BEIJING_TIME)) - DAY
    elif last is None:
        last = first + DAY
    if last is not None and not timedelta() <= last - first <= DAY:
        raise errors.outside_specification("end_time must follow start_time within 24 hours")
    until_ms = None if last is None else int(last.timestamp() * 1000) + 999
    return int(first.timestamp() * 1000), until_ms


def _moment(text: str) -> datetime:
    """YYYYMMDDhhmmss, in UTC+8."""
    try:
        if len(text) != 14 or not (text.isascii() and text.isdigit()):
            raise ValueError
        moment = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING_TIME)
        if not 1970 < moment.year < 2286:
            raise ValueError
    except ValueError:
        raise errors.outside_specification(
            f"start_time and end_time are YYYYMMDDhhmmss in UTC+8, not {text[:20]!r}"
        ) from None
    return moment


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or int(text[:9]) < 1:
        raise errors.outside_specification(f"{name} must be a positive integer")
    return int(text[:9])


@dataclass
class TaskList:
    """Lists jobs as tasks."""

    app: App

    def show(self, asked: ListQuery, caller: Caller) -> dict[str, Any]:
        """The answer, flat as documented, of the caller's jobs. Raises StoreError.

        Records are read for the page shown alone, unless a filter needs them.
        """
        found = self.app.ledger.index.newest(asked.until_ms, asked.since_ms)
        mine = (one for one in found if caller.sees(one.job))
        entries = [one for one in mine if asked.task_id in (None, one.job)]
        start = (asked.page - 1) * asked.size
        if asked.reads_records:
            rows = [row for row in map(self._row, entries[:MOST_READ]) if row and asked.fits(row)]
            total = len(rows) + max(0, len(entries) - MOST_READ)
            shown = rows[start : start + asked.size]
        else:
            total = len(entries)
            wanted = entries[start : start + asked.size]
            shown = [row for row in map(self._row, wanted) if row]
        for row in shown:  # filters do not ask for it, so it is not read for rows left out
            row["request_id"] = self._request_id(row["task_id"])
        return {
            "total": total,
            "total_page": -(-total // asked.size),
            "page_no": asked.page,
            "page_size": asked.size,
            "data": shown,
        }

    def _row(self, entry: IndexEntry) -> dict[str, Any] | None:
        last = self.app.ledger.records.last(entry.job)
        if last is None:
            return None
        model = last.model
        row: dict[str, Any] = {
            "api_key_id": "",
            "caller_parent_id": "",
            "caller_uid": "",
            "gmt_create": entry.created_ms,
            "model_name": model,
            "region": self.app.settings.model_region,
            "request_id": "",
            "status": status_of(last),
            "task_id": entry.job,
            "user_api_unique_key": self._unique_key(model),
        }
        return row | _row_times(last)

    def _request_id(self, job: str) -> str:
        """The id of the create answer, for jobs that came over this wire."""
        first = self.app.ledger.records.get(job, 1)
        source = first.source if first else None
        return source.etag if source and source.key == DASHSCOPE_SOURCE else ""

    def _unique_key(self, name: str) -> str:
        model = self.app.catalogue.get(name)
        path = model.endpoint if model else ""
        return ":".join(["apikey", "v1", *path.split("/")[2:], name])


def _row_times(last: Record) -> dict[str, int]:
    moments = {"start_time": scheduled_at(last)}
    if last.state in FINAL:
        moments["end_time"] = last.at
    return {name: round(from_iso(at) * 1000) for name, at in moments.items() if at is not None}
