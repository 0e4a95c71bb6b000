"""The service's list of tasks: pages, time spans, its delay (task management page)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Protocol

from tests.simulation.account import Refusal

BEIJING = timezone(timedelta(hours=8))
LONGEST_SPAN = 24 * 3600.0
MOST_ROWS = 100


class Refused(Exception):
    """The service refuses a question in these words."""

    def __init__(self, words: Refusal) -> None:
        super().__init__(words[1])
        self.words = words


class Listed(Protocol):
    """What the list shows of a task. `listed_from`: when it shows the task first."""

    task_id: str
    model: str
    created: float
    listed_from: float

    def status(self, now: float) -> str: ...


@dataclass
class TaskList:
    """How one run's service lists. `lag`: no task younger than this is shown."""

    rows: int = MOST_ROWS
    lag: float = 0.0
    zone: tzinfo = BEIJING

    def answer(
        self, query: Mapping[str, str], tasks: Iterable[Listed], now: float, skew: float
    ) -> dict[str, Any]:
        """One page, the newest tasks first. Raises Refused for a span that is too long or empty."""
        start, end = self._span(query, now + skew)
        model, name, status = (query.get(one) for one in ("model_name", "task_id", "status"))
        shown = [
            task
            for task in tasks
            if model in (None, task.model)
            and name in (None, task.task_id)
            and status in (None, task.status(now))
            and start <= task.created + skew <= end
            and task.listed_from + self.lag <= now
        ]
        size = min(self.rows, int(query.get("page_size", "10")))
        page = int(query.get("page_no", "1"))
        shown.reverse()
        part = [_row(task, now, skew) for task in shown[(page - 1) * size : page * size]]
        return {"total": len(shown), "total_page": -(-len(shown) // size), "data": part}

    def _span(self, query: Mapping[str, str], now: float) -> tuple[float, float]:
        given = [query.get("start_time"), query.get("end_time")]
        start, end = (self._moment(stamp) if stamp else None for stamp in given)
        if start is None and end is None:
            return now - LONGEST_SPAN, now
        start = end - LONGEST_SPAN if start is None and end is not None else start
        end = start + LONGEST_SPAN if end is None and start is not None else end
        assert start is not None and end is not None
        if not 0 <= end - start <= LONGEST_SPAN:
            words = "end_time must follow start_time within 24 hours."
            raise Refused((400, "InvalidParameter", words))
        return start, end

    def _moment(self, stamp: str) -> float:
        return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=self.zone).timestamp()


def _row(task: Listed, now: float, skew: float) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "status": task.status(now),
        "gmt_create": int((task.created + skew) * 1000),
        "model_name": task.model,
        "request_id": f"r-{task.task_id}",
    }
