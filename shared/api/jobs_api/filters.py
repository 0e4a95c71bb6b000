"""Query parameters of the list of jobs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import falcon

from shared.api.context import app_of
from shared.api.jobs_api.problems import Problem, wrong_parameter
from shared.jobs.listing import JobFilter
from shared.ledger.job_index import Cursor
from shared.ledger.record import STATES

DEFAULT_SIZE = 20
PARAMETERS = {"GET": ("state", "model", "label", "since", "cursor", "limit")}
"""What the lists read of a query."""
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def job_filter(request: falcon.Request) -> JobFilter:
    """Which jobs are wanted. Raises Problem for what cannot be read."""
    state = request.get_param("state") or None
    if state is not None and state not in STATES:
        raise wrong_parameter("state", f"one of {', '.join(STATES)}", state)
    model, known = request.get_param("model") or None, app_of(request).catalogue.names()
    if model is not None and model not in known:
        raise wrong_parameter("model", f"one of {', '.join(known)}", model)
    cursor = request.get_param("cursor")
    after = Cursor.of(cursor) if cursor else None
    if cursor and after is None:
        raise wrong_parameter("cursor", "`next` of an earlier answer", cursor)
    labels = request.get_param_as_list("label") or []
    return JobFilter(
        (state,) if state else (),
        model,
        tuple(_label(text) for text in labels if text),
        _since(request.get_param("since")),
        after,
    )


def page_size(request: falcon.Request, most: int, default: int = DEFAULT_SIZE) -> int:
    """The parameter `limit`. Raises Problem."""
    text = request.get_param("limit")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or not 1 <= int(text) <= most:
        raise wrong_parameter("limit", f"a whole number from 1 to {most}", text)
    return int(text)


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
