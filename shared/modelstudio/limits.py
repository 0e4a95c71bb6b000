"""The limits that the account itself has, model by model.

`GET {base}/models/limits` (Model Studio list-quotas page, October 2026). Limits of a workspace may
be set below those of the model; then they are the ones that hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.modelstudio.client import ModelStudio, ServiceError

PAGE = 20
"""Rows of a page, as in the document's sample; no document names more."""
MOST_PAGES = 50


@dataclass(frozen=True)
class AccountLimits:
    """`requests` in `per_seconds` seconds, tasks processed at once (`concurrent`) and tasks that
    may wait behind them (`queue`); None where the account names none."""

    requests: float | None = None
    per_seconds: float | None = None
    concurrent: int | None = None
    queue: int | None = None

    @property
    def rate(self) -> float | None:
        """Requests a second."""
        if self.requests is None or not self.per_seconds:
            return None
        return self.requests / self.per_seconds


def account_limits(service: ModelStudio, models: Collection[str]) -> dict[str, AccountLimits]:
    """The limits of these models, by the service's id; those of the account's list are left out
    that it does not name on `MOST_PAGES` pages.

    Raises ServiceError, also where the host does not offer this.
    """
    found: dict[str, AccountLimits] = {}
    for page in range(1, MOST_PAGES + 1):
        query = {"page_no": str(page), "page_size": str(PAGE)}
        rows = _rows(service.get("/models/limits", query))
        found |= {name: limits for name, limits in _read(rows) if name in models}
        if len(rows) < PAGE or len(found) == len(models):
            break
    return found


def _rows(answer: Mapping[str, Any]) -> list[Any]:
    output = answer.get("output")
    rows = output.get("quotas") if isinstance(output, dict) else None
    if not isinstance(rows, list):
        raise ServiceError("UnreadableAnswer", "The answer has no output.quotas.", 200)
    return rows


def _read(rows: Collection[Any]) -> Iterator[tuple[str, AccountLimits]]:
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("model"), str):
            own, shared = row.get("workspace_limit"), row.get("model_limit")
            yield row["model"], _merged(_limits(own), _limits(shared))


def _limits(said: Any) -> AccountLimits:
    if not isinstance(said, dict):
        return AccountLimits()
    at_once, waiting = (
        _number(said.get(f"async_user_{name}_limit")) for name in ("concurrency", "queue")
    )
    return AccountLimits(
        requests=_number(said.get("request_limit")),
        per_seconds=_number(said.get("request_limit_period")),
        concurrent=None if at_once is None else int(at_once),
        queue=None if waiting is None else int(waiting),
    )


def _number(value: Any) -> float | None:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if fine else None


def _merged(own: AccountLimits, shared: AccountLimits) -> AccountLimits:
    """The workspace's limits where there are some, the account's otherwise."""
    paced = own if own.rate is not None else shared
    return AccountLimits(
        paced.requests,
        paced.per_seconds,
        own.concurrent or shared.concurrent,
        own.queue or shared.queue,
    )
